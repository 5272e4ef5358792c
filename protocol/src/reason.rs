//! Why a peer was refused: a number that programs read, a name, and a text for people.

use std::borrow::Cow;
use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $Name:ident = $code:literal,)*) => {
        /// A refusal's number on the wire. Codes are API and never change; texts may.
        ///
        /// 100 to 199 end the connection, 200 to 299 refuse one request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $Name,)*
            /// A code that this version does not know.
            Other(u16),
        }

        impl Reason {
            /// Every reason that this version knows.
            pub const ALL: &[Self] = &[$(Self::$Name),*];

            /// The number that travels.
            #[must_use]
            pub fn code(self) -> u16 {
                match self { $(Self::$Name => $code,)* Self::Other(code) => code }
            }

            /// The reason of a number.
            #[must_use]
            pub fn from_code(code: u16) -> Self {
                match code { $($code => Self::$Name,)* other => Self::Other(other) }
            }

            /// Whether the connection ends with it; else only one request was refused.
            #[must_use]
            pub fn ends_connection(self) -> bool {
                self.code() < 200
            }

            /// The name used in documents, logs and `--json`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$Name => stringify!($Name),)* Self::Other(_) => "Other" }
            }
        }
    };
}

reasons! {
    /// A frame length of 0 to 3.
    BadLength = 100,
    /// A frame above the limit.
    FrameTooLarge = 101,
    /// The first bytes are no hello and no dialect that this server speaks.
    ExpectedHello = 102,
    /// No version in common.
    VersionUnsupported = 103,
    /// The client wants another service than the one on this port.
    WrongService = 104,
    /// A frame that does not decode.
    Malformed = 105,
    /// A second hello, or a frame that only servers send.
    UnexpectedFrame = 106,
    /// No hello in time.
    HelloTimeout = 107,
    /// Nothing was heard from the peer for too long.
    HeartbeatTimeout = 108,
    /// The server is stopping; reconnect.
    ShuttingDown = 109,
    /// The receiver was too slow, and its policy is to be disconnected.
    SlowConsumer = 110,
    /// The server has as many sessions as it may.
    TooManySessions = 111,
    /// All connections together hold as much unfinished input as the server may.
    Overloaded = 112,

    /// An operation that this version does not know.
    UnknownOperation = 200,
    /// A channel, queue or group name or key above the limit.
    InvalidName = 201,
    /// A pattern that could not match as written.
    InvalidPattern = 202,
    /// A bound of the server or of the session is reached; the text names it.
    LimitReached = 203,
    /// The key does not exist, and no initial value was given.
    NotFound = 204,
    /// The value is not a number.
    NotANumber = 205,
    /// The result is not a 64-bit integer or a finite float.
    OutOfRange = 206,
    /// The session has no such lease: it never had, or the lease is over.
    UnknownJob = 207,
    /// This session does not consume that queue.
    NotConsuming = 208,
    /// An argument outside its bounds; the text names it.
    InvalidArgument = 209,
    /// The answer would not fit into a frame; ask for less at once.
    ReplyTooLarge = 210,
    /// A session holds the job; it can be removed when it has come back.
    JobLeased = 211,

    /// A number of a batch would be out of the bounds given; the text has the number that it is.
    OutOfBounds = 223,
    /// The value is of a kind that the operation is not for; the text names it.
    WrongKind = 224,
    /// The lock has another number of permits than the request names.
    PermitsDiffer = 226,
    /// What was to happen depends on a lock that is not held with this token, or not any more.
    Fenced = 227,
    /// Nobody serves the channel that a question was asked on.
    NoResponders = 230,
    /// Everybody who serves it has too much to do, or does not read.
    RespondersBusy = 231,
    /// The question does not wait for an answer from this session, or not any more.
    UnknownQuestion = 232,
    /// No messages are kept by a rule of exactly this pattern.
    UnknownRule = 215,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(code) => write!(f, "reason {code}"),
            known => f.write_str(known.name()),
        }
    }
}

/// A reason with its text: what was wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {text}")]
pub struct Refusal {
    /// The part that programs read.
    pub reason: Reason,
    /// The part that people read.
    pub text: Cow<'static, str>,
}

impl Refusal {
    /// A refusal with its text.
    pub fn new(reason: Reason, text: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, text: text.into() }
    }
}

impl From<crate::NameError> for Refusal {
    fn from(error: crate::NameError) -> Self {
        Self::new(Reason::InvalidName, error.to_string())
    }
}

impl From<crate::TtlError> for Refusal {
    fn from(error: crate::TtlError) -> Self {
        Self::new(Reason::InvalidArgument, error.to_string())
    }
}

impl From<crate::container::ContainerError> for Refusal {
    fn from(error: crate::container::ContainerError) -> Self {
        Self::new(Reason::InvalidArgument, error.to_string())
    }
}

impl From<crate::DelayError> for Refusal {
    fn from(error: crate::DelayError) -> Self {
        Self::new(Reason::InvalidArgument, error.to_string())
    }
}

impl From<crate::channel::TooLongError> for Refusal {
    fn from(error: crate::channel::TooLongError) -> Self {
        Self::new(Reason::InvalidArgument, error.to_string())
    }
}

impl From<crate::PatternError> for Refusal {
    fn from(error: crate::PatternError) -> Self {
        Self::new(Reason::InvalidPattern, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_come_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), *reason);
        }
        assert_eq!(Reason::from_code(9999), Reason::Other(9999));
    }
}
