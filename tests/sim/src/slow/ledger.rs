//! What was published, in the server's order, and who has still to hear the end.

use super::streams::Streams;
use crate::channel::Filter;
use crate::findings::Findings;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use workyard_channel::WhenSlow;

/// What all observers of a run share.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) findings: Arc<Findings>,
    pub(super) streams: Streams,
    /// What all sessions together may have held is so little that one may lose its newest by another.
    pub(super) is_tight: bool,
    /// Over all server processes.
    published: Vec<Published>,
    places: BTreeMap<u64, usize>,
    /// Of each channel, how many there were in this process, and how many of these had no number.
    channels: BTreeMap<Vec<u8>, (u64, Option<u64>)>,
    process: u64,
    last_value: u64,
    /// The places of what was published while nobody read.
    flood: Option<Range<usize>>,
    /// What came to one of a group, by the group.
    shared: BTreeSet<(&'static str, u64)>,
    /// Readers that have not heard the last message of all their channels.
    waiting: BTreeSet<usize>,
    last_reader: usize,
    last_program: usize,
    wishes: BTreeMap<usize, Wish>,
    /// Programs that have had another subscription, or have ended one: what is lost of that may be told before
    /// older messages that are held for the other.
    changed: BTreeSet<usize>,
}

/// What a reader has subscribed to.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// By whose client.
    pub(super) program: usize,
    pub(super) filter: Filter,
    pub(super) when_slow: WhenSlow,
}

#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) channel: Vec<u8>,
    process: u64,
    /// It is so many-eth of its channel in its process.
    nth: u64,
}

impl Ledger {
    pub(super) fn new(findings: Arc<Findings>, is_tight: bool) -> Self {
        Self {
            findings,
            streams: Streams::default(),
            is_tight,
            published: Vec::new(),
            places: BTreeMap::new(),
            channels: BTreeMap::new(),
            process: 0,
            last_value: 0,
            flood: None,
            shared: BTreeSet::new(),
            waiting: BTreeSet::new(),
            last_reader: 0,
            last_program: 0,
            wishes: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }

    pub(super) fn next_value(&mut self) -> u64 {
        self.last_value += 1;
        self.last_value
    }

    /// The server is about to publish this. Returns its place.
    pub(super) fn publish(&mut self, channel: &[u8], value: u64) -> usize {
        let place = self.published.len();
        let (count, _) = self.channels.entry(channel.to_vec()).or_default();
        *count += 1;
        let (nth, process) = (*count, self.process);
        self.published.push(Published { channel: channel.to_vec(), process, nth });
        let before = self.places.insert(value, place);
        self.findings.check(before.is_none(), || format!("value {value} was published twice"));
        place
    }

    /// A message has this number: those of a channel grow by one, from its first subscriber on.
    pub(super) fn number(&mut self, place: usize, sequence: u64) {
        let one = &self.published[place];
        let (_, unnumbered) = self.channels.get_mut(&one.channel).expect("it was published");
        let before = one.nth.checked_sub(sequence);
        let is_right = one.process == self.process
            && sequence > 0
            && before.is_some_and(|before| *unnumbered.get_or_insert(before) == before);
        self.findings.check(is_right, || {
            format!("place {place} has the number {sequence}: {one:?}, {before:?} had none")
        });
    }

    /// The number of a message of this process; nothing if nobody has been told of any.
    pub(super) fn number_of(&self, place: usize) -> Option<u64> {
        let one = &self.published[place];
        let (_, unnumbered) = self.channels[&one.channel];
        Some(one.nth - unnumbered?)
    }

    /// It is so many-eth of its channel in its process.
    pub(super) fn nth(&self, place: usize) -> u64 {
        self.published[place].nth
    }

    pub(super) fn place(&self, value: u64) -> Option<usize> {
        self.places.get(&value).copied()
    }

    pub(super) fn at(&self, place: usize) -> &Published {
        &self.published[place]
    }

    pub(super) fn len(&self) -> usize {
        self.published.len()
    }

    /// The places in a range of messages on channels that match.
    pub(super) fn between(
        &self,
        range: Range<usize>,
        matches: impl Fn(&[u8]) -> bool,
    ) -> impl DoubleEndedIterator<Item = usize> {
        range.filter(move |place| matches(&self.published[*place].channel))
    }

    /// The server process is gone.
    pub(super) fn crashed(&mut self) {
        self.process += 1;
        self.channels.clear();
        self.streams = Streams::default();
    }

    pub(super) fn begin_the_flood(&mut self) {
        self.flood = Some(self.len()..usize::MAX);
    }

    pub(super) fn end_the_flood(&mut self) {
        self.flood = self.flood.take().map(|flood| flood.start..self.published.len());
    }

    /// The places of what was published while nobody read, once that is over.
    pub(super) fn flood(&self) -> Option<Range<usize>> {
        self.flood.clone().filter(|flood| flood.end < usize::MAX)
    }

    /// Everybody has had the time to read: everything was sent, or told to be lost.
    pub(super) fn check_streams(&self) {
        if let Some(text) = self.streams.left() {
            self.findings.report(text);
        }
    }

    /// One of a group has received a message.
    pub(super) fn received_by_one(&mut self, group: &'static str, value: u64) {
        let is_first = self.shared.insert((group, value));
        self.findings.check(is_first, || format!("two of {group} received value {value}"));
    }

    pub(super) fn next_program(&mut self) -> usize {
        self.last_program += 1;
        self.last_program
    }

    pub(super) fn add_reader(&mut self, wish: Wish) -> usize {
        self.last_reader += 1;
        self.waiting.insert(self.last_reader);
        if self.wishes.values().any(|other| other.program == wish.program) {
            self.changes(wish.program);
        }
        self.wishes.insert(self.last_reader, wish);
        self.last_reader
    }

    /// Whether what a reader wants of a channel may be held for another one of its program, which wants
    /// the newest of more than that.
    pub(super) fn is_held_for_another(&self, own: &Wish, channel: &[u8]) -> bool {
        let is_other = |wish: &Wish| own.when_slow < wish.when_slow || own.filter != wish.filter;
        self.wishes.values().any(|wish| {
            wish.program == own.program
                && wish.when_slow == WhenSlow::DropOldest
                && is_other(wish)
                && wish.filter.matches(channel)
        })
    }

    /// Whether a program has ever ended a subscription, or changed its mind about one.
    pub(super) fn has_changed(&self, program: usize) -> bool {
        self.changed.contains(&program)
    }

    /// It does.
    pub(super) fn changes(&mut self, program: usize) {
        self.changed.insert(program);
    }

    /// It is over.
    pub(super) fn remove_reader(&mut self, reader: usize) {
        self.waiting.remove(&reader);
        self.wishes.remove(&reader);
    }

    /// It has heard the last message of all its channels.
    pub(super) fn settle_reader(&mut self, reader: usize) {
        self.waiting.remove(&reader);
    }

    pub(super) fn waiting_readers(&self) -> usize {
        self.waiting.len()
    }
}
