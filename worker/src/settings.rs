//! What is the same in the supervisor and in each worker process.

use crate::address::{Address, AddressError};
use std::time::Duration;

/// The settings of one worker.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `none` unless it was given one.
    pub(crate) name: String,
    /// Where it listens; nowhere if it only has timers.
    pub(crate) listen: Option<Result<Address, AddressError>>,
    /// How many processes.
    pub(crate) count: u16,
    /// Whom the processes run as, if the supervisor may decide that.
    pub(crate) user: Option<String>,
    pub(crate) group: Option<String>,
    /// Each process has a socket of its own, and the system chooses among them.
    pub(crate) reuse_port: bool,
    /// Whether a reload replaces its processes.
    pub(crate) reloadable: bool,
    /// How many connections may wait to be accepted.
    pub(crate) backlog: u32,
    /// How long a process may take to stop, before it is killed.
    pub(crate) stop_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "none".to_owned(),
            listen: None,
            count: 1,
            user: None,
            group: None,
            reuse_port: false,
            reloadable: true,
            backlog: 4096,
            stop_timeout: Duration::from_secs(2),
        }
    }
}
