//! What a service says of itself, for `status --json` and `connections --json`.

use crate::orders::{ConnectionStatus, WorkerStatus};
use serde::{Deserialize, Serialize};

/// All of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceStatus {
    pub(crate) name: String,
    /// Of the runtime.
    pub(crate) version: String,
    /// Of the supervisor.
    pub(crate) pid: u32,
    pub(crate) daemon: bool,
    /// Seconds since 1970.
    pub(crate) started_at: u64,
    pub(crate) load_average: [f64; 3],
    pub(crate) workers: Vec<WorkerLine>,
    /// By pid.
    pub(crate) processes: Vec<ProcessStatus>,
}

/// One worker, which is one or more processes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkerLine {
    pub(crate) name: String,
    pub(crate) transport: String,
    pub(crate) listen: Option<String>,
    pub(crate) user: String,
    pub(crate) count: u16,
    /// How its processes ended, other than by being replaced.
    pub(crate) exits: Vec<Exits>,
}

/// An exit status, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exits {
    pub(crate) status: String,
    pub(crate) count: u64,
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessStatus {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) id: u16,
    pub(crate) listen: Option<String>,
    pub(crate) state: ProcessState,
    /// What it does not come back from.
    pub(crate) busy: Option<String>,
    /// Nothing if it did not answer.
    pub(crate) memory_bytes: Option<u64>,
    /// Nothing if it did not answer.
    pub(crate) worker: Option<WorkerStatus>,
}

/// What a process is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProcessState {
    Starting,
    Idle,
    /// It did not answer within a second.
    Busy,
    Leaving,
}

/// The connections of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessConnections {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) id: u16,
    /// Nothing if it did not answer.
    pub(crate) connections: Option<Vec<ConnectionStatus>>,
}
