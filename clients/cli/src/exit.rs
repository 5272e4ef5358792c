//! How the command ends, as scripts see it.

use std::process::ExitCode;

/// Exit codes; `workyard --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Done = 0,
    /// The question was answered, with no.
    No = 1,
    Usage = 2,
    Unreachable = 3,
    TimedOut = 4,
    Refused = 5,
    Failed = 6,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// A server that takes connections and then says nothing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoAnswer(pub(crate) String);

/// A mistake of whoever typed the command.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// The server took something back that it had granted.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Revoked(pub(crate) String);
