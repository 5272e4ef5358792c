//! What can go wrong with a call.

use workyard_protocol::channel::TooLongError;
use workyard_protocol::{
    DecodeError, DelayError, NameError, PatternError, Reason, TypedError, Value,
};

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
    /// The job is no longer this consumer's: its lease ran out or ended with the connection, and another
    /// consumer may have it by now. Whatever was done for it may be done again.
    #[error("job {job} is no longer held here: its lease is over, and the job back in its queue")]
    LeaseLost {
        /// The job's number.
        job: u64,
    },
    /// Whoever was asked will not do it.
    #[error("the responder declined: {value}")]
    Declined {
        /// What it says.
        value: Value,
    },
    /// No answer came to a request.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// An answer came too late: the asker gave up, or is gone.
    #[error("question {question} does not wait for an answer any more")]
    TooLate {
        /// The question's number.
        question: u64,
    },
}

/// Why a request that was sent has no answer. Whether it was dealt with is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// Time ran out.
    #[error("no answer in time: whether the responder deals with the request is not known")]
    TimedOut,
    /// The responder was gone before it answered.
    #[error("the responder was gone before it answered: what it had done by then is not known")]
    ResponderGone,
    /// There was an answer, and the server had no room to keep it: this client reads too slowly.
    #[error("the answer was dropped by the server, as this client did not read it")]
    Dropped,
    /// The connection was lost.
    #[error("the connection was lost before the answer came")]
    Disconnected,
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
    /// Nobody serves the channel that was asked.
    NoResponders,
    /// Whoever was asked will not do it.
    Declined,
    /// Whoever was asked is gone, or its answer is.
    Unanswered,
    /// Nobody waits for the answer any more.
    TooLate,
}

impl Error {
    /// The part that programs read.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            _ if self.reason() == Some(Reason::NoResponders) => ErrorKind::NoResponders,
            Self::Link(error) => link_kind(error.kind()),
            Self::InvalidName(_) => ErrorKind::InvalidName,
            Self::InvalidPattern(_) => ErrorKind::InvalidPattern,
            Self::InvalidArgument(_) => ErrorKind::InvalidArgument,
            Self::Encode(_) => ErrorKind::Encode,
            Self::Decode(_) => ErrorKind::Decode,
            Self::LeaseLost { .. } => ErrorKind::LeaseLost,
            Self::Declined { .. } => ErrorKind::Declined,
            Self::Unanswered(Unanswered::TimedOut) => ErrorKind::TimedOut,
            Self::Unanswered(Unanswered::Disconnected) => ErrorKind::Disconnected,
            Self::Unanswered(Unanswered::ResponderGone | Unanswered::Dropped) => {
                ErrorKind::Unanswered
            }
            Self::TooLate { .. } => ErrorKind::TooLate,
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
        match self {
            Self::Link(error) => error.outcome_unknown(),
            Self::Unanswered(_) => true,
            _ => false,
        }
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

impl From<DelayError> for Error {
    fn from(error: DelayError) -> Self {
        Self::InvalidArgument(error.to_string())
    }
}

impl From<TooLongError> for Error {
    fn from(error: TooLongError) -> Self {
        Self::InvalidArgument(error.to_string())
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Link(error.into())
    }
}
