//! How the command ends, as scripts see it.

use std::process::ExitCode;

/// Exit codes; `workyard --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Done,
    /// The question was answered, with no.
    No,
    Usage,
    Unreachable,
    TimedOut,
    Refused,
    Failed,
    /// What the command said that was run.
    OfCommand(u8),
}

impl Status {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::TimedOut => 4,
            Self::Refused => 5,
            Self::Failed => 6,
            Self::OfCommand(code) => code,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
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
