//! A program that runs all the time: started, tended, and restarted when files change.

use super::sockets::{is_held_by_the_past, is_taken};
use crate::daemon::config::{Port, RestartAction};
use crate::daemon::group::{Ended, Group};
use crate::daemon::line::Line;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::time::Instant;

/// How long to wait for a port that the last run, or somebody else, still holds.
const PORT_FREE_WAIT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The first wait before a program that ended by itself is started again; doubled each time.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(30);
/// A program that ran as long as this has not died at its start.
const WELL_AFTER: Duration = Duration::from_secs(10);

/// Why a program does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    #[error("cannot start {line}: {error}")]
    Start { line: String, error: std::io::Error },
    #[error("{line} ended at its start with {status}{hint}")]
    Died { line: String, status: ExitStatus, hint: &'static str },
    #[error(
        "port {port} is not free after {}: another program listens there",
        humantime::format_duration(PORT_FREE_WAIT)
    )]
    PortTaken { port: String },
    #[error("{line} does not listen on port {port} after {}", humantime::format_duration(*time))]
    NotUp { line: String, port: String, time: Duration },
}

/// Something that a program does by itself.
#[derive(Debug)]
pub(crate) enum Happening {
    /// It ended, and is started again after this time if that is known.
    Ended(ExitStatus, Option<Duration>),
    /// It is time to start it again.
    Again,
}

#[derive(Debug)]
pub(super) struct Program {
    action: RestartAction,
    /// Whether it must keep off standard output.
    aside: bool,
    running: Option<(Group, Instant)>,
    again_at: Option<Instant>,
    failures: u32,
}

impl Program {
    pub(super) fn new(action: RestartAction, aside: bool) -> Self {
        Self { action, aside, running: None, again_at: None, failures: 0 }
    }

    pub(super) fn line(&self) -> &Line {
        &self.action.command
    }

    /// Stops it, if it runs, and starts it.
    pub(super) async fn restart(&mut self) -> Result<String, ProgramError> {
        // Files have changed: what was wrong before may be right now.
        self.failures = 0;
        let stopped = match self.stop().await {
            Some(Ended::Killed) => ", the old one had to be killed",
            _ => "",
        };
        let started = self.start().await?;
        Ok(format!("{started}{stopped}"))
    }

    /// Asks it to end, and returns when nothing of it runs.
    pub(super) async fn stop(&mut self) -> Option<Ended> {
        self.again_at = None;
        // Taken only when it is over: a stop that is given up leaves the program where it was.
        let (group, _) = self.running.as_mut()?;
        let timeout = self.action.stop_timeout.duration();
        let ended = group.stop(self.action.stop_signal.signal(), timeout).await;
        self.running = None;
        Some(ended)
    }

    /// Starts it, and waits until it is up.
    pub(super) async fn start(&mut self) -> Result<String, ProgramError> {
        self.again_at = None;
        match self.come_up().await {
            Ok(text) => Ok(text),
            Err(error) => {
                self.running = None;
                self.fail();
                Err(error)
            }
        }
    }

    async fn come_up(&mut self) -> Result<String, ProgramError> {
        self.wait_until_free().await?;
        let line = self.action.command.to_string();
        let fail = |error| ProgramError::Start { line: line.clone(), error };
        let mut command =
            self.action.command.commands(&[], false).pop().ok_or_else(|| fail(empty()))?;
        command.stdin(Stdio::null());
        if self.aside {
            command.stdout(std::io::stderr());
        }
        let group = Group::spawn(&mut command).map_err(fail)?;
        let id = group.id().as_raw_nonzero();
        let (group, _) = self.running.insert((group, Instant::now()));
        let hint = || self.action.port.as_ref().map_or("", hint);
        let died = |status| ProgramError::Died { line: line.clone(), status, hint: hint() };
        let Some(port) = &self.action.port else {
            return match tokio::time::timeout(self.action.alive.duration(), group.wait()).await {
                Err(_) => Ok(format!("started as process {id}")),
                Ok(status) => Err(died(status.map_err(fail)?)),
            };
        };
        let time = self.action.start_timeout.duration();
        let until = Instant::now() + time;
        while !is_taken(port) {
            if let Ok(status) = tokio::time::timeout(LOOK_EVERY, group.wait()).await {
                return Err(died(status.map_err(fail)?));
            }
            if Instant::now() >= until {
                let port = port.to_string();
                return Err(ProgramError::NotUp { line: line.clone(), port, time });
            }
        }
        Ok(format!("started as process {id}, listening on port {port}"))
    }

    async fn wait_until_free(&self) -> Result<(), ProgramError> {
        let Some(port) = &self.action.port else { return Ok(()) };
        let until = Instant::now() + PORT_FREE_WAIT;
        while is_taken(port) {
            if Instant::now() >= until {
                return Err(ProgramError::PortTaken { port: port.to_string() });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Waits until something happens that nobody asked for. May be dropped.
    pub(super) async fn tend(&mut self) -> Happening {
        if let Some((group, _)) = &mut self.running
            && let Ok(status) = group.wait().await
        {
            let ran = self.running.take().map_or(Duration::ZERO, |(_, since)| since.elapsed());
            if status.success() {
                return Happening::Ended(status, None);
            }
            if ran >= WELL_AFTER {
                self.failures = 0;
            }
            return Happening::Ended(status, Some(self.fail()));
        }
        match self.again_at {
            Some(at) => {
                tokio::time::sleep_until(at).await;
                self.again_at = None;
                Happening::Again
            }
            None => std::future::pending().await,
        }
    }

    /// It is to be started again, later each time.
    fn fail(&mut self) -> Duration {
        let times = 2u32.saturating_pow(self.failures.min(10));
        let after = AGAIN_AFTER.saturating_mul(times).min(AGAIN_AFTER_MAX);
        self.failures = self.failures.saturating_add(1);
        self.again_at = Some(Instant::now() + after);
        after
    }
}

/// What may be the reason of a program's end at its start.
fn hint(port: &Port) -> &'static str {
    match is_held_by_the_past(port) {
        true => {
            "; connections that are over hold its port for up to a minute (TIME_WAIT): it must set SO_REUSEADDR"
        }
        false => "",
    }
}

fn empty() -> std::io::Error {
    std::io::Error::other("the command is empty")
}
