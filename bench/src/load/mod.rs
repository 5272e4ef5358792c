//! The workloads. Each runs once against one peer and returns what it measured.

mod backlog;
mod connects;
mod deliveries;
mod due;
pub(crate) mod fanout;
mod idle;
pub(crate) mod jobs;
pub(crate) mod keys;
mod open;
mod requests;
pub(crate) mod routed;
pub(crate) mod stalled;
mod stamp;
mod store;
mod subscriptions;
#[cfg(test)]
mod tests;
mod xorshift;

pub(crate) use backlog::backlog;
pub(crate) use connects::connects;
pub(crate) use idle::idle;
pub(crate) use requests::Operation;
pub(crate) use store::fill;
pub(crate) use subscriptions::subscriptions;

use std::time::Duration;

/// How long a run measures, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
    /// Look into every frame, not only at its edges: for correctness, not for figures.
    pub(crate) verify: bool,
}
