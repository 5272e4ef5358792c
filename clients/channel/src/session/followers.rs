//! Subscriptions with history: each knows where it stands, and goes on from there.

use super::missed::{Gaps, Missed};
use super::{Done, LocalId, refused};
use crate::message::Message;
use crate::wanted::{TopicKind, Wanted};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;
use workyard_link::{Mailbox, Offered};
use workyard_planted::planted;
use workyard_protocol::channel::Start;
use workyard_protocol::{Pattern, Refusal};

/// Above so many channels of a pattern, it is not remembered any more which message was the last.
const CHANNELS_MAX: usize = 4096;

/// What a handle asks for.
#[derive(Debug)]
pub(crate) struct ToFollow {
    pub(crate) id: LocalId,
    pub(crate) wanted: Wanted,
    /// How many earlier messages of each channel it begins with.
    pub(crate) last: u64,
    pub(crate) mailbox: Arc<Mailbox<Message>>,
}

#[derive(Debug, Default)]
pub(super) struct Followers {
    by_id: BTreeMap<LocalId, Follower>,
    by_replay: HashMap<u32, LocalId>,
    /// Those of each channel and pattern, in the order in which they came.
    by_topic: BTreeMap<Wanted, Vec<LocalId>>,
    last_replay: u32,
    /// What was for one of them and found no room.
    gaps: Gaps,
}

#[derive(Debug)]
struct Follower {
    what: ToFollow,
    /// Who waits for it to begin.
    done: Option<Done>,
    from: From,
    /// The replay that it hears; outside of one it hears what is published.
    replay: Option<u32>,
    /// It had no room, and hears nothing until it is started again.
    is_stalled: bool,
    /// How often it was started and the server has not said so yet: what comes is from before.
    starting: u32,
    /// The epoch in which the server has subscribed it last.
    epoch: Option<u64>,
    missed: Missed,
    interrupted: bool,
    /// What is not kept may be missing: the connection was lost, or there was no room for it.
    unkept_interrupted: bool,
    /// Of a pattern, the number of the last message of each channel.
    numbers: BTreeMap<Bytes, u64>,
}

/// Where a follower stands.
#[derive(Clone, Copy, Debug)]
enum From {
    /// Nowhere yet: it has not had so many of the messages before it, nor been told that there are less.
    Last(u64),
    Mark {
        epoch: u64,
        mark: u64,
    },
}

impl Followers {
    pub(super) fn add(&mut self, what: ToFollow, done: Done) {
        let follower = Follower {
            done: Some(done),
            from: From::Last(what.last),
            replay: None,
            is_stalled: false,
            starting: 0,
            epoch: None,
            missed: Missed::default(),
            interrupted: false,
            unkept_interrupted: false,
            numbers: BTreeMap::new(),
            what,
        };
        let (id, wanted) = (follower.what.id, follower.what.wanted.clone());
        self.by_topic.entry(wanted).or_default().push(id);
        self.by_id.insert(id, follower);
    }

