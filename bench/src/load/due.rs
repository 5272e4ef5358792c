//! Requests due at fixed times, in turn over the connections, whatever the server does.

use std::time::{Duration, Instant};

/// Which requests are due, and which of them have been sent.
pub(super) struct Due {
    start: Instant,
    /// Of all requests.
    count: u64,
    per_s: f64,
    /// Requests whose moment has passed.
    passed: u64,
    /// For every connection how many of its requests have been sent.
    sent: Vec<u64>,
}

impl Due {
    pub(super) fn new(start: Instant, duration: Duration, per_s: f64, connections: usize) -> Self {
        let count = (duration.as_secs_f64() * per_s).ceil().max(1.0) as u64;
        Self { start, count, per_s, passed: 0, sent: vec![0; connections] }
    }

    /// Whether there are requests whose moment has not passed.
    pub(super) fn goes_on(&self) -> bool {
        self.passed < self.count
    }

    /// The connection of a request whose moment has passed by `now`; each is told once.
    pub(super) fn pass(&mut self, now: Instant) -> Option<usize> {
        if !self.goes_on() || self.moment(self.passed) > now {
            return None;
        }
        let connection = self.passed % self.sent.len() as u64;
        self.passed += 1;
        Some(connection as usize)
    }

    /// When the next request of a connection was due, if its moment has passed; it is sent now.
    pub(super) fn next(&mut self, connection: usize) -> Option<Instant> {
        let index = self.sent[connection] * self.sent.len() as u64 + connection as u64;
        if index >= self.passed {
            return None;
        }
        self.sent[connection] += 1;
        Some(self.moment(index))
    }

    fn moment(&self, index: u64) -> Instant {
        self.start + Duration::from_secs_f64(index as f64 / self.per_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_request_keeps_the_moment_it_was_due() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut due = Due::new(start, Duration::from_millis(50), 100.0, 2);
        let pass =
            |due: &mut Due, ms| -> Vec<usize> { std::iter::from_fn(|| due.pass(at(ms))).collect() };
        assert_eq!(pass(&mut due, 25), [0, 1, 0]);
        assert_eq!(due.next(0), Some(at(0)));
        assert_eq!(due.next(0), Some(at(20)));
        assert_eq!((due.next(0), due.next(1)), (None, Some(at(10))));
        assert_eq!(pass(&mut due, 1000), [1, 0]);
        assert!(!due.goes_on());
        assert_eq!((due.next(0), due.next(1)), (Some(at(40)), Some(at(30))));
        assert_eq!((due.next(0), due.next(1)), (None, None));
    }
}
