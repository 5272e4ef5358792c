//! Pings that wait for their pongs, and what a pong proves.

use crate::error::{DisconnectReason, Error};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

type Caller = oneshot::Sender<Result<Duration, Error>>;

/// The server deals with frames in order: a pong proves that it has dealt with what was sent before
/// the ping, requests that are not answered included.
#[derive(Debug, Default)]
pub(crate) struct Pings {
    last: u64,
    waiting: VecDeque<Ping>,
    sends: u64,
    sends_proven: u64,
}

#[derive(Debug)]
struct Ping {
    token: u64,
    sends: u64,
    at: Instant,
    caller: Option<Caller>,
}

impl Pings {
    /// A request was sent that is not answered.
    pub(crate) fn sent(&mut self) {
        self.sends += 1;
    }

    /// Whether such a request is not known to have arrived.
    pub(crate) fn has_unproven_sends(&self) -> bool {
        self.sends > self.sends_proven
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The token to send.
    pub(crate) fn ping(&mut self, caller: Option<Caller>, now: Instant) -> u64 {
        self.last += 1;
        self.waiting.push_back(Ping { token: self.last, sends: self.sends, at: now, caller });
        self.last
    }

    /// The token to send as a heartbeat. A peer that sends much and never answers a ping must not
    /// fill this memory with them.
    pub(crate) fn beat(&mut self, now: Instant) -> u64 {
        if self.waiting.back().is_some_and(|ping| ping.caller.is_none()) {
            self.last += 1;
            return self.last;
        }
        self.ping(None, now)
    }

    pub(crate) fn pong(&mut self, token: u64, now: Instant) {
        while let Some(ping) = self.waiting.pop_front_if(|ping| ping.token <= token) {
            self.sends_proven = ping.sends;
            if let Some(caller) = ping.caller {
                let _ = caller.send(Ok(now.duration_since(ping.at)));
            }
        }
    }

    pub(crate) fn fail(&mut self, reason: &DisconnectReason) {
        for caller in self.waiting.drain(..).filter_map(|ping| ping.caller) {
            let _ = caller.send(Err(Error::Disconnected { reason: reason.clone() }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_proves_what_was_sent_before_its_ping() {
        let mut pings = Pings::default();
        let now = Instant::now();
        let (caller, mut answer) = oneshot::channel();
        pings.sent();
        let first = pings.ping(None, now);
        pings.sent();
        let second = pings.ping(Some(caller), now);
        pings.pong(first, now);
        assert!(pings.has_unproven_sends());
        assert!(answer.try_recv().is_err());
        pings.pong(second, now + Duration::from_millis(3));
        assert!(!pings.has_unproven_sends());
        assert_eq!(answer.try_recv().unwrap().unwrap(), Duration::from_millis(3));
    }

    #[test]
    fn a_pong_that_nobody_asked_for_proves_nothing() {
        let mut pings = Pings::default();
        pings.sent();
        pings.pong(0, Instant::now());
        assert!(pings.has_unproven_sends());
    }
}
