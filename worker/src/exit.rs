//! How commands and processes end, as scripts and supervisors see it.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    /// It was tried, and did not work.
    Failed = 1,
    /// It cannot be tried: nothing of that name, or something missing.
    Usage = 2,
    /// There is no service that runs.
    NotRunning = 3,
}

/// A worker process could not start, or a callback failed. The number is the original's.
pub(crate) const WORKER_FAILED: u8 = 250;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An exit status in one word: `0`, `250`, `SIGKILL`.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => code.to_string(),
        (None, Some(signal)) => signal_name(signal),
        (None, None) => format!("{status}"),
    }
}

fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_told_in_a_word() {
        for (raw, expected) in [(0, "0"), (250 << 8, "250"), (9, "SIGKILL"), (64, "signal 64")] {
            assert_eq!(describe(ExitStatus::from_raw(raw)), expected);
        }
    }
}
