//! Every child process, so that none outlives this one.

use crate::limits::END_SECONDS_MAX;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// The children that run, and a folder for what they write.
pub(crate) struct Children {
    list: Mutex<List>,
    folder: PathBuf,
}

#[derive(Default)]
struct List {
    running: Vec<Child>,
    /// Nothing may be started any more.
    is_closed: bool,
}

impl Children {
    pub(crate) fn new() -> Result<Self> {
        let folder = env::temp_dir().join(format!("workyard-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { list: Mutex::default(), folder })
    }

    /// Where servers may write to; it is removed in the end.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a process and returns its id.
    pub(crate) fn spawn(&self, command: &mut Command) -> Result<u32> {
        let mut list = self.list();
        if list.is_closed {
            bail!("everything is being ended");
        }
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let pid = child.id();
        list.running.push(child);
        Ok(pid)
    }

    /// How the child ended, if it did.
    pub(crate) fn exit_status(&self, pid: u32) -> Option<ExitStatus> {
        let mut list = self.list();
        let child = list.running.iter_mut().find(|child| child.id() == pid)?;
        child.try_wait().ok().flatten()
    }

    /// Returns at once, unless everything is being ended: then what fails now is no finding, and
    /// this process ends before anything more is said.
    pub(crate) fn park_if_closed(&self) {
        while self.list().is_closed {
            thread::park();
        }
    }

    /// Ends a child and waits until it is gone.
    pub(crate) fn end(&self, pid: u32) {
        let mut list = self.list();
        if let Some(index) = list.running.iter().position(|child| child.id() == pid) {
            let child = list.running.swap_remove(index);
            end(vec![child]);
        }
    }

    /// Ends all children and sees to it that there will be no others.
    pub(crate) fn end_all(&self) {
        let mut list = self.list();
        list.is_closed = true;
        end(std::mem::take(&mut list.running));
        // What is left behind in the folder for temporary files does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }

    fn list(&self) -> MutexGuard<'_, List> {
        // A list is whole at every moment: a panic elsewhere does not make it wrong.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.end_all();
    }
}

fn end(mut children: Vec<Child>) {
    for child in &mut children {
        // A child that has ended and was not waited for keeps its id: no other process is hit.
        if matches!(child.try_wait(), Ok(None)) {
            let _ = kill_process(Pid::from_child(child), Signal::TERM);
        }
    }
    let give_up = Instant::now() + END_SECONDS_MAX;
    for child in &mut children {
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < give_up {
            thread::sleep(Duration::from_millis(5));
        }
        // Both fail only when the child is gone already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_child_is_left() {
        let children = Children::new().unwrap();
        let mut sleep = Command::new("sleep");
        sleep.arg("100");
        let one = children.spawn(&mut sleep).unwrap();
        let other = children.spawn(&mut sleep).unwrap();
        assert!(children.exit_status(one).is_none());
        let is_there = |pid: u32| Path::new(&format!("/proc/{pid}")).exists();
        children.end(one);
        assert!(!is_there(one) && is_there(other));
        children.end_all();
        assert!(!is_there(other) && !children.folder().exists());
        assert!(children.spawn(&mut sleep).is_err());
    }
}
