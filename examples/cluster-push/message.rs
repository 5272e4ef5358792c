//! What the processes say to each other, and over which channels.

use serde::{Deserialize, Serialize};

/// Every pusher subscribes to this channel: its messages are for all clients.
pub(crate) const EVERYBODY: &str = "push.all";

/// The channel of one pusher.
pub(crate) fn channel_of(worker_id: u16) -> String {
    format!("push.worker.{worker_id}")
}

/// A message for one client of one pusher.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Direct {
    /// Which client.
    pub(crate) connection_id: u64,
    /// What to tell it.
    pub(crate) content: String,
}

/// The first thing that a client is told: where it can be reached.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Welcome {
    /// The process that holds it.
    pub(crate) worker_id: u16,
    /// Its number there.
    pub(crate) connection_id: u64,
}