    /// Removes one. Returns what it wanted.
    pub(super) fn remove(&mut self, id: LocalId) -> Option<Wanted> {
        let follower = self.by_id.remove(&id)?;
        if let Some(replay) = follower.replay {
            self.by_replay.remove(&replay);
        }
        let wanted = follower.what.wanted.clone();
        if let Some(ids) = self.by_topic.get_mut(&wanted) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_topic.remove(&wanted);
            }
        }
        Some(wanted)
    }

    /// Whether the server has to go on sending for one of them.
    pub(super) fn want(&self, wanted: &Wanted) -> bool {
        let ids = self.by_topic.get(wanted).into_iter().flatten();
        ids.into_iter().any(|id| !self.by_id[id].is_stalled)
    }

    /// All of them.
    pub(super) fn ids(&self) -> Vec<LocalId> {
        self.by_id.keys().copied().collect()
    }

    /// Has one go on from where it stands. Returns what the server is to be asked for.
    pub(super) fn restart(&mut self, id: LocalId) -> Option<(Wanted, Start)> {
        let follower = self.by_id.get_mut(&id)?;
        if let Some(replay) = follower.replay.take() {
            self.by_replay.remove(&replay);
        }
        self.last_replay = self.last_replay.wrapping_add(1).max(1);
        let replay = self.last_replay;
        follower.replay = Some(replay);
        follower.is_stalled = false;
        follower.starting += 1;
        self.by_replay.insert(replay, id);
        let start = match follower.from {
            From::Last(count) => {
                // Of what came since it was subscribed, these may be too few.
                follower.interrupted |= follower.is_there();
                Start::Last { replay, count }
            }
            From::Mark { epoch, mark } => Start::Resume { replay, epoch, mark },
        };
        Some((follower.what.wanted.clone(), start))
    }

    /// The server has subscribed one, in this epoch.
    pub(super) fn confirmed(&mut self, id: LocalId, current: u64, mark: u64) {
        let Some(follower) = self.by_id.get_mut(&id) else { return };
        follower.epoch = Some(current);
        follower.starting = follower.starting.saturating_sub(1);
        match follower.from {
            From::Last(0) => follower.stand_at(mark),
            // What it had of another start of the server is no mark of this one: all of it comes.
            From::Mark { epoch, .. } if epoch != current => {
                follower.numbers.clear();
                follower.interrupted = !planted!("restart-is-not-told-after-a-cut");
                follower.stand_at(0);
            }
            From::Last(_) | From::Mark { .. } => {}
        }
        if let Some(done) = follower.done.take() {
            let _ = done.send(Ok(()));
        }
    }

    /// The server will not. Returns what that ends, if it was there before.
    pub(super) fn refused(&mut self, id: LocalId, refusal: &Refusal) -> Option<Wanted> {
        let done = self.by_id.get_mut(&id)?.done.take();
        let wanted = self.remove(id)?;
        refused(done, refusal).then_some(wanted)
    }

    /// The connection was lost.
    pub(super) fn interrupted(&mut self) {
        for follower in self.by_id.values_mut() {
            follower.starting = 0;
            if follower.is_there() {
                follower.lose_unkept();
            }
        }
    }

    /// A message to everybody. Returns those that have no room for it.
    pub(super) fn deliver(&mut self, message: &Message) -> Vec<LocalId> {
        let mut full = Vec::new();
        for id in self.matching(&message.channel) {
            let Some(follower) = self.by_id.get_mut(&id) else { continue };
            let hears = follower.replay.is_none() && !follower.is_stalled;
            // What is not kept is in no replay of a pattern.
            let is_unkept = follower.is_pattern() && message.position == 0;
            let is_beside = is_unkept && follower.is_there();
            if (hears || is_beside) && !follower.offer(message) {
                full.push(follower.what.id);
            }
        }
        full
    }

    /// A message to one, of the others nobody wants it: to one with room rather than one without.
    pub(super) fn deliver_one(&mut self, message: &Message) {
        let ids = self.matching(&message.channel);
        let has_room = |id: &&LocalId| self.by_id[id].what.mailbox.has_room(message.byte_len());
        let chosen = ids.iter().find(has_room).or(ids.first());
        if let Some(follower) = chosen.and_then(|id| self.by_id.get_mut(id))
            && !follower.offer(message)
        {
            // No replay has it.
            follower.missed.add(Some(&message.channel), 0, 0, 1);
            self.gaps.add(&message.channel, 0, 1);
        }
    }

    /// The channels of which something was dropped here, and how many.
    pub(super) fn take_gaps(
        &mut self,
    ) -> impl Iterator<Item = (Bytes, Option<RangeInclusive<u64>>, u64)> {
        self.gaps.take()
    }

    /// A part of a replay. Returns whose, if that has no room for it.
    pub(super) fn replayed(&mut self, replay: u32, message: &Message) -> Option<LocalId> {
        let id = *self.by_replay.get(&replay)?;
        let follower = self.by_id.get_mut(&id)?;
        (!follower.offer(message)).then_some(id)
    }

    /// Messages that a replay does not have any more. Returns how many, if that is known.
    pub(super) fn gone(&mut self, replay: u32, channel: Option<&Bytes>, gap: Gap) -> Option<u64> {
        let id = self.by_replay.get(&replay)?;
        self.by_id.get_mut(id)?.gone(channel, gap)
    }

    /// A replay has ended.
    pub(super) fn caught_up(&mut self, replay: u32, mark: u64) {
        let id = self.by_replay.remove(&replay);
        if let Some(follower) = id.and_then(|id| self.by_id.get_mut(&id)) {
            follower.replay = None;
            follower.stand_at(mark);
        }
    }

    /// The server dropped what was published. Returns those that have to ask for it again.
    pub(super) fn dropped(&mut self, channel: Option<&[u8]>) -> Vec<LocalId> {
        let mut ids = channel.map_or_else(|| self.ids(), |channel| self.matching(channel));
        for id in &ids {
            self.by_id.get_mut(id).into_iter().for_each(Follower::lose_unkept);
        }
        let hears = |follower: &Follower| follower.replay.is_none() && !follower.is_stalled;
        ids.retain(|id| hears(&self.by_id[id]));
        ids
    }

    /// Those that want the messages of a channel.
    fn matching(&self, channel: &[u8]) -> Vec<LocalId> {
        if self.by_topic.is_empty() {
            return Vec::new();
        }
        let matches = |wanted: &Wanted| {
            Pattern::new(&wanted.name).is_ok_and(|pattern| pattern.matches(channel))
        };
        let named =
            Wanted { kind: TopicKind::Channel, name: Bytes::copy_from_slice(channel), group: None };
        let named = self.by_topic.get_key_value(&named);
        // Patterns stand behind all channels.
        let first = Wanted { kind: TopicKind::Pattern, name: Bytes::new(), group: None };
        let patterns = self.by_topic.range(first..).filter(|(wanted, _)| matches(wanted));
        named.into_iter().chain(patterns).flat_map(|(_, ids)| ids).copied().collect()
    }

    /// One has no room: it hears nothing more until it is started again.
    pub(super) fn stall(&mut self, id: LocalId) -> Option<Wanted> {
        let follower = self.by_id.get_mut(&id)?;
        if let Some(replay) = follower.replay.take() {
            self.by_replay.remove(&replay);
        }
        follower.is_stalled = true;
        if !planted!("loss-of-the-unkept-is-not-told") {
            follower.lose_unkept();
        }
        Some(follower.what.wanted.clone())
    }

    /// One that was just stalled waits for room for so many bytes: its handle says when it is there. Returns
    /// whether it is there already, and the handle will not say so.
    pub(super) fn wait_for_room(&self, id: LocalId, bytes: usize) -> bool {
        self.by_id.get(&id).is_some_and(|follower| follower.what.mailbox.wait_for_room(bytes))
    }
}

