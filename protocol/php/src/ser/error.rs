//! Why a Rust value has no PHP text.

use std::fmt;

/// Why a value cannot be written as PHP would.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SerError {
    /// An integer that PHP's do not reach.
    #[error("{0} does not fit into PHP's 64-bit integers: send it as text or as a float")]
    Integer(String),
    /// A map's key that a PHP array cannot have.
    #[error("{0} cannot be a key of a PHP array: use text, bytes, an integer or a bool")]
    Key(&'static str),
    /// What the type itself said.
    #[error("{0}")]
    Custom(String),
}

impl serde::ser::Error for SerError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}
