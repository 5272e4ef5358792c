//! What has become of something that was to be sent, and of a connection.

use crate::protocol::ProtocolError;
use crate::scheme::WireError;
use std::fmt;
use thiserror::Error;

/// What has become of a message that was to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The operating system has all of it.
    Written,
    /// It waits: until the callback under way is over or waits itself, or until the peer has read more.
    Queued,
    /// It will not be sent.
    Refused(Refused),
}

impl Sent {
    /// Whether it was written or will be, if the connection lasts.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}

/// Why a message is not sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// The connection is closed, or about to be.
    #[error("the connection is closed")]
    Closed,
    /// Too much waits to be sent already (`send_buffer_bytes_max`).
    #[error("the peer does not read: {0} bytes wait to be sent (send_buffer_bytes_max)")]
    Full(usize),
    /// The protocol has no such message.
    #[error("not to be sent: {0}")]
    Protocol(#[from] ProtocolError),
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// It is being made.
    Connecting,
    /// Messages go both ways.
    Established,
    /// No more are taken; what is queued is written.
    Closing,
    /// It is over.
    Closed,
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connecting => "CONNECTING",
            Self::Established => "ESTABLISHED",
            Self::Closing => "CLOSING",
            Self::Closed => "CLOSED",
        })
    }
}

/// What `on_error` is told.
#[derive(Debug, Error)]
pub enum ConnectionError {
    /// A message was not sent.
    #[error("send failed: {0}")]
    Send(Refused),
    /// The connection cannot go on, and ends.
    #[error("{0}")]
    Lost(#[from] WireError),
    /// It could not be made, and ends.
    #[error("cannot connect to {address}: {reason}")]
    Connect {
        /// Where to.
        address: String,
        /// The operating system's words, or what took too long.
        reason: String,
    },
}
