//! How long to wait before one more try.

use std::time::Duration;

/// No wait is shorter.
const SHORTEST_MIN: Duration = Duration::from_millis(1);

/// Waits that double from a shortest to a longest, each by chance up to a half shorter, so that those who lost the
/// same server do not come back all at once.
#[derive(Clone, Debug)]
pub struct Backoff {
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Begins with the shortest.
    #[must_use]
    pub fn new(shortest: Duration, longest: Duration) -> Self {
        // None at all would never grow.
        let shortest = shortest.max(SHORTEST_MIN);
        Self { shortest, longest: longest.max(shortest), next: shortest }
    }

    /// How long to wait this time.
    pub fn wait(&mut self) -> Duration {
        let wait = self.next.min(self.longest);
        self.next = wait.saturating_mul(2);
        wait.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// A connection has ended. To have been connected is not enough: many a server accepts, and hangs up.
    pub(super) fn lived(&mut self, has_had_messages: bool, lived: Duration) {
        // Some of the time it has waited to be connected.
        if has_had_messages || lived > self.longest.saturating_mul(2) {
            self.reset();
        }
    }

    /// It has worked: the next wait is the shortest.
    pub fn reset(&mut self) {
        self.next = self.shortest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_again() {
        let seconds = Duration::from_secs;
        let mut backoff = Backoff::new(seconds(1), seconds(5));
        for most in [1, 2, 4, 5, 5] {
            let wait = backoff.wait();
            assert!(wait >= seconds(most) / 2 && wait <= seconds(most), "{wait:?} of {most} s");
        }
        backoff.reset();
        assert!(backoff.wait() <= seconds(1));
    }
}
