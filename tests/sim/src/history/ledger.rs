//! What was published, in the server's order, under which numbers, and what of it is still kept.

use super::kept::Kept;
use crate::findings::Findings;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What all observers of a run share.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) findings: Arc<Findings>,
    pub(super) kept: Kept,
    /// The server forgets the numbers of channels, and goes on above them.
    pub(super) forgets_numbers: bool,
    /// Over all server processes.
    published: Vec<Published>,
    places: BTreeMap<u64, usize>,
    process: u64,
    last_value: u64,
    /// From this value on, nothing is published but what everybody is to hear at the end.
    pub(super) last_from: u64,
    /// Followers that have not heard the last message of all their channels.
    waiting: BTreeSet<usize>,
    last_follower: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) channel: Vec<u8>,
    /// How many server processes there were before.
    pub(super) process: u64,
    /// A rule wants it to be kept.
    pub(super) is_kept: bool,
    /// Its numbers, once the server has told them: in its channel, and among all that is kept.
    pub(super) sequence: u64,
    pub(super) position: u64,
}

impl Ledger {
    pub(super) fn new(findings: Arc<Findings>, kept: Kept, forgets_numbers: bool) -> Self {
        Self {
            findings,
            kept,
            forgets_numbers,
            published: Vec::new(),
            places: BTreeMap::new(),
            process: 0,
            last_value: 0,
            last_from: u64::MAX,
            waiting: BTreeSet::new(),
            last_follower: 0,
        }
    }

    pub(super) fn next_value(&mut self) -> u64 {
        self.last_value += 1;
        self.last_value
    }

    /// The server is about to publish this.
    pub(super) fn publish(&mut self, channel: &[u8], value: u64, bytes: u64) {
        let place = self.published.len();
        let is_kept = self.kept.publish(channel, place, bytes);
        let (channel, process) = (channel.to_vec(), self.process);
        self.published.push(Published { channel, process, is_kept, sequence: 0, position: 0 });
        let before = self.places.insert(value, place);
        self.findings.check(before.is_none(), || format!("value {value} was published twice"));
    }

    /// The server sends a message under these numbers, now or again.
    pub(super) fn number(&mut self, value: u64, sequence: u64, position: u64) {
        let Some(place) = self.place(value) else {
            return self.findings.report(format!("value {value} was sent and never published"));
        };
        let one = &self.published[place];
        let is_of_now = one.process == self.process && one.is_kept == (position > 0);
        let is_same = one.sequence == 0 || (one.sequence, one.position) == (sequence, position);
        self.findings.check(is_of_now && is_same && sequence > 0, || {
            format!("value {value} has the numbers {sequence} and {position}: {one:?}")
        });
        if self.published[place].sequence == 0 {
            (self.published[place].sequence, self.published[place].position) = (sequence, position);
            self.check_before(place);
        }
    }

    /// A message's place in the server's order.
    pub(super) fn place(&self, value: u64) -> Option<usize> {
        self.places.get(&value).copied()
    }

    pub(super) fn at(&self, place: usize) -> &Published {
        &self.published[place]
    }

    /// How many were published so far, and how many server processes there were before this one.
    pub(super) fn now(&self) -> (usize, u64) {
        (self.published.len(), self.process)
    }

    /// The places from one on, up to another, of messages on channels that match.
    pub(super) fn between(
        &self,
        from: usize,
        to: usize,
        matches: impl Fn(&[u8]) -> bool,
    ) -> Vec<usize> {
        let is_meant = |place: &usize| matches(&self.published[*place].channel);
        (from..to).filter(is_meant).collect()
    }

    /// Whether the server must still have a message.
    pub(super) fn is_still_kept(&self, place: usize) -> bool {
        let one = &self.published[place];
        one.process == self.process && one.is_kept && self.kept.has(&one.channel, place)
    }

    /// A server process has started with nothing but its rules.
    pub(super) fn started(&mut self, kept: Kept) {
        self.kept = kept;
        self.process += 1;
    }

    pub(super) fn add_follower(&mut self) -> usize {
        self.last_follower += 1;
        self.waiting.insert(self.last_follower);
        self.last_follower
    }

    /// What is published from now on is what everybody is to hear.
    pub(super) fn begin_the_end(&mut self) {
        self.last_from = self.last_value + 1;
    }

    pub(super) fn settle_follower(&mut self, follower: usize) {
        self.waiting.remove(&follower);
    }

    pub(super) fn waiting_followers(&self) -> usize {
        self.waiting.len()
    }

    /// The numbers of a channel grow by one with each message.
    fn check_before(&self, place: usize) {
        let one = &self.published[place];
        let same =
            |other: &&Published| other.process == one.process && other.channel == one.channel;
        let before = self.published[..place].iter().rev().filter(same).enumerate();
        let Some((between, last)) = before.into_iter().find(|(_, other)| other.sequence > 0) else {
            return;
        };
        let expected = last.sequence + 1 + between as u64;
        let is_right = match self.forgets_numbers {
            false => one.sequence == expected,
            true => one.sequence > last.sequence,
        };
        self.findings.check(is_right, || {
            format!("number {} follows {}, {between} between", one.sequence, last.sequence)
        });
    }
}
