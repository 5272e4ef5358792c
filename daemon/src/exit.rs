//! How a daemon's process ends, as scripts and supervisors see it.

use std::process::ExitCode;

/// The exit codes of the daemons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Stopped when asked to, everybody served.
    Drained = 0,
    /// Something failed that should not.
    Failed = 1,
    /// Flags, environment or configuration file are wrong; nothing was started.
    Usage = 2,
    /// An address cannot be listened on.
    Bind = 3,
    /// Stopped when asked to, but some connections had to be cut at the deadline.
    Cut = 4,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}
