//! What a connection is to be like.

use crate::backoff::Backoff;
use crate::connector::Connector;
use crate::limits::{CALL_TIMEOUT, COMMANDS_MAX, CONNECT_TIMEOUT};
use bytes::Bytes;
use std::fmt;
use std::time::Duration;

/// What a connection is to be like. All of it has defaults.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// What the client calls itself in the server's logs.
    pub name: String,
    /// What proves who the client is, if anything.
    pub credentials: Option<Bytes>,
    /// How long one attempt to connect may take, the hello included: 5 s.
    pub connect_timeout: Duration,
    /// How long a call waits for its answer, a reconnect included: 5 s.
    pub call_timeout: Duration,
    /// The wait between two attempts to connect.
    pub backoff: Backoff,
    /// Most commands that wait to be taken by the connection: 4096.
    pub commands_max: usize,
    /// Longest frame accepted from the server. By default what the server itself accepts, and a
    /// little more for the headers of pushes.
    pub frame_bytes_max: Option<usize>,
    /// How addresses are reached: by sockets of the link's own, without.
    pub connector: Option<Connector>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: concat!("workyard-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            credentials: None,
            connect_timeout: CONNECT_TIMEOUT,
            call_timeout: CALL_TIMEOUT,
            backoff: Backoff::default(),
            commands_max: COMMANDS_MAX,
            frame_bytes_max: None,
            connector: None,
        }
    }
}

/// Credentials are not shown.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("name", &self.name)
            .field("credentials", &self.credentials.as_ref().map(|_| "..."))
            .field("connect_timeout", &self.connect_timeout)
            .field("call_timeout", &self.call_timeout)
            .field("backoff", &self.backoff)
            .field("commands_max", &self.commands_max)
            .field("frame_bytes_max", &self.frame_bytes_max)
            .field("connector", &self.connector)
            .finish()
    }
}
