//! What a worker process is told while it runs, and what it tells of itself.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// What a worker is told by its process.
#[derive(Debug)]
pub(crate) enum Order {
    /// Leave now: connections are closed, without waiting for them.
    Stop,
    /// Leave when the last connection has gone.
    StopGracefully,
    /// A reload concerns others; this worker only hears of it.
    Reloaded,
    /// How is it?
    Status(oneshot::Sender<WorkerStatus>),
    /// Who is connected?
    Connections(oneshot::Sender<Vec<ConnectionStatus>>),
}

/// What a worker says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Connections that are open, those that it made itself included.
    pub connections: u64,
    /// Messages that could not be sent.
    pub send_fail: u64,
    /// Timers that are running.
    pub timers: u64,
    /// Messages that it has received since it started.
    pub total_request: u64,
}

/// One connection of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionStatus {
    /// Its number in its process.
    pub id: u64,
    /// `tcp`, `udp`, `unix` or `ssl`.
    pub transport: String,
    /// The protocol on top of it.
    pub protocol: String,
    /// Bytes received that are not a whole message yet.
    pub receive_queue: u64,
    /// Bytes that wait to be sent.
    pub send_queue: u64,
    /// All bytes received.
    pub bytes_read: u64,
    /// All bytes sent.
    pub bytes_written: u64,
    /// `ESTABLISHED`, `CLOSING` and so on.
    pub state: String,
    /// The address here.
    pub local: String,
    /// The address there.
    pub remote: String,
}
