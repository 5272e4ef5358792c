//! Subscriptions with history: each knows where it stands, and goes on from there.

use super::missed::Missed;
use super::{Done, LocalId, refused};
use crate::message::Message;
use crate::wanted::{TopicKind, Wanted};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use workyard_link::{Mailbox, Offered};
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
    /// Set when the mailbox was full: the handle says when there is room again.
    pub(crate) stalled: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
pub(super) struct Followers {
    by_id: BTreeMap<LocalId, Follower>,
    by_replay: HashMap<u32, LocalId>,
    /// Those of each channel and pattern, in the order in which they came.
    by_topic: BTreeMap<Wanted, Vec<LocalId>>,
    last_replay: u32,
}

#[derive(Debug)]
struct Follower {
    what: ToFollow,
    /// Who waits for it to begin.
    done: Option<Done>,
    from: From,
    /// The replay that it hears; outside of one it hears what is published.
    replay: Option<u32>,
    /// It had no room, and hears nothing until it is started again. What the handle sees is cleared by
    /// the handle, while messages are still on their way here.
    is_stalled: bool,
    /// It has had a message, or has reached the end of a replay.
    has_begun: bool,
    missed: Missed,
    interrupted: bool,
    /// The connection was lost, and what is not kept may be missing.
    unkept_interrupted: bool,
    /// Of a pattern, the number of the last message of each channel.
    numbers: BTreeMap<Bytes, u64>,
}

