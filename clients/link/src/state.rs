//! What is known of the connection from outside its task.

use crate::address::Address;
use crate::error::{DisconnectReason, Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// The server at the other end, as its welcome described it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// Where it was reached.
    pub address: Address,
    /// Its name and version, for logs.
    pub name: String,
    /// The version of the protocol that both speak.
    pub version: u16,
    /// Another number for every start of the server: what it kept in memory is gone when it changes.
    pub epoch: u64,
    /// This connection's number in the server's logs.
    pub session: u64,
    /// This connection's number in this client: 1 for the first.
    pub connection: u64,
    /// How often either side must be heard; zero for never.
    pub heartbeat: Duration,
    /// The longest frame that the server accepts.
    pub frame_bytes_max: usize,
}

/// The state that handles can wait on.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// Who is connected to, if anybody.
    pub(crate) server: Option<Arc<Server>>,
    /// How many connections there have been.
    pub(crate) connections: u64,
    /// How many of them ended with messages on the way that nobody waited for.
    pub(crate) losses: u64,
    /// How the last of these ended.
    pub(crate) lost_by: Option<DisconnectReason>,
    /// Why there is no connection, as far as is known.
    pub(crate) failure: Option<Error>,
    pub(crate) closed: bool,
}

/// The part of the state that every call looks at.
#[derive(Debug)]
pub(crate) struct Glance {
    /// Twice the number of the connection, and one more while it is there.
    phase: AtomicU64,
    frame_bytes_max: AtomicUsize,
}

impl Default for Glance {
    fn default() -> Self {
        // What no frame can be longer than: the connection looks again once it has been welcomed.
        let frame_bytes_max = AtomicUsize::new(u32::MAX as usize);
        Self { phase: AtomicU64::new(0), frame_bytes_max }
    }
}

impl Glance {
    pub(crate) fn connected(&self, server: &Server) {
        self.frame_bytes_max.store(server.frame_bytes_max, Ordering::Release);
        self.phase.store(server.connection * 2 + 1, Ordering::Release);
    }

    pub(crate) fn disconnected(&self, connection: u64) {
        self.phase.store(connection * 2, Ordering::Release);
    }

    pub(crate) fn phase(&self) -> u64 {
        self.phase.load(Ordering::Acquire)
    }

    /// The number of the connection that is there.
    pub(crate) fn connection(&self) -> Option<u64> {
        let phase = self.phase();
        (phase % 2 == 1).then_some(phase / 2)
    }

    /// The longest frame that the server accepts, as far as is known.
    pub(crate) fn frame_bytes_max(&self) -> usize {
        self.frame_bytes_max.load(Ordering::Acquire)
    }
}
