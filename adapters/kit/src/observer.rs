//! What can be observed of an adapter: every call, and what becomes of its connections.

use crate::error::Error;
use std::time::Duration;

/// Is told what happens: where metrics of the application's own come from.
///
/// Called on the task that made the call, so it must not block.
pub trait Observer: Send + Sync + 'static {
    /// A call ended.
    fn call_ended(&self, report: &CallReport<'_>) {
        let _ = report;
    }

    /// A call was given up by its caller before it ended.
    fn call_cancelled(&self, cancelled: &Cancelled<'_>) {
        let _ = cancelled;
    }

    /// A connection was made or lost. Only adapters whose driver tells report this.
    fn connection(&self, event: &ConnectionEvent<'_>) {
        let _ = event;
    }
}

/// A call that ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallReport<'a> {
    /// `mysql`, `redis`, …
    pub service: &'static str,
    /// Where the service is.
    pub target: &'a str,
    /// What was called: one of few words.
    pub operation: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// How long it took, waiting and all attempts included.
    pub taken: Duration,
    /// How it ended.
    pub result: Result<(), &'a Error>,
}

/// A call that was given up by its caller, who dropped its future.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Cancelled<'a> {
    /// `mysql`, `redis`, …
    pub service: &'static str,
    /// Where the service is.
    pub target: &'a str,
    /// What was called: one of few words.
    pub operation: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// How long it was under way or waited.
    pub taken: Duration,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ConnectionEvent<'a> {
    /// It was made, for the first time or again.
    Connected {
        /// `mysql`, `redis`, …
        service: &'static str,
        /// Where the service is.
        target: &'a str,
    },
    /// It was lost, or could not be made.
    Lost {
        /// `mysql`, `redis`, …
        service: &'static str,
        /// Where the service is.
        target: &'a str,
        /// Why.
        error: &'a Error,
    },
}
