//! A signal to a process, and never to another that has got its number.

use crate::daemon::config::SignalAction;
use crate::daemon::processes::Process;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A process and its pid file begin at almost the same time, and clocks are coarse.
const SLACK: Duration = Duration::from_secs(2);
const PID_FILE_BYTES_MAX: usize = 64;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Why a signal was not sent, or did no good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignalError {
    #[error("cannot read the pid file {}: {error}; is the program running?", file.display())]
    NoFile { file: PathBuf, error: std::io::Error },
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
pub(crate) async fn send(
    action: &SignalAction,
    target: &mut Target,
) -> Result<String, SignalError> {
    let pid = match (&action.pid_file, action.pid) {
        (Some(file), _) => from_file(file)?,
        (None, Some(pid)) => {
            Pid::from_raw(pid.get()).ok_or(SignalError::Gone { pid: pid.get() })?
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
        (Some(file), _) => check_file(file, number, &process)?,
        (None, Some(before)) if !before.is_same(&process) => {
            return Err(SignalError::Other { pid: number });
        }
        (None, _) => target.began_as = Some(process),
    }
    pidfd_send_signal(descriptor, action.signal.signal()).map_err(refused)?;
    survives(pid, &process, action.alive.duration()).await?;
    Ok(format!("{} sent to process {number}", action.signal))
}

fn from_file(file: &Path) -> Result<Pid, SignalError> {
    let read = std::fs::read(file);
    let bytes = read.map_err(|error| SignalError::NoFile { file: file.to_owned(), error })?;
    let short = bytes.get(..bytes.len().min(PID_FILE_BYTES_MAX)).unwrap_or_default();
    let number = std::str::from_utf8(short).ok().and_then(|text| text.trim().parse().ok());
    let pid = number.filter(|number: &i32| *number > 1).and_then(Pid::from_raw);
    pid.ok_or_else(|| SignalError::NoNumber { file: file.to_owned() })
}

fn check_file(file: &Path, pid: i32, process: &Process) -> Result<(), SignalError> {
    let written = std::fs::metadata(file).and_then(|metadata| metadata.modified());
    let (Ok(written), Some(began)) = (written, process.began()) else { return Ok(()) };
    let reused = began.duration_since(written).is_ok_and(|later| later > SLACK);
    // A clock that was set makes times useless; then they say nothing.
    if reused && began <= SystemTime::now() {
        return Err(SignalError::Reused { pid, file: file.to_owned() });
    }
    Ok(())
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
        send(&action, &mut Target::new(&action)).await
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
        let hour = SystemTime::now() - Duration::from_secs(3600);
        std::fs::File::open(&file).unwrap().set_modified(hour).unwrap();
        assert!(matches!(sent(&file).await, Err(SignalError::Reused { .. })));
        child.kill().unwrap();
        // Ended, and nobody has waited for it.
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
