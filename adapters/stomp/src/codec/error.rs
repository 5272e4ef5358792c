//! What is wrong with a frame.

use std::fmt;
use std::io;

/// Why bytes are no frame, or a frame has no bytes.
#[derive(Debug)]
pub struct CodecError {
    flaw: Flaw,
    message: String,
    subscription: Option<String>,
}

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// The bytes are no frame of this version.
    Malformed,
    /// The frame cannot be said in this version.
    Unsayable,
    /// Something is above its limit.
    TooLarge,
    /// The socket failed; the kind of its error.
    Lost(io::ErrorKind),
}

impl CodecError {
    pub(super) fn new(flaw: Flaw, message: impl fmt::Display) -> Self {
        Self { flaw, message: message.to_string(), subscription: None }
    }

    pub(super) fn of_subscription(mut self, id: Option<&str>) -> Self {
        self.subscription = id.map(str::to_owned);
        self
    }

    /// What kind of error it is.
    #[must_use]
    pub fn flaw(&self) -> Flaw {
        self.flaw
    }

    /// The subscription whose message it is that cannot be read, where that was said before what is wrong.
    #[must_use]
    pub fn subscription(&self) -> Option<&str> {
        self.subscription.as_deref()
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CodecError {}

impl From<io::Error> for CodecError {
    fn from(error: io::Error) -> Self {
        Self::new(Flaw::Lost(error.kind()), error)
    }
}
