//! What can go wrong with a connection or with a request over it.

use crate::address::{Address, AddressError};
use std::time::Duration;
use workyard_protocol::{DecodeError, Refusal};

/// What went wrong.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be understood.
    #[error(transparent)]
    InvalidAddress(#[from] AddressError),
    /// There is no connection, or none that takes anything more. A request that fails so was not
    /// sent.
    #[error("cannot reach {address}: {cause}")]
    Unreachable {
        /// Where the server should be.
        address: Address,
        /// What every attempt came to.
        cause: String,
    },
    /// The server does not want this client.
    #[error("{address} refused the connection: {refusal}")]
    Rejected {
        /// Where the server is.
        address: Address,
        /// Its reason.
        refusal: Refusal,
    },
    /// No answer in time.
    #[error("no answer within {after:?}: whether the request was carried out is not known")]
    TimedOut {
        /// The call timeout.
        after: Duration,
    },
    /// The connection was lost before the answer.
    #[error("{reason}, before the answer came: whether the request was carried out is not known")]
    Disconnected {
        /// How the connection ended.
        reason: DisconnectReason,
    },
    /// The request belongs to a connection that is gone, and was not sent.
    #[error("the connection that this belongs to is gone: nothing was sent")]
    ConnectionReplaced,
    /// The server did not carry the request out.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The request was not sent: the server would end the connection over it.
    #[error(
        "a request of {bytes} bytes is above the server's limit of {limit}: send less at once, or \
         raise its frame_bytes_max"
    )]
    TooLarge {
        /// The size of its frame.
        bytes: usize,
        /// The longest frame that the server accepts.
        limit: usize,
    },
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
    /// The server's answer is not one to what was asked.
    #[error("the server's answer cannot be understood: {0}")]
    Malformed(#[from] DecodeError),
}

/// The part of an [`Error`] that programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is described at the error of its name")]
pub enum ErrorKind {
    InvalidAddress,
    Unreachable,
    Rejected,
    TimedOut,
    Disconnected,
    ConnectionReplaced,
    Refused,
    TooLarge,
    Closed,
    Malformed,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The server said why.
    #[error("the server ended the connection ({0})")]
    Goodbye(Refusal),
    /// The server did not say why.
    #[error("the server closed the connection")]
    ServerClosed,
    /// The server fell silent.
    #[error("nothing was heard from the server for {0:?}")]
    Silent(Duration),
    /// Reading or writing failed.
    #[error("the connection failed ({0})")]
    Io(String),
    /// The server sent what it must not send.
    #[error("the server broke the protocol ({0})")]
    Malformed(String),
    /// This client was closed.
    #[error("the client was closed")]
    Closed,
}

impl Error {
    /// The part that programs read.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidAddress(_) => ErrorKind::InvalidAddress,
            Self::Unreachable { .. } => ErrorKind::Unreachable,
            Self::Rejected { .. } => ErrorKind::Rejected,
            Self::TimedOut { .. } => ErrorKind::TimedOut,
            Self::Disconnected { .. } => ErrorKind::Disconnected,
            Self::ConnectionReplaced => ErrorKind::ConnectionReplaced,
            Self::Refused(_) => ErrorKind::Refused,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Closed => ErrorKind::Closed,
            Self::Malformed(_) => ErrorKind::Malformed,
        }
    }

    /// Whether the request may have been carried out all the same. When not, it certainly was not.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Disconnected { .. } | Self::Malformed(_))
    }
}
