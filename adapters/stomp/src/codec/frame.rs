//! One frame: a command, headers, a body.

use super::{Command, Headers};
use bytes::Bytes;

/// One frame: a command, headers, a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it wants.
    pub command: Command,
    /// What is said about it, without `content-length` of frames that are still to be written.
    pub headers: Headers,
    /// What it carries: any bytes.
    pub body: Bytes,
}

impl Frame {
    /// A frame without headers and body.
    #[must_use]
    pub fn new(command: Command) -> Self {
        Self { command, headers: Headers::new(), body: Bytes::new() }
    }

    /// The same, with a further header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The value of the first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.find(name)
    }
}
