//! A program that reads a subscription, and knows what it may miss.

use super::ledger::Ledger;
use super::value_id;
use crate::world::{World, lock};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use workyard_channel::{Message, Subscription};
use workyard_protocol::Pattern;

/// What a subscription is to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Channel(&'static str),
    Pattern(&'static str),
}

impl Filter {
    pub(crate) fn matches(&self, channel: &[u8]) -> bool {
        match self {
            Self::Channel(name) => name.as_bytes() == channel,
            Self::Pattern(pattern) => Pattern::new(pattern).is_ok_and(|one| one.matches(channel)),
        }
    }
}

/// Reads every message of its channels, or learns how many it missed.
pub(crate) struct Reader {
    pub(crate) world: Arc<World>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) filter: Filter,
    pub(crate) number: usize,
    /// The place in the server's order from which on nothing may be missing unannounced.
    pub(crate) from: usize,
    /// It has had a message that counts.
    pub(crate) has_begun: bool,
    /// How long it takes over a message.
    pub(crate) pause: Duration,
}

impl Reader {
    pub(crate) async fn run(mut self, mut subscription: Subscription) {
        while let Some(message) = subscription.next().await {
            self.read(&message);
            tokio::time::sleep(self.pause).await;
        }
    }

    fn read(&mut self, message: &Message) {
        let value = value_id(message.value().as_ref());
        self.world.network.say(|| {
            let (channel, missed) = (message.channel_str(), message.missed_before());
            let interrupted = if message.interrupted_before() { ", interrupted" } else { "" };
            let number = self.number;
            format!("reader {number}: value {value} on {channel}, missed {missed}{interrupted}")
        });
        let mut ledger = lock(&self.ledger);
        let Some(at) = ledger.index(message.channel(), value) else {
            return ledger.findings.report(format!("value {value} was never published"));
        };
        let is_early = at < self.from;
        if is_early && self.has_begun {
            let text = format!("reader {}: value {value} came twice or too late", self.number);
            return ledger.findings.report(text);
        }
        if is_early && !message.interrupted_before() {
            // What arrived before the subscription was confirmed is a gift.
            return;
        }
        if !message.interrupted_before() {
            self.check_missed(&ledger, message, at);
        }
        (self.from, self.has_begun) = (at + 1, true);
        if ledger.is_last(value) {
            ledger.settle_reader(self.number);
        }
    }

    /// Exactly what the server delivered between this message and the one before is missing.
    fn check_missed(&self, ledger: &Ledger, message: &Message, at: usize) {
        let matches = |channel: &[u8]| self.filter.matches(channel);
        let (first, last, count) = ledger.between(self.from, at, matches);
        let missed = message.missed_before();
        // The first one may tell of what was lost before the subscription was there.
        let is_right = missed == count || (!self.has_begun && missed > count);
        ledger.findings.check(is_right, || {
            let number = self.number;
            format!("reader {number}: {count} messages are missing, and it was told of {missed}")
        });
        if let (true, Filter::Channel(_), 1..) = (self.has_begun, &self.filter, count) {
            let told = message.missed_numbers_before();
            ledger.findings.check(told == Some(first..=last), || {
                format!("reader {}: {first} to {last} are missing, not {told:?}", self.number)
            });
        }
    }
}

/// Reads what one of many is to receive.
pub(crate) struct Sharer {
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) group: &'static str,
    pub(crate) pause: Duration,
}

impl Sharer {
    pub(crate) async fn run(self, mut subscription: Subscription) {
        while let Some(message) = subscription.next().await {
            let value = value_id(message.value().as_ref());
            lock(&self.ledger).received_by_one(self.group.as_bytes(), value);
            tokio::time::sleep(self.pause).await;
        }
    }
}
