//! What can go wrong with a call.

use workyard_protocol::{DecodeError, NameError, PatternError, Reason, TypedError};

/// What went wrong. [`Error::kind`] is the part that programs read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection, or the server's answer.
    #[error(transparent)]
    Link(#[from] workyard_link::Error),
    /// A name above the limit.
    #[error(transparent)]
    InvalidName(#[from] NameError),
    /// A pattern that could not match as written.
    #[error(transparent)]
    InvalidPattern(#[from] PatternError),
    /// An argument outside its bounds.
    #[error("{0}")]
    InvalidArgument(String),
    /// The value could not be encoded.
    #[error(transparent)]
    Encode(TypedError),
    /// The value is not of the type wanted.
    #[error(transparent)]
    Decode(TypedError),
    /// The job is no longer this consumer's: it went back to its queue when the connection ended, and
    /// another consumer may have it by now. Whatever was done for it may be done again.
    #[error("job {job} is no longer held here: it went back to its queue with the connection")]
    LeaseLost {
        /// The job's number.
        job: u64,
    },
}

/// The part of an [`Error`] that programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The address cannot be understood.
    InvalidAddress,
    /// There is no connection. The request was not sent.
    Unreachable,
    /// The server does not want this client.
    Rejected,
    /// No answer in time: whether the request was carried out is not known.
    TimedOut,
    /// The connection was lost: whether the request was carried out is not known.
    Disconnected,
    /// The server did not carry the request out; [`Error::reason`] says why.
    Refused,
    /// The request is larger than the server accepts, and was not sent.
    TooLarge,
    /// The client was closed.
    Closed,
    /// The server's answer cannot be understood.
    Malformed,
    /// A name above the limit.
    InvalidName,
    /// A pattern that could not match as written.
    InvalidPattern,
    /// An argument outside its bounds.
    InvalidArgument,
    /// The value could not be encoded.
    Encode,
    /// The value is not of the type wanted.
    Decode,
    /// The job is no longer held here.
    LeaseLost,
}

impl Error {
    /// The part that programs read.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Link(error) => link_kind(error.kind()),
            Self::InvalidName(_) => ErrorKind::InvalidName,
            Self::InvalidPattern(_) => ErrorKind::InvalidPattern,
            Self::InvalidArgument(_) => ErrorKind::InvalidArgument,
            Self::Encode(_) => ErrorKind::Encode,
            Self::Decode(_) => ErrorKind::Decode,
            Self::LeaseLost { .. } => ErrorKind::LeaseLost,
        }
    }

    /// The server's reason, if it was the server that refused.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Link(
                workyard_link::Error::Refused(refusal)
                | workyard_link::Error::Rejected { refusal, .. },
            ) => Some(refusal.reason),
            _ => None,
        }
    }

    /// Whether the request may have been carried out all the same. When not, it certainly was not.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        matches!(self, Self::Link(error) if error.outcome_unknown())
    }
}

fn link_kind(kind: workyard_link::ErrorKind) -> ErrorKind {
    use workyard_link::ErrorKind as Link;
    match kind {
        Link::InvalidAddress => ErrorKind::InvalidAddress,
        Link::Unreachable => ErrorKind::Unreachable,
        Link::Rejected => ErrorKind::Rejected,
        Link::TimedOut => ErrorKind::TimedOut,
        Link::Refused => ErrorKind::Refused,
        Link::TooLarge => ErrorKind::TooLarge,
        Link::Closed => ErrorKind::Closed,
        Link::Malformed => ErrorKind::Malformed,
        _ => ErrorKind::Disconnected,
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Link(error.into())
    }
}
