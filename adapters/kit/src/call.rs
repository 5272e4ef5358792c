//! One call, as the guard needs to know it.

use crate::error::{Error, ErrorKind};
use std::time::Duration;

/// What is called, and when it may be made again.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub(crate) operation: &'static str,
    pub(crate) repeat: Repeat,
    pub(crate) request_timeout: Option<Duration>,
}

/// When a call that failed in passing may be made again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Repeat {
    /// Always: it reads, or doing it twice is the same as doing it once.
    Freely,
    /// Only if it certainly was not carried out: what every write gets.
    #[default]
    IfUnsent,
    /// Not at all: it belongs to a transaction or to a connection.
    Never,
}

impl Call {
    /// A call that is made again only if it certainly was not carried out. `operation` is what metrics
    /// and errors name: one of few, never made of data.
    #[must_use]
    pub const fn new(operation: &'static str) -> Self {
        Self { operation, repeat: Repeat::IfUnsent, request_timeout: None }
    }

    /// The same, with another rule for making it again.
    #[must_use]
    pub const fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// The same, for a call that may take longer or less than others: an attempt waits for its answer as
    /// long as this, and the bound on the call as a whole is moved by as much.
    #[must_use]
    pub const fn within(mut self, request_timeout: Duration) -> Self {
        self.request_timeout = Some(request_timeout);
        self
    }
}

impl Repeat {
    pub(crate) fn allows(self, error: &Error) -> bool {
        let safe = match self {
            Self::Freely => true,
            Self::IfUnsent => !error.outcome_unknown(),
            Self::Never => false,
        };
        // More of what was refused because there is too much of it would not help.
        let refused = matches!(error.kind(), ErrorKind::Busy | ErrorKind::CircuitOpen);
        safe && error.is_transient() && !refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind::{Busy, Disconnected, Server, Unreachable};

    #[test]
    fn a_call_is_made_again_only_where_that_is_safe_and_of_use() {
        let lost = || Error::new(Disconnected, "");
        let cases = [
            (Repeat::Freely, lost(), true),
            (Repeat::IfUnsent, lost(), false),
            (Repeat::IfUnsent, lost().not_carried_out(), true),
            (Repeat::IfUnsent, Error::new(Unreachable, ""), true),
            (Repeat::Never, Error::new(Unreachable, ""), false),
            (Repeat::Freely, Error::new(Server, ""), false),
            (Repeat::Freely, Error::new(Busy, ""), false),
            (Repeat::IfUnsent, Error::new(Server, "").transient(true), true),
        ];
        for (repeat, error, expected) in cases {
            assert_eq!(repeat.allows(&error), expected, "{repeat:?} {error:?}");
        }
    }
}
