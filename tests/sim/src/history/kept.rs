//! What a server must still have of what it was told to keep: never more than it has.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;
use workyard_protocol::Pattern;
use workyard_protocol::channel::HistoryBounds;

/// What a message and a channel count as beside value and name.
const MESSAGE_BYTES: u64 = 96;
const CHANNEL_BYTES: u64 = 256;

#[derive(Debug)]
pub(super) struct Kept {
    /// Most bytes of all channels together.
    bytes_max: u64,
    rules: BTreeMap<Vec<u8>, HistoryBounds>,
    channels: BTreeMap<Vec<u8>, VecDeque<Entry>>,
}

#[derive(Debug)]
struct Entry {
    place: usize,
    at: Instant,
    bytes: u64,
    /// No rule has allowed the server to forget it.
    is_sure: bool,
}

impl Kept {
    /// What a new server process has, which begins with these rules.
    pub(super) fn new(bytes_max: u64, rules: &[(&str, HistoryBounds)]) -> Self {
        let rules = rules.iter().map(|(pattern, bounds)| (pattern.as_bytes().to_vec(), *bounds));
        Self { bytes_max, rules: rules.collect(), channels: BTreeMap::new() }
    }

    /// Makes, replaces or drops a rule.
    pub(super) fn set_rule(&mut self, pattern: &[u8], bounds: Option<HistoryBounds>) {
        self.review();
        match bounds {
            Some(bounds) => drop(self.rules.insert(pattern.to_vec(), bounds)),
            None => drop(self.rules.remove(pattern)),
        }
        self.review();
    }

    /// A message is published. Returns whether it is to be kept.
    pub(super) fn publish(&mut self, channel: &[u8], place: usize, bytes: u64) -> bool {
        let Some(bounds) = self.bounds(channel) else {
            self.channels.remove(channel);
            return false;
        };
        let entry = Entry { place, at: Instant::now(), bytes, is_sure: true };
        let entries = self.channels.entry(channel.to_vec()).or_default();
        entries.push_back(entry);
        while is_above(entries.iter(), bounds) {
            entries.pop_front();
        }
        while self.bytes() > self.bytes_max {
            self.forget_oldest();
        }
        true
    }

    /// Whether a message must still be there.
    pub(super) fn has(&self, channel: &[u8], place: usize) -> bool {
        let entries = self.channels.get(channel).into_iter().flatten();
        let bounds = self.bounds(channel);
        entries.into_iter().any(|entry| entry.place == place && entry.is_still(bounds))
    }

    /// By how much messages of this channel are bounded; nothing if they are not kept.
    fn bounds(&self, channel: &[u8]) -> Option<HistoryBounds> {
        let matching = self.rules.iter().filter(|(pattern, _)| {
            Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(channel))
        });
        matching.map(|(_, bounds)| *bounds).reduce(HistoryBounds::max)
    }

    /// What the rules as they are now do not keep may be forgotten at any time.
    fn review(&mut self) {
        let mut channels = std::mem::take(&mut self.channels);
        for (channel, entries) in &mut channels {
            let bounds = self.bounds(channel);
            entries.iter_mut().for_each(|entry| entry.is_sure &= entry.is_still(bounds));
            let Some(bounds) = bounds else { continue };
            let is_within = |from: &usize| !is_above(entries.range(*from..), bounds);
            let above = (0..entries.len()).find(is_within).unwrap_or(entries.len());
            entries.range_mut(..above).for_each(|entry| entry.is_sure = false);
        }
        self.channels = channels;
    }

    /// What all of it counts as, or more: what may be forgotten counts as if it were not.
    fn bytes(&self) -> u64 {
        let of_channel = |(name, entries): (&Vec<u8>, &VecDeque<Entry>)| match entries.is_empty() {
            true => 0,
            false => {
                let values = entries.iter().map(|entry| entry.bytes + MESSAGE_BYTES).sum::<u64>();
                values + name.len() as u64 + CHANNEL_BYTES
            }
        };
        self.channels.iter().map(of_channel).sum()
    }

    fn forget_oldest(&mut self) {
        let first = |entries: &VecDeque<Entry>| entries.front().map(|entry| entry.place);
        let oldest = self.channels.values_mut().filter(|entries| !entries.is_empty());
        if let Some(entries) = oldest.min_by_key(|entries| first(entries)) {
            entries.pop_front();
        }
    }
}

impl Entry {
    fn is_still(&self, bounds: Option<HistoryBounds>) -> bool {
        let is_young =
            |bounds: HistoryBounds| self.at + Duration::from(bounds.age) > Instant::now();
        self.is_sure && bounds.is_some_and(is_young)
    }
}

fn is_above<'a>(entries: impl Iterator<Item = &'a Entry> + Clone, bounds: HistoryBounds) -> bool {
    let bytes: u64 = entries.clone().map(|entry| entry.bytes).sum();
    entries.count() as u64 > bounds.messages_max || bytes > bounds.bytes_max
}