/// What a gap says of the messages that are missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) missed: u64,
}

impl Follower {
    /// Whether the server has subscribed it before.
    fn is_there(&self) -> bool {
        self.epoch.is_some()
    }

    fn is_pattern(&self) -> bool {
        self.what.wanted.kind == TopicKind::Pattern
    }

    /// Hands a message over. Returns whether there was room.
    fn offer(&mut self, message: &Message) -> bool {
        let is_unkept = message.position == 0;
        let mut message = message.clone();
        let (channel, sequence, position) =
            (message.channel.clone(), message.sequence, message.position);
        message.missed = self.missed.count();
        message.missed_numbers = self.missed.numbers(&channel);
        message.interrupted = self.interrupted || (is_unkept && self.unkept_interrupted);
        if self.what.mailbox.offer(message.byte_len(), message) == Offered::Full {
            if planted!("message-without-room-counts-as-had") && !self.is_pattern() {
                self.stand_at(sequence);
            }
            return false;
        }
        (self.missed, self.interrupted) = (Missed::default(), false);
        self.unkept_interrupted &= !is_unkept || self.is_stalled || self.starting > 0;
        match self.is_pattern() {
            false if sequence > 0 => self.stand_at(sequence),
            true if position > 0 => self.stand_at(position),
            _ => {}
        }
        self.remember(&channel, sequence);
        true
    }

    fn gone(&mut self, channel: Option<&Bytes>, gap: Gap) -> Option<u64> {
        let known = channel.and_then(|channel| self.numbers.get(channel)).copied();
        let (from, missed) = match known {
            // A position does not say which numbers we have; we know.
            Some(last) if gap.from == 0 && gap.to > last => (last + 1, gap.to - last),
            _ => (gap.from, gap.missed),
        };
        if missed == 0 {
            self.interrupted = true;
            return None;
        }
        if !planted!("resumed-gap-is-not-told") {
            self.missed.add(channel, from, gap.to, missed);
        }
        if let Some(channel) = channel {
            self.remember(channel, gap.to);
            if !self.is_pattern() {
                self.stand_at(gap.to);
            }
        }
        Some(missed)
    }

    /// What is not kept may not come. That of a channel is found missing by its numbers.
    fn lose_unkept(&mut self) {
        self.unkept_interrupted |= self.is_pattern();
    }

    fn stand_at(&mut self, at: u64) {
        if let Some(epoch) = self.epoch {
            self.from = From::Mark { epoch, mark: at };
        }
    }

    fn remember(&mut self, channel: &Bytes, sequence: u64) {
        if !self.is_pattern() || sequence == 0 {
            return;
        }
        if let Some(last) = self.numbers.get_mut(channel) {
            // What is not kept comes beside a replay, and may be ahead of it.
            *last = sequence.max(*last);
        } else if self.numbers.len() < CHANNELS_MAX {
            self.numbers.insert(channel.clone(), sequence);
        }
    }
}

/// Whatever ends a subscription ends its stream.
impl Drop for Follower {
    fn drop(&mut self) {
        self.what.mailbox.close();
    }
}

#[cfg(test)]
mod tests;
