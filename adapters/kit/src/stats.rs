//! Counts of what an adapter did.

use crate::error::{Error, ErrorKind};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What an adapter did since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Calls that ended well.
    pub succeeded: u64,
    /// Calls that failed, by [kind](ErrorKind::name); kinds that never happened are left out.
    pub failed: BTreeMap<&'static str, u64>,
    /// Calls whose caller gave up before they ended.
    pub cancelled: u64,
    /// Attempts beyond the first of a call.
    pub repeated: u64,
    /// Time spent in calls that ended, in microseconds.
    pub call_micros: u64,
    /// Calls under way now.
    pub calls: usize,
    /// Calls that wait until they may be under way.
    pub waiting: usize,
    /// Connections made, as far as the driver tells.
    pub connected: u64,
    /// Connections lost and attempts to connect that failed, as far as the driver tells.
    pub lost: u64,
    /// Whether calls fail at once because the service was down.
    pub circuit_open: bool,
}

#[derive(Default)]
pub(crate) struct Counters {
    succeeded: AtomicU64,
    failed: [AtomicU64; ErrorKind::ALL.len()],
    pub(crate) cancelled: AtomicU64,
    pub(crate) repeated: AtomicU64,
    call_micros: AtomicU64,
    pub(crate) connected: AtomicU64,
    pub(crate) lost: AtomicU64,
}

impl Counters {
    pub(crate) fn ended(&self, result: Result<(), &Error>, taken: Duration) {
        match result {
            Ok(()) => &self.succeeded,
            Err(error) => &self.failed[error.kind().index()],
        }
        .fetch_add(1, Relaxed);
        let micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
        self.call_micros.fetch_add(micros, Relaxed);
    }

    /// What was counted; the gauges are the caller's.
    pub(crate) fn snapshot(&self) -> Stats {
        let failed = ErrorKind::ALL.into_iter().zip(&self.failed);
        Stats {
            succeeded: self.succeeded.load(Relaxed),
            failed: failed
                .map(|(kind, count)| (kind.name(), count.load(Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            cancelled: self.cancelled.load(Relaxed),
            repeated: self.repeated.load(Relaxed),
            call_micros: self.call_micros.load(Relaxed),
            connected: self.connected.load(Relaxed),
            lost: self.lost.load(Relaxed),
            ..Stats::default()
        }
    }
}
