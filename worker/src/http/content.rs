//! What a response has behind its head.

use super::file::FilePart;
use super::pipe::Outlet;
use bytes::Bytes;

/// The body of a response.
#[derive(Debug)]
pub(crate) enum Content {
    /// All of it.
    Bytes(Bytes),
    /// Read while it is sent.
    File(FilePart),
    /// Comes piece by piece, and is nothing unless it is whole.
    Stream(Outlet),
    /// The same of events, which may end at any time.
    Events(Outlet),
}

impl Content {
    /// Bytes that wait in memory.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File(_) => 0,
            Self::Stream(outlet) | Self::Events(outlet) => outlet.len(),
        }
    }

    /// Whether it is known that there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Bytes(bytes) if bytes.is_empty())
    }
}
