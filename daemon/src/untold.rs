//! What peers cannot be told because their dialect has no words for it: counted, and logged at most
//! once a second.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use workyard_engine::{SessionId, Time};
use workyard_protocol::Refusal;

/// How long the log is left alone, in milliseconds.
const QUIET_MS: u64 = 1000;

/// Refusals that peers were not told of.
#[derive(Debug, Default)]
pub struct Untold {
    total: u64,
    losses: UntoldLosses,
}

impl Untold {
    /// Counts a refusal, and logs it with the number of those before that were not.
    pub fn count(&mut self, now: Time, session: SessionId, refusal: &Refusal) {
        self.total += 1;
        if let Some(count) = self.losses.add_at(now.as_millis(), 1) {
            let (reason, text) = (refusal.reason, &refusal.text);
            tracing::warn!(%session, %reason, %text, count, "refused, and the peer cannot be told");
        }
    }

    /// How many there have been.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }
}

/// Losses that peers were not told of, where there is nothing to count them in: a dialect is no state.
#[derive(Debug, Default)]
pub struct UntoldLosses {
    began: OnceLock<Instant>,
    /// When there may be a next line, in milliseconds since it began.
    next_ms: AtomicU64,
    since_logged: AtomicU64,
}

impl UntoldLosses {
    /// None so far.
    #[must_use]
    pub const fn new() -> Self {
        Self { began: OnceLock::new(), next_ms: AtomicU64::new(0), since_logged: AtomicU64::new(0) }
    }

    /// Adds losses. Returns how many there are since the last time, if it is time for a line.
    pub fn add(&self, losses: u64) -> Option<u64> {
        let began = self.began.get_or_init(Instant::now);
        let now = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.add_at(now, losses)
    }

    fn add_at(&self, now: u64, losses: u64) -> Option<u64> {
        self.since_logged.fetch_add(losses, Ordering::Relaxed);
        if now < self.next_ms.load(Ordering::Relaxed) {
            return None;
        }
        self.next_ms.store(now + QUIET_MS, Ordering::Relaxed);
        Some(self.since_logged.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_summed_up_once_a_second() {
        let losses = UntoldLosses::new();
        let told = [(0, 1), (10, 2), (999, 3), (1000, 4), (1001, 5), (5000, 6)]
            .map(|(now, count)| losses.add_at(now, count));
        assert_eq!(told, [Some(1), None, None, Some(9), None, Some(11)]);
    }
}
