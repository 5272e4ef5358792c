//! A program that reads a subscription, late or not at all for a while, and knows what it may miss.

use super::ledger::{Ledger, Wish};
use crate::channel::{Filter, value_id};
use crate::findings::expect;
use crate::world::{World, lock};
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use workyard_channel::{Message, Subscription, WhenSlow};

/// Reads the messages of its channels, and learns how many it missed.
pub(super) struct Reader {
    pub(super) world: Arc<World>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) rng: Rng,
    pub(super) number: usize,
    pub(super) wish: Wish,
    /// How long it takes over a message.
    pub(super) pause: Duration,
    /// The place from which on all is for it.
    pub(super) from: usize,
    pub(super) had: Had,
}

/// What it has had so far.
#[derive(Debug, Default)]
pub(super) struct Had {
    /// The place of the last message of each channel.
    last: BTreeMap<Vec<u8>, usize>,
    /// Messages that did not come, of those that were for it, and those that it was told of.
    lacks: u64,
    told: u64,
    /// Its connection was lost: nobody knows what went meanwhile.
    is_interrupted: bool,
    /// The same, since nobody read for a while.
    is_interrupted_late: bool,
    /// Channels of which it has heard the last message.
    ended: BTreeSet<Vec<u8>>,
}

impl Reader {
    pub(super) async fn run(mut self, mut subscription: Subscription) {
        while let Some(message) = subscription.next().await {
            self.read(&message);
            tokio::time::sleep(self.pause).await;
            if self.rng.u8(..20) == 0 && lock(&self.ledger).flood().is_none() {
                tokio::time::sleep(Duration::from_millis(self.rng.u64(200..3000))).await;
            }
        }
        let (number, when_slow) = (self.number, self.wish.when_slow);
        let was_too_slow = subscription.was_too_slow();
        self.world.network.say(|| format!("reader {number} ends, too slow: {was_too_slow}"));
        let mut ledger = lock(&self.ledger);
        ledger.remove_reader(number);
        ledger.changes(self.wish.program);
        ledger.findings.check(was_too_slow && when_slow == WhenSlow::Disconnect, || {
            format!("reader {number}, {when_slow:?}, has ended; too slow: {was_too_slow}")
        });
    }

    fn read(&mut self, message: &Message) {
        let value = value_id(message.value().as_ref());
        let number = self.number;
        self.world.network.say(|| {
            let (channel, missed) = (message.channel_str(), message.missed_before());
            let interrupted = if message.interrupted_before() { ", interrupted" } else { "" };
            format!("reader {number}: value {value} on {channel}, missed {missed}{interrupted}")
        });
        let ledger = Arc::clone(&self.ledger);
        let mut ledger = lock(&ledger);
        let Some(place) = ledger.place(value) else {
            return ledger.findings.report(format!("value {value} was never published"));
        };
        if let Err(text) = self.check(&ledger, message, place) {
            ledger.findings.report(format!("reader {number}, value {value}: {text}"));
        }
        self.had.last.insert(message.channel().to_vec(), place);
        if ledger.flood().is_some_and(|flood| place >= flood.end) {
            self.had.ended.insert(message.channel().to_vec());
            if super::CHANNELS.iter().all(|name| self.is_done_with(name.as_bytes())) {
                ledger.settle_reader(number);
                if let Err(text) = self.check_sums(&ledger) {
                    ledger.findings.report(format!("reader {number}: {text}"));
                }
            }
        }
    }

    fn check(&mut self, ledger: &Ledger, message: &Message, place: usize) -> Result<(), String> {
        let channel = message.channel();
        let last = self.had.last.get(channel).copied();
        expect(last.is_none_or(|last| last < place), || format!("twice, or behind {last:?}"))?;
        let is_new = message.interrupted_before();
        self.had.is_interrupted |= is_new;
        self.had.is_interrupted_late |= is_new && ledger.flood().is_some();
        self.had.told += message.missed_before();
        // What arrived before the subscription was confirmed is a gift.
        let is_first = last.is_none_or(|last| last < self.from);
        let from = last.map_or(self.from, |last| self.from.max(last + 1));
        let skipped: Vec<usize> = ledger.between(from..place, |name| name == channel).collect();
        self.had.lacks += skipped.len() as u64;
        let (lacks, told) = (self.had.lacks, self.had.told);
        // One that takes the place of another may come before what tells of its channel's losses.
        let may_be_late = self.wish.when_slow == WhenSlow::Latest;
        expect(self.had.is_interrupted || may_be_late || lacks <= told, || {
            format!("{lacks} are missing, and it was told of {told}")
        })?;
        if let Filter::Channel(_) = self.wish.filter
            && !is_new
        {
            self.check_channel(ledger, message, &skipped, is_first)?;
        }
        self.check_flood(ledger, channel, last, place)
    }

