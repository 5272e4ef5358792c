//! What the supervisor, its worker processes and the commands tell each other: lines of JSON.

use crate::orders::{ConnectionStatus, WorkerStatus};
use serde::{Deserialize, Serialize};

/// A longer line is refused.
pub(crate) const LINE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A process tells of so many of its connections.
pub(crate) const CONNECTIONS_LISTED_MAX: usize = 10_000;

/// From the supervisor to a worker process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToWorker {
    Stop,
    StopGracefully,
    Reloaded,
    Status,
    Connections,
}

/// From a worker process to the supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromWorker {
    /// It serves.
    Ready,
    /// It accepts no more connections, and ends: when it likes if that is to be graceful.
    Leaving {
        graceful: bool,
    },
    /// It ends, and why.
    Failed(String),
    /// It wants to be replaced.
    Reload,
    Status(Answer),
    Connections(Vec<ConnectionStatus>),
    Busy(Busy),
}

/// How a process is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) worker: WorkerStatus,
    /// Memory that is really there.
    pub(crate) memory_bytes: u64,
}

/// A process that does not come back from something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Busy {
    pub(crate) callback: Option<String>,
    /// 0 if it is none's.
    pub(crate) connection: u64,
    pub(crate) milliseconds: u64,
}

/// From a command to the supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    Status,
    Connections,
    Stop { graceful: bool },
    Reload { graceful: bool },
}

/// From the supervisor to a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    Status(crate::report::ServiceStatus),
    Connections(Vec<crate::report::ProcessConnections>),
    /// Its process ends, at the latest after so long, if there is a limit.
    Stopping {
        milliseconds_max: Option<u64>,
    },
    Reloaded,
    Failed(String),
}

/// From a supervisor without a terminal to the command that started it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Start {
    /// What is to be printed.
    Done(String),
    AlreadyRunning,
    /// Whoever has called it made a mistake.
    Usage(String),
    Failed(String),
}

impl Busy {
    /// `on_message of connection 7 for 12 s`
    pub(crate) fn text(&self) -> String {
        let seconds = self.milliseconds / 1000;
        let of = match self.connection {
            0 => String::new(),
            connection => format!(" of connection {connection}"),
        };
        match &self.callback {
            Some(callback) => format!("{callback}{of} for {seconds} s"),
            None => format!("for {seconds} s"),
        }
    }
}

/// A message as a line.
pub(crate) fn line(message: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("these types are all valid JSON");
    line.push(b'\n');
    line
}
