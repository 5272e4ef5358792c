//! What can go wrong with a call.

use workyard_protocol::{DecodeError, NameError, Number, Reason, Refusal, TypedError};

/// What went wrong. [`Error::kind`] is the part that programs read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection, or the server's answer.
    #[error(transparent)]
    Link(#[from] workyard_link::Error),
    /// A key above the limit.
    #[error(transparent)]
    InvalidName(#[from] NameError),
    /// An argument outside its bounds.
    #[error("{0}")]
    InvalidArgument(String),
    /// The value could not be encoded.
    #[error(transparent)]
    Encode(TypedError),
    /// The value is not of the type wanted.
    #[error(transparent)]
    Decode(TypedError),
    /// Others kept changing the variable.
    #[error(
        "gave up after {attempts} attempts: others keep changing {key:?}; let one task change it, or \
         use increment"
    )]
    Contended {
        /// The variable.
        key: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The keys of a batch lie on several servers, which cannot act as one.
    #[error("{one:?} and {other:?} lie on different servers: a batch takes place on one")]
    CrossShard {
        /// A key.
        one: String,
        /// A key on another server.
        other: String,
    },
    /// A step of a batch could not be carried out; nothing of the batch was.
    #[error("step {step} of the batch: {refusal}; nothing was changed")]
    StepRefused {
        /// Which step, counted from 0.
        step: usize,
        /// Why.
        refusal: Refusal,
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
    /// The server did not carry the request, or a step of it, out; [`Error::reason`] says why.
    Refused,
    /// The request is larger than the server accepts, and was not sent.
    TooLarge,
    /// The client was closed.
    Closed,
    /// The server's answer cannot be understood.
    Malformed,
    /// A key above the limit.
    InvalidName,
    /// An argument outside its bounds.
    InvalidArgument,
    /// The value could not be encoded.
    Encode,
    /// The value is not of the type wanted.
    Decode,
    /// Others kept changing the variable.
    Contended,
    /// The keys of a batch lie on several servers.
    CrossShard,
}

/// A conditional write did not happen: the variable was not as expected, and stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the variable was not as expected: {}", match .current {
    Some(revision) => format!("it is at revision {revision}"),
    None => "it does not exist".to_owned(),
})]
pub struct Conflict {
    /// The variable's revision; nothing when it does not exist.
    pub current: Option<u64>,
}

/// A bounded addition did not happen: the sum would be out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the sum would be out of bounds: the variable stays {current}")]
pub struct OutOfBounds {
    /// What the variable is; what it would count as if it existed, when it does not.
    pub current: Number,
}

impl Conflict {
    /// From the wire, where 0 stands for a variable that does not exist.
    pub(crate) fn new(current: u64) -> Self {
        Self { current: (current != 0).then_some(current) }
    }
}

impl Error {
    /// The part that programs read.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Link(error) => link_kind(error.kind()),
            Self::InvalidName(_) => ErrorKind::InvalidName,
            Self::InvalidArgument(_) => ErrorKind::InvalidArgument,
            Self::Encode(_) => ErrorKind::Encode,
            Self::Decode(_) => ErrorKind::Decode,
            Self::Contended { .. } => ErrorKind::Contended,
            Self::CrossShard { .. } => ErrorKind::CrossShard,
            Self::StepRefused { .. } => ErrorKind::Refused,
        }
    }

    /// The server's reason, if it was the server that refused.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::StepRefused { refusal, .. }
            | Self::Link(
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
