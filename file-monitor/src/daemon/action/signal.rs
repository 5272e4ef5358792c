//! A signal to a process, and never to another that has got its number.

use crate::daemon::config::SignalAction;
use crate::daemon::processes::Process;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A process and its pid file begin at almost the same time, and clocks are coarse.
const SLACK: Duration = Duration::from_secs(2);
const PID_FILE_BYTES_MAX: u64 = 64;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Why a signal was not sent, or did no good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignalError {
    #[error("cannot read the pid file {}: {error}; is the program running?", file.display())]
    NoFile { file: PathBuf, error: std::io::Error },
    #[error("{} is no pid file, as it is no regular file", file.display())]
    NoRegular { file: PathBuf },
    #[error("the pid file {} holds no process number", file.display())]
    NoNumber { file: PathBuf },
    #[error("process {pid} does not run; the pid file {} is stale", file.display())]
    Stale { pid: i32, file: PathBuf },
    #[error("process {pid} does not run any more")]
    Gone { pid: i32 },
    #[error("process {pid} began after the pid file {} was written: it has got the number of one that is gone", file.display())]
    Reused { pid: i32, file: PathBuf },
    #[error("process {pid} is another than when the monitor began")]
    Other { pid: i32 },
    #[error("cannot send {signal} to process {pid}: {error}")]
    Refused { pid: i32, signal: String, error: Errno },
    #[error("process {pid} ended {} after the signal", humantime::format_duration(*after))]
    Died { pid: i32, after: Duration },
}

/// What is remembered of the process that a number named at the beginning.
#[derive(Debug)]
pub(crate) struct Target {
    began_as: Option<Process>,
}

impl Target {
    pub(crate) fn new(action: &SignalAction) -> Self {
        let pid = action.pid.and_then(|pid| Pid::from_raw(pid.get()));
        Self { began_as: pid.and_then(Process::look) }
    }
}

/// Sends it, and waits to see whether the process survives.
pub(crate) async fn send(action: &SignalAction, target: &Target) -> Result<String, SignalError> {
    let (pid, written) = match (&action.pid_file, action.pid) {
        (Some(file), _) => from_file(file)?,
        (None, Some(pid)) => {
            (Pid::from_raw(pid.get()).ok_or(SignalError::Gone { pid: pid.get() })?, None)
        }
        (None, None) => return Err(SignalError::Gone { pid: 0 }),
    };
    let number = pid.as_raw_nonzero().get();
    let gone = || match &action.pid_file {
        Some(file) => SignalError::Stale { pid: number, file: file.clone() },
        None => SignalError::Gone { pid: number },
    };
    // From here on the descriptor stands for the process, whatever becomes of the number.
    let refused = |error| match error {
        Errno::SRCH => gone(),
        error => SignalError::Refused { pid: number, signal: action.signal.to_string(), error },
    };
    let descriptor = pidfd_open(pid, PidfdFlags::empty()).map_err(refused)?;
    let process = Process::look(pid).filter(Process::runs).ok_or_else(gone)?;
    match (&action.pid_file, &target.began_as) {
        (Some(file), _) if is_younger(&process, written) => {
            return Err(SignalError::Reused { pid: number, file: file.clone() });
        }
        (None, before) if !before.is_some_and(|before| before.is_same(&process)) => {
            return Err(SignalError::Other { pid: number });
        }
        _ => {}
    }
    pidfd_send_signal(descriptor, action.signal.signal()).map_err(refused)?;
    survives(pid, &process, action.alive.duration()).await?;
    Ok(format!("{} sent to process {number}", action.signal))
}

/// The number in a pid file, and when that was written.
fn from_file(file: &Path) -> Result<(Pid, Option<SystemTime>), SignalError> {
    let failed = |error| SignalError::NoFile { file: file.to_owned(), error };
    // To open a pipe would wait for who writes into it.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open =
        rustix::fs::open(file, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
    let open = File::from(open);
    let metadata = open.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(SignalError::NoRegular { file: file.to_owned() });
    }
    let mut bytes = Vec::new();
    open.take(PID_FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
    let pid = number.filter(|number: &i32| *number > 1).and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| SignalError::NoNumber { file: file.to_owned() })?;
    Ok((pid, metadata.modified().ok()))
}

/// Whether a process began after its number was written down. What is not known says nothing.
fn is_younger(process: &Process, written: Option<SystemTime>) -> bool {
    let (Some(written), Some(began)) = (written, process.began()) else { return false };
    began.duration_since(written).is_ok_and(|later| later > SLACK)
}

async fn survives(pid: Pid, process: &Process, time: Duration) -> Result<(), SignalError> {
    let begin = tokio::time::Instant::now();
    while begin.elapsed() < time {
        tokio::time::sleep(LOOK_EVERY.min(time)).await;
        let now = Process::look(pid).filter(Process::runs);
        if !now.is_some_and(|now| now.is_same(process)) {
            let after =
                Duration::from_millis(u64::try_from(begin.elapsed().as_millis()).unwrap_or(0));
            return Err(SignalError::Died { pid: pid.as_raw_nonzero().get(), after });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::signal_name::SignalName;
    use std::process::{Child, Command};

    fn action(file: &Path) -> SignalAction {
        let alive = Duration::from_millis(100).into();
        SignalAction { pid: None, pid_file: Some(file.to_owned()), signal: SignalName::USR1, alive }
    }

    async fn sent(file: &Path) -> Result<String, SignalError> {
        let action = action(file);
        send(&action, &Target::new(&action)).await
    }

    /// A process that counts signals of the kind, or dies of them.
    fn process(script: &str) -> Child {
        let mut child = Command::new("sh").args(["-c", script]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        assert!(child.try_wait().unwrap().is_none());
        child
    }

    #[tokio::test]
    async fn a_pid_file_is_missing_wrong_stale_or_older_than_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.pid");
        assert!(matches!(sent(&file).await, Err(SignalError::NoFile { .. })));
        for text in ["", "x", "-5", "0", "1", "99999999999"] {
            std::fs::write(&file, text).unwrap();
            assert!(matches!(sent(&file).await, Err(SignalError::NoNumber { .. })), "{text}");
        }
        let mut child = process("trap : USR1; while :; do sleep 0.05; done");
        std::fs::write(&file, format!("{}\n", child.id())).unwrap();
        assert!(sent(&file).await.is_ok());
        // Also by a clock that was set since the system began.
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(24 * 3600);
        File::open(&file).unwrap().set_modified(long_ago).unwrap();
        assert!(matches!(sent(&file).await, Err(SignalError::Reused { .. })));
        child.kill().unwrap();
        // Ended, and nobody has waited for it.
        let pid = Pid::from_child(&child);
        while Process::look(pid).is_some_and(|process| process.runs()) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::fs::write(&file, child.id().to_string()).unwrap();
        assert!(matches!(sent(&file).await, Err(SignalError::Stale { .. })));
        child.wait().unwrap();
        assert!(matches!(sent(&file).await, Err(SignalError::Stale { .. })));
    }

    #[tokio::test]
    async fn a_process_that_dies_of_the_signal_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.pid");
        let mut child = process("while :; do sleep 0.05; done");
        std::fs::write(&file, child.id().to_string()).unwrap();
        assert!(matches!(sent(&file).await, Err(SignalError::Died { .. })));
        child.wait().unwrap();
    }
}