    /// Of a channel, exactly what is missing before a message is told with it.
    fn check_channel(
        &self,
        ledger: &Ledger,
        message: &Message,
        skipped: &[usize],
        is_first: bool,
    ) -> Result<(), String> {
        let (missed, count) = (message.missed_before(), skipped.len() as u64);
        // The first one may tell of what was lost before the subscription was there, and others of what
        // was given up when the program ended one, behind what is still held. At the end it adds up.
        let may_be = (is_first && missed > count) || ledger.has_changed(self.wish.program);
        expect(missed == count || may_be, || {
            format!("{count} are missing, and it was told of {missed}")
        })?;
        if missed != count {
            return Ok(());
        }
        expect(missed == 0 || is_first || self.wish.when_slow != WhenSlow::Disconnect, || {
            format!("{missed} are lost, and it was to end before")
        })?;
        let ends = skipped.first().zip(skipped.last());
        let numbers = ends.map(|(first, last)| (ledger.nth(*first), ledger.nth(*last)));
        let told = message.missed_numbers_before();
        let last = message.sequence() - 1;
        let is_right = |(first, end): (u64, u64)| {
            told.as_ref()
                .is_some_and(|told| *told.end() == last && told.end() - told.start() == end - first)
        };
        expect(is_first || numbers.is_none_or(is_right), || format!("not {told:?} are missing"))
    }

    /// Of what was published while nobody read, the newest of each channel has come to those who want the
    /// latest, and the newest of all to those who want the newest.
    fn check_flood(
        &self,
        ledger: &Ledger,
        channel: &[u8],
        last: Option<usize>,
        place: usize,
    ) -> Result<(), String> {
        let Some(flood) = ledger.flood().filter(|flood| flood.end <= place) else { return Ok(()) };
        let is_first = last.is_none_or(|last| last < flood.end);
        if !is_first || self.had.is_interrupted_late || ledger.is_tight {
            return Ok(());
        }
        let newest = match self.wish.when_slow {
            // The server holds a message once, for the most careful.
            _ if ledger.is_held_for_another(&self.wish, channel) => None,
            WhenSlow::Latest => ledger.between(flood, |name| name == channel).next_back(),
            // Of a pattern, it may be of a channel that comes later.
            WhenSlow::DropOldest => ledger
                .between(flood, |name| self.is_for(name))
                .next_back()
                .filter(|newest| ledger.at(*newest).channel == channel),
            WhenSlow::DropNewest | WhenSlow::Disconnect => None,
        };
        expect(newest.is_none() || newest == last, || {
            format!("place {newest:?} was the newest, and it had {last:?}")
        })
    }

    /// At the end, what it lacks is what it was told of, and perhaps what went before it was there.
    fn check_sums(&self, ledger: &Ledger) -> Result<(), String> {
        let (lacks, told) = (self.had.lacks, self.had.told);
        let before = ledger.between(0..self.from, |name| self.is_for(name)).count() as u64;
        expect(self.had.is_interrupted || (lacks..=lacks + before).contains(&told), || {
            format!("told of {told}, and {lacks} are missing, {before} went before")
        })
    }

    fn is_for(&self, channel: &[u8]) -> bool {
        self.wish.filter.matches(channel)
    }

    fn is_done_with(&self, channel: &[u8]) -> bool {
        !self.is_for(channel) || self.had.ended.contains(channel)
    }
}

/// Reads what one of a group is to receive.
pub(super) struct Sharer {
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) group: &'static str,
    pub(super) pause: Duration,
}

impl Sharer {
    pub(super) async fn run(self, mut subscription: Subscription) {
        while let Some(message) = subscription.next().await {
            let value = value_id(message.value().as_ref());
            lock(&self.ledger).received_by_one(self.group, value);
            tokio::time::sleep(self.pause).await;
        }
    }
}
