//! How long to wait before one more try.

use std::time::Duration;

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
        Self { shortest, longest, next: shortest }
    }

    /// How long to wait this time.
    pub fn wait(&mut self) -> Duration {
        let wait = self.next.min(self.longest);
        self.next = wait.saturating_mul(2);
        wait.mul_f64(0.5 + fastrand::f64() / 2.0)
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
