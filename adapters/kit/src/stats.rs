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

impl Stats {
    /// What two parts of an adapter did together. The circuit is open when one of theirs is.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (kind, count) in other.failed {
            *self.failed.entry(kind).or_default() += count;
        }
        Self {
            succeeded: self.succeeded + other.succeeded,
            failed: self.failed,
            cancelled: self.cancelled + other.cancelled,
            repeated: self.repeated + other.repeated,
            call_micros: self.call_micros + other.call_micros,
            calls: self.calls + other.calls,
            waiting: self.waiting + other.waiting,
            connected: self.connected + other.connected,
            lost: self.lost + other.lost,
            circuit_open: self.circuit_open || other.circuit_open,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        let error = Error::new(ErrorKind::Busy, "");
        let [first, second] = [Counters::default(), Counters::default()];
        for counters in [&first, &second] {
            counters.ended(Ok(()), Duration::from_micros(3));
            counters.ended(Err(&error), Duration::from_micros(4));
            counters.cancelled.fetch_add(1, Relaxed);
            counters.repeated.fetch_add(2, Relaxed);
            counters.connected.fetch_add(3, Relaxed);
            counters.lost.fetch_add(4, Relaxed);
        }
        let open = Stats { calls: 5, waiting: 6, circuit_open: true, ..second.snapshot() };
        let both = first.snapshot().and(open.clone());
        assert_eq!((both.succeeded, both.failed["busy"], both.call_micros), (2, 2, 14));
        assert_eq!((both.cancelled, both.repeated), (2, 4));
        assert_eq!((both.connected, both.lost), (6, 8));
        assert_eq!((both.calls, both.waiting, both.circuit_open), (5, 6, true));
        assert_eq!(open.clone().and(Stats::default()), open);
    }
}
