//! A command with all that it starts: signalled, waited for and ended as one.

use super::{guardian, processes};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io;
use std::process::ExitStatus;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How long it takes at most until what was killed is gone.
const KILL_WAIT: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A running command and its process group. What is left of the group is killed when this is dropped, and
/// ended by the guardian when that does not happen.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    id: Pid,
    status: Option<ExitStatus>,
}

/// How a group ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, or as it was asked to.
    Orderly,
    /// It was killed because it did not.
    Killed,
}

impl Group {
    /// Starts the command as the first of a group of its own.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        let child = command.process_group(0).spawn()?;
        let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let id = id.ok_or_else(|| io::Error::other("it has no number"))?;
        guardian::begun(id);
        Ok(Self { child, id, status: None })
    }

    /// The number of the command's process.
    pub(crate) fn id(&self) -> Pid {
        self.id
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until the command has ended; others of its group may run on. May be dropped.
    ///
    /// # Errors
    /// The system's.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let status = self.child.wait().await?;
        self.status = Some(status);
        Ok(status)
    }

    /// Asks the group to end, and kills it after `timeout`. Returns when nothing of it runs.
    pub(crate) async fn stop(&mut self, signal: Signal, timeout: Duration) -> Ended {
        self.signal(signal);
        // Who was stopped by a signal hears of no other before it goes on.
        self.signal(Signal::CONT);
        if self.is_gone_within(timeout).await {
            return Ended::Orderly;
        }
        self.signal(Signal::KILL);
        self.is_gone_within(KILL_WAIT).await;
        Ended::Killed
    }

    async fn is_gone_within(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        // Its own end is told at once, that of others must be looked for.
        let ended = tokio::time::timeout(time, self.wait()).await;
        if ended.is_err() {
            return false;
        }
        while self.has_members() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        true
    }

    fn signal(&self, signal: Signal) {
        if self.has_members() {
            // It may have ended in between.
            let _ = kill_process_group(self.id, signal);
        }
    }

    /// Whether anything of it runs. The number is no other's as long as that is so, nor before the
    /// command itself was waited for.
    fn has_members(&self) -> bool {
        self.status.is_none() || processes::group_runs(self.id)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        guardian::over(self.id);
    }
}
