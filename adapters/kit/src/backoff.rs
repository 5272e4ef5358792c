//! How long to wait before something is tried again: doubling, with jitter.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The bounds of the waits between attempts. They double from `first` to `max`, and each is at random between
/// half of that and all of it, so that a thousand callers do not come back at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// The longest first wait: 50 ms. Less than 1 ms counts as that.
    #[serde(with = "crate::duration")]
    pub first: Duration,
    /// The longest wait: 5 s.
    #[serde(with = "crate::duration")]
    pub max: Duration,
}

const LEAST: Duration = Duration::from_millis(1);

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(50), max: Duration::from_secs(5) }
    }
}

impl Backoff {
    /// The waits, one after the other, without end.
    #[must_use]
    pub fn waits(self) -> Waits {
        let max = self.max.max(LEAST);
        let backoff = Self { first: self.first.clamp(LEAST, max), max };
        Waits { backoff, inner: backoff.start() }
    }

    fn start(self) -> ExponentialBackoff {
        ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.max)
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
        let longest = self.inner.next().unwrap_or(self.backoff.max).min(self.backoff.max);
        let half = longest / 2;
        half + half.mul_f64(fastrand::f64())
    }

    /// The next one is the first again.
    pub fn reset(&mut self) {
        self.inner = self.backoff.start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(first: Duration, max: Duration) -> Backoff {
        Backoff { first, max }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let millis = Duration::from_millis;
        let mut waits = backoff(millis(100), millis(1000)).waits();
        for ceiling in [100, 200, 400, 800, 1000, 1000, 1000] {
            let wait = waits.next_wait();
            assert!((millis(ceiling / 2)..=millis(ceiling)).contains(&wait), "{ceiling}: {wait:?}");
        }
        waits.reset();
        assert!(waits.next_wait() <= millis(100));
    }

    #[test]
    fn waits_are_not_the_same() {
        let mut waits = backoff(Duration::from_secs(9), Duration::from_secs(9)).waits();
        let first = waits.next_wait();
        assert!((0..20).any(|_| waits.next_wait() != first));
    }

    #[test]
    fn no_bound_is_too_short_or_too_long() {
        let bounds = [Duration::ZERO, Duration::from_secs(60), Duration::MAX];
        for (first, max) in bounds.into_iter().flat_map(|first| bounds.map(|max| (first, max))) {
            let mut waits = backoff(first, max).waits();
            for _ in 0..200 {
                let wait = waits.next_wait();
                assert!(wait >= LEAST / 2 && wait <= max.max(LEAST), "{first:?} {max:?}: {wait:?}");
            }
        }
    }
}
