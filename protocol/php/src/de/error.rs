//! Why a text is not a value of the type asked for.

use crate::error::{Error, ErrorKind};
use crate::limits::{REPEATED_BYTES_MAX, TYPED_DEPTH_MAX};
use std::fmt;

/// Why a text cannot be read as a Rust value, and where that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeError {
    at: Option<usize>,
    kind: DeErrorKind,
}

/// What kept a text from being read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeErrorKind {
    /// It is no serialized value.
    #[error(transparent)]
    Text(ErrorKind),
    /// The value ends before the text does.
    #[error("the value ends here, and {bytes} bytes follow it")]
    LeftOver {
        /// How many.
        bytes: usize,
    },
    /// The type has fewer entries than the array.
    #[error("the type is complete, but {0} entries are left")]
    EntriesLeft(usize),
    /// A sequence was asked for, and the array has other keys.
    #[error(
        "key {key} where {due} was due: a sequence has the keys 0, 1, 2, …; read a map, or send \
         array_values()"
    )]
    NotAList {
        /// The key met.
        key: String,
        /// The key that a list has there.
        due: usize,
    },
    /// An enum was asked for.
    #[error("an enum is a string, its variant's name, or an array of one entry: name => data")]
    Variant,
    /// A reference to a value that the reference is part of.
    #[error("a reference to a value around it: what contains itself is no Rust value")]
    Cycle,
    /// References to values with references, or many to a large one.
    #[error("references repeat more than {REPEATED_BYTES_MAX} bytes: send fewer copies")]
    Repeated,
    /// The contents of an object in the form `C:` are known to its class alone.
    #[error("an object in PHP's old form C: has no properties to read")]
    Opaque,
    /// Deeper than a stack should have to bear.
    #[error("more than {TYPED_DEPTH_MAX} arrays and objects stand inside each other")]
    TooDeep,
    /// What the type itself said.
    #[error("{0}")]
    Type(String),
}

impl DeError {
    /// What was wrong.
    #[must_use]
    pub fn kind(&self) -> &DeErrorKind {
        &self.kind
    }

    /// How many bytes had been read.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        self.at
    }

    /// The same, found at that byte if it is not known to be elsewhere.
    pub(super) fn or_at(self, at: usize) -> Self {
        Self { at: self.at.or(Some(at)), ..self }
    }
}

impl DeErrorKind {
    pub(super) fn at(self, at: usize) -> DeError {
        DeError { at: Some(at), kind: self }
    }
}

impl From<Error> for DeError {
    fn from(Error { at, kind }: Error) -> Self {
        DeErrorKind::Text(kind).at(at)
    }
}

impl fmt::Display for DeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "at byte {at}: {}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}

impl std::error::Error for DeError {}

impl serde::de::Error for DeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { at: None, kind: DeErrorKind::Type(message.to_string()) }
    }
}