/// Where a follower stands.
#[derive(Clone, Copy, Debug)]
enum From {
    /// Nowhere yet: the server has not said where it begins.
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
            has_begun: false,
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
        self.by_replay.insert(replay, id);
        let start = match follower.from {
            From::Last(count) => Start::Last { replay, count },
            From::Mark { epoch, mark } => Start::Resume { replay, epoch, mark },
        };
        Some((follower.what.wanted.clone(), start))
    }

    /// The server has subscribed one, in this epoch.
    pub(super) fn confirmed(&mut self, id: LocalId, current: u64, mark: u64) {
        let Some(follower) = self.by_id.get_mut(&id) else { return };
        follower.from = match follower.from {
            From::Last(_) => From::Mark { epoch: current, mark },
            // What it had of another start of the server is no mark of this one: all of it comes.
            From::Mark { epoch, .. } if epoch != current => {
                follower.numbers.clear();
                From::Mark { epoch: current, mark: 0 }
            }
            same => same,
        };
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
            let is_there = matches!(follower.from, From::Mark { .. });
            follower.unkept_interrupted |= is_there && follower.is_pattern();
            if is_there && !follower.has_begun && follower.what.last > 0 {
                // Its mark is behind messages that it has not had.
                follower.from = From::Last(follower.what.last);
                follower.interrupted = true;
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
            let is_beside = follower.is_pattern() && message.position == 0;
            if (hears || is_beside) && !follower.offer(message) {
                full.push(follower.what.id);
            }
        }
        full
    }

    /// A message to one, of the others nobody wants it. Returns whether it was taken.
    pub(super) fn deliver_one(&mut self, message: &Message) -> bool {
        let first = self.matching(&message.channel).first().copied();
        let follower = first.and_then(|id| self.by_id.get_mut(&id));
        follower.is_some_and(|follower| follower.offer(message))
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
            follower.has_begun = true;
            follower.stand_at(mark);
        }
    }

    /// The server dropped what was published. Returns those that have to ask for it again.
    pub(super) fn dropped(&self, channel: Option<&[u8]>) -> Vec<LocalId> {
        let mut ids = channel.map_or_else(|| self.ids(), |channel| self.matching(channel));
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
        follower.what.stalled.store(true, Ordering::Relaxed);
        Some(follower.what.wanted.clone())
    }

    /// Whether one that was just stalled has room again, and its handle will not say so: it was emptied
    /// before the handle could see that it should.
    pub(super) fn has_room_again(&self, id: LocalId) -> bool {
        let what = self.by_id.get(&id).map(|follower| &follower.what);
        what.is_some_and(|what| {
            what.mailbox.is_half_empty() && what.stalled.swap(false, Ordering::Relaxed)
        })
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
            return false;
        }
        (self.missed, self.interrupted) = (Missed::default(), false);
        self.has_begun = true;
        self.unkept_interrupted &= !is_unkept;
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
        self.missed.add(channel, from, gap.to, missed);
        if let Some(channel) = channel {
            self.remember(channel, gap.to);
            if !self.is_pattern() {
                self.stand_at(gap.to);
            }
        }
        Some(missed)
    }

    fn stand_at(&mut self, at: u64) {
        if let From::Mark { mark, .. } = &mut self.from {
            *mark = at;
        }
    }

    fn remember(&mut self, channel: &Bytes, sequence: u64) {
        if !self.is_pattern() || sequence == 0 {
            return;
        }
        if let Some(last) = self.numbers.get_mut(channel) {
            *last = sequence;
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
mod tests {
    use super::*;
    use std::task::{Context, Waker};
    use tokio::sync::oneshot;
    use workyard_protocol::Value;

    const EPOCH: u64 = 7;

    /// One that follows "a" with room for two messages, its handle's side, and what it began with.
    fn follower(last: u64) -> (Followers, Arc<Mailbox<Message>>, Arc<AtomicBool>) {
        let (mailbox, stalled) = (Arc::new(Mailbox::new(2, 1000)), Arc::<AtomicBool>::default());
        let wanted = Wanted::channel(b"a", None).unwrap();
        let (mailbox_there, stalled_there) = (Arc::clone(&mailbox), Arc::clone(&stalled));
        let what = ToFollow { id: 1, wanted, last, mailbox: mailbox_there, stalled: stalled_there };
        let mut followers = Followers::default();
        followers.add(what, oneshot::channel().0);
        followers.restart(1);
        followers.confirmed(1, EPOCH, 10);
        (followers, mailbox, stalled)
    }

    fn message(sequence: u64) -> Message {
        Message::new(Bytes::from_static(b"a"), sequence, sequence, Value::Int(0))
    }

    fn take(mailbox: &Mailbox<Message>) {
        assert!(mailbox.poll_take(&mut Context::from_waker(Waker::noop())).is_ready());
    }

    fn start(followers: &mut Followers) -> Start {
        followers.restart(1).unwrap().1
    }

    #[test]
    fn what_is_on_its_way_when_the_handle_has_room_again_is_not_taken_for_the_next() {
        let (mut followers, mailbox, stalled) = follower(0);
        followers.caught_up(1, 10);
        assert!(followers.deliver(&message(11)).is_empty());
        assert!(followers.deliver(&message(12)).is_empty());
        assert_eq!(followers.deliver(&message(13)), [1]);
        followers.stall(1);
        assert!(!followers.has_room_again(1));
        take(&mailbox);
        assert!(stalled.swap(false, Ordering::Relaxed), "as the handle does");
        assert!(followers.deliver(&message(14)).is_empty());
        assert_eq!(start(&mut followers), Start::Resume { replay: 2, epoch: EPOCH, mark: 12 });
    }

    #[test]
    fn one_that_is_emptied_before_it_is_stalled_goes_on_at_once() {
        let (mut followers, mailbox, stalled) = follower(0);
        followers.caught_up(1, 10);
        for sequence in 11..=13 {
            followers.deliver(&message(sequence));
        }
        mailbox.drain();
        followers.stall(1);
        assert!(followers.has_room_again(1));
        assert!(!stalled.load(Ordering::Relaxed), "the handle has nothing to say");
    }

    #[test]
    fn the_last_messages_are_asked_for_again_until_the_first_of_them_has_come() {
        let (mut followers, _, _) = follower(5);
        followers.interrupted();
        assert_eq!(start(&mut followers), Start::Last { replay: 2, count: 5 });
        followers.confirmed(1, EPOCH, 12);
        followers.replayed(2, &message(9));
        followers.interrupted();
        assert_eq!(start(&mut followers), Start::Resume { replay: 3, epoch: EPOCH, mark: 9 });
    }
}
