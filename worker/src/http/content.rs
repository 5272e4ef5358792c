//! What a response has behind its head.

use bytes::Bytes;

/// The body of a response.
#[derive(Debug)]
pub(crate) enum Content {
    /// All of it.
    Bytes(Bytes),
}

impl Content {
    /// Bytes that wait in memory.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}
