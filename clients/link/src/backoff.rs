//! How long to wait before connecting again: doubling, with full jitter, or as the server says.

use crate::deadline::FOREVER;
use crate::limits::RECONNECT_AFTER_MAX;
use std::time::Duration;

/// The bounds of the wait between two attempts to connect.
///
/// The n-th wait in a row is a random time between nothing and `first` doubled n times, `max` at
/// most, so that a thousand clients of a server that was restarted do not come back at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait.
    pub first: Duration,
    /// The longest wait of all.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(50), max: Duration::from_secs(5) }
    }
}

/// Counts failures in a row.
#[derive(Debug)]
pub(crate) struct Retries {
    backoff: Backoff,
    failures: u32,
}

impl Retries {
    pub(crate) fn new(backoff: Backoff) -> Self {
        Self { backoff, failures: 0 }
    }

    /// A connection was there for that long. A short one is no success: a server that welcomes and
    /// then hangs up must not be asked twenty times a second.
    pub(crate) fn connected_for(&mut self, lived: Duration) {
        if lived >= self.backoff.max {
            self.failures = 0;
        }
    }

    /// The next wait. `told` is what the server asked for, `jitter` a random number from 0 to 1.
    pub(crate) fn wait(&mut self, told: Option<Duration>, jitter: f64) -> Duration {
        let ceiling = self
            .backoff
            .first
            .saturating_mul(1u32.checked_shl(self.failures).unwrap_or(u32::MAX))
            .min(self.backoff.max);
        self.failures = self.failures.saturating_add(1);
        match told {
            // Never sooner than asked for, and spread over half as much again.
            Some(told) => {
                let told = told.min(RECONNECT_AFTER_MAX);
                told + part((told / 2).max(self.backoff.first), jitter)
            }
            None => part(ceiling, jitter),
        }
    }
}

/// Floating-point numbers cannot hold the longest durations: a product could be above them.
fn part(whole: Duration, jitter: f64) -> Duration {
    whole.min(FOREVER).mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(retries: &mut Retries, count: usize, jitter: f64) -> Vec<u128> {
        (0..count).map(|_| retries.wait(None, jitter).as_millis()).collect()
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut retries = Retries::new(Backoff::default());
        assert_eq!(waits(&mut retries, 9, 1.0), [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(waits(&mut retries, 100, 0.5).last(), Some(&2500));
        assert_eq!(waits(&mut retries, 1, 0.0), [0]);
    }

    #[test]
    fn only_a_connection_that_lasted_starts_over() {
        let mut retries = Retries::new(Backoff::default());
        waits(&mut retries, 3, 1.0);
        retries.connected_for(Duration::from_secs(1));
        assert_eq!(waits(&mut retries, 1, 1.0), [400]);
        retries.connected_for(Duration::from_secs(5));
        assert_eq!(waits(&mut retries, 1, 1.0), [50]);
    }

    #[test]
    fn what_the_server_says_is_waited_and_then_spread() {
        let mut retries = Retries::new(Backoff::default());
        let told = Some(Duration::from_secs(2));
        assert_eq!(retries.wait(told, 0.0), Duration::from_secs(2));
        assert_eq!(retries.wait(told, 1.0), Duration::from_secs(3));
        let forever = Some(Duration::from_secs(u64::MAX));
        assert_eq!(retries.wait(forever, 0.0), RECONNECT_AFTER_MAX);
    }

    #[test]
    fn no_bound_is_too_long() {
        let mut retries = Retries::new(Backoff { first: Duration::MAX, max: Duration::MAX });
        assert_eq!(retries.wait(None, 1.0), FOREVER);
        assert_eq!(retries.wait(Some(Duration::ZERO), 1.0), FOREVER);
    }
}
