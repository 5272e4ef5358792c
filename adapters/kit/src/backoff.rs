//! How long to wait before something is tried again: doubling, with jitter.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The bounds of the waits between attempts. They double from `first` to `max`, and each is at random up to
/// as long again, so that a thousand callers do not come back at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// The first wait: 50 ms.
    #[serde(with = "crate::duration")]
    pub first: Duration,
    /// The longest wait: 5 s.
    #[serde(with = "crate::duration")]
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(50), max: Duration::from_secs(5) }
    }
}

impl Backoff {
    /// The waits, one after the other, without end.
    #[must_use]
    pub fn waits(self) -> Waits {
        Waits { backoff: self, inner: self.start() }
    }

    fn start(self) -> ExponentialBackoff {
        ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.max)
            .with_jitter()
            .without_max_times()
            .build()
    }
}

/// The waits of a [`Backoff`].
#[derive(Debug)]
pub struct Waits {
    backoff: Backoff,
    inner: ExponentialBackoff,
}

impl Waits {
    /// The next wait.
    pub fn next_wait(&mut self) -> Duration {
        self.inner.next().unwrap_or(self.backoff.max)
    }

    /// The next one is the first again.
    pub fn reset(&mut self) {
        self.inner = self.backoff.start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_never_the_same() {
        let backoff = Backoff { first: Duration::from_millis(100), max: Duration::from_secs(1) };
        let mut waits = backoff.waits();
        let seen: Vec<u64> =
            (0..12).map(|_| waits.next_wait().as_millis().try_into().unwrap()).collect();
        for (place, floor) in [100, 200, 400, 800, 1000, 1000].into_iter().enumerate() {
            assert!((floor..=floor * 2 + 1).contains(&seen[place]), "{place}: {seen:?}");
        }
        assert!(seen.iter().all(|wait| *wait <= 2001), "{seen:?}");
        waits.reset();
        assert!(waits.next_wait() <= Duration::from_millis(201));
    }
}
