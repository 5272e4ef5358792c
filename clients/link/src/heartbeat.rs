//! When to be heard, and when the peer is dead: pure, time passed in.

use std::time::Duration;
use tokio::time::Instant;

/// Keeps the two clocks of a connection. The server's interval is H.
///
/// Looked at every H/4, so that a silent peer, dead after 1.5 H, is found within 2 H, and so that
/// less than H passes between two things that the peer hears.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    interval: Duration,
    received: Instant,
    sent: Instant,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    Rest,
    Ping,
    /// Nothing was heard for this long.
    Dead(Duration),
}

impl Heartbeat {
    pub(crate) fn new(interval: Duration, now: Instant) -> Self {
        Self { interval, received: now, sent: now }
    }

    /// How often to look; nothing when the server wants no heartbeat.
    pub(crate) fn period(&self) -> Option<Duration> {
        let period = (self.interval / 4).max(Duration::from_millis(1));
        (!self.interval.is_zero()).then_some(period)
    }

    pub(crate) fn received(&mut self, now: Instant) {
        self.received = now;
    }

    pub(crate) fn sent(&mut self, now: Instant) {
        self.sent = now;
    }

    pub(crate) fn beat(&self, now: Instant) -> Beat {
        let silent = now.duration_since(self.received);
        let quiet = now.duration_since(self.sent);
        match self.interval / 2 {
            half if silent >= self.interval + half => Beat::Dead(silent),
            half if silent >= half || quiet >= half => Beat::Ping,
            _ => Beat::Rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: Duration = Duration::from_secs(20);

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_silent_peer_is_pinged_then_dead() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(H, start);
        assert_eq!(heartbeat.beat(at(start, 9)), Beat::Rest);
        assert_eq!(heartbeat.beat(at(start, 10)), Beat::Ping);
        heartbeat.sent(at(start, 10));
        assert_eq!(heartbeat.beat(at(start, 15)), Beat::Ping);
        assert_eq!(heartbeat.beat(at(start, 29)), Beat::Ping);
        assert_eq!(heartbeat.beat(at(start, 30)), Beat::Dead(Duration::from_secs(30)));
    }

    #[test]
    fn who_only_listens_is_heard_too() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(H, start);
        heartbeat.received(at(start, 10));
        assert_eq!(heartbeat.beat(at(start, 10)), Beat::Ping);
        heartbeat.sent(at(start, 10));
        heartbeat.received(at(start, 15));
        assert_eq!(heartbeat.beat(at(start, 15)), Beat::Rest);
    }

    #[test]
    fn a_dead_peer_is_found_within_two_intervals() {
        let start = Instant::now();
        for offset_ms in 0..5000 {
            let mut heartbeat = Heartbeat::new(H, start);
            heartbeat.received(start + Duration::from_millis(offset_ms));
            let period = heartbeat.period().unwrap();
            let found = (1..)
                .map(|tick| start + period * tick)
                .find(|now| matches!(heartbeat.beat(*now), Beat::Dead(_)));
            let silent = found.unwrap().duration_since(heartbeat.received);
            assert!(silent <= H * 2, "found after {silent:?}");
        }
    }

    #[test]
    fn no_interval_no_heartbeat() {
        assert_eq!(Heartbeat::new(Duration::ZERO, Instant::now()).period(), None);
    }
}
