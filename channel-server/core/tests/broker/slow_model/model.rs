//! What each session is to see, found by looking at everything that is known of it.

use super::{LIMITS, Sight, TOPICS, covers};
use std::collections::BTreeMap;
use workyard_channel_core::BrokerLimits;
use workyard_engine::SessionId;
use workyard_protocol::channel::WhenSlow;

/// All sessions that subscribed.
#[derive(Default)]
pub(super) struct Model {
    sessions: BTreeMap<SessionId, Known>,
    numbers: BTreeMap<&'static str, u64>,
    seen: Vec<Sight>,
}

struct Known {
    room: usize,
    policies: BTreeMap<&'static str, WhenSlow>,
    /// Something is held, or has to be told, and everything careful goes behind it.
    is_waiting: bool,
    held: Vec<Held>,
    /// By topic and channel, the numbers that the bounds have taken.
    gaps: BTreeMap<(&'static str, &'static str), Vec<u64>>,
}

struct Held {
    topic: &'static str,
    channel: &'static str,
    number: u64,
    bytes: usize,
    /// The next message of the channel takes its place.
    is_latest: bool,
    replaced: Vec<u64>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            room: usize::MAX,
            policies: BTreeMap::new(),
            is_waiting: false,
            held: Vec::new(),
            gaps: BTreeMap::new(),
        }
    }
}

impl Model {
    pub(super) fn take_seen(&mut self) -> Vec<Sight> {
        std::mem::take(&mut self.seen)
    }

    /// How many messages are held, and their bytes.
    pub(super) fn held(&self) -> (usize, usize) {
        let held = self.sessions.values().flat_map(|known| &known.held);
        (held.clone().count(), held.map(|held| held.bytes).sum())
    }

    pub(super) fn is_wanted(&self, session: SessionId, channel: &str) -> bool {
        let known = self.sessions.get(&session);
        known.is_some_and(|known| known.policies.keys().any(|topic| covers(topic, channel)))
    }

    pub(super) fn subscribe(&mut self, session: SessionId, topic: &'static str, policy: WhenSlow) {
        let known = self.sessions.entry(session).or_default();
        let before = known.policies.insert(topic, policy);
        if policy == WhenSlow::DropNewest && before.is_some_and(|before| before != policy) {
            known.give_up(session, topic, &mut self.seen);
        }
    }

    pub(super) fn unsubscribe(&mut self, session: SessionId, topic: &'static str) {
        let known = self.sessions.entry(session).or_default();
        let before = known.policies.remove(topic);
        if before.is_some_and(|before| before != WhenSlow::DropNewest) {
            known.give_up(session, topic, &mut self.seen);
        }
    }

    pub(super) fn set_room(&mut self, session: SessionId, room: usize) {
        self.sessions.entry(session).or_default().room = room;
    }

    pub(super) fn close(&mut self, session: SessionId) {
        self.sessions.remove(&session);
    }

    /// Returns who is to have it, one way or the other.
    pub(super) fn publish(&mut self, channel: &'static str, size: usize) -> Vec<SessionId> {
        let number = self.numbers.entry(channel).or_default();
        let is_wanted = |known: &Known| known.policies.keys().any(|topic| covers(topic, channel));
        if *number == 0 && !self.sessions.values().any(is_wanted) {
            return Vec::new();
        }
        *number += 1;
        let number = *number;
        let (mut wanting, mut published) = (Vec::new(), Vec::new());
        for session in self.sessions.keys().copied().collect::<Vec<_>>() {
            let all_bytes = self.held().1;
            let known = self.sessions.get_mut(&session).unwrap();
            if !is_wanted(known) {
                continue;
            }
            wanting.push(session);
            let (topic, policy) = known.strongest(channel);
            match policy {
                WhenSlow::DropNewest if known.room == 0 => {
                    published.push((session, format!("{channel} #{number} dropped")));
                }
                WhenSlow::Disconnect if known.room == 0 => {
                    self.seen.push((session, "ends, SlowConsumer".to_owned()));
                }
                policy
                    if policy != WhenSlow::DropNewest && (known.is_waiting || known.room == 0) =>
                {
                    known.is_waiting = true;
                    let bytes = BrokerLimits::HELD_OVERHEAD_BYTES + 2 * channel.len() + size;
                    let held = Held {
                        topic,
                        channel,
                        number,
                        bytes,
                        is_latest: false,
                        replaced: Vec::new(),
                    };
                    if !known.hold(held, policy, all_bytes) {
                        self.seen.push((session, "ends, SlowConsumer".to_owned()));
                    }
                }
                _ => {
                    known.spend();
                    published.push((session, format!("{channel} #{number}")));
                }
            }
        }
        self.seen.append(&mut published);
        wanting
    }

    pub(super) fn drained(&mut self, session: SessionId, room: usize) {
        let known = self.sessions.entry(session).or_default();
        known.room = room;
        if known.room > 0 && known.is_waiting {
            for topic in TOPICS {
                let (gaps, rest) = std::mem::take(&mut known.gaps)
                    .into_iter()
                    .partition(|((of, _), _)| *of == topic);
                known.gaps = rest;
                let gaps: BTreeMap<(&str, &str), Vec<u64>> = gaps;
                for ((_, channel), numbers) in gaps {
                    tell(session, channel, &numbers, &mut self.seen);
                    known.spend();
                }
            }
        }
        while known.room > 0 && !known.held.is_empty() {
            let held = known.held.remove(0);
            if !held.replaced.is_empty() {
                tell(session, held.channel, &held.replaced, &mut self.seen);
                known.spend();
            }
            self.seen.push((session, format!("{} #{}", held.channel, held.number)));
            known.spend();
        }
        if known.room > 0 {
            known.is_waiting = false;
        }
    }
}

impl Known {
    /// The topic whose policy counts for a channel, and the policy.
    fn strongest(&self, channel: &str) -> (&'static str, WhenSlow) {
        let mut best = ("", WhenSlow::DropNewest);
        for topic in TOPICS.into_iter().filter(|topic| covers(topic, channel)) {
            if let Some(policy) = self.policies.get(topic)
                && *policy > best.1
            {
                best = (topic, *policy);
            }
        }
        best
    }

    fn spend(&mut self) {
        if self.room < usize::MAX {
            self.room = self.room.saturating_sub(1);
        }
    }

    fn bytes_of(&self, topic: &str) -> usize {
        self.held.iter().filter(|held| held.topic == topic).map(|held| held.bytes).sum()
    }

    /// Returns whether it could be held.
    fn hold(&mut self, mut held: Held, policy: WhenSlow, all_bytes: usize) -> bool {
        let topic = held.topic;
        let others = all_bytes - self.bytes_of(topic);
        let bytes_max = LIMITS.bytes.min(LIMITS.all_bytes - others);
        let is_over = |known: &Self, more: usize, bytes: usize| {
            let count = known.held.iter().filter(|held| held.topic == topic).count();
            count + more > LIMITS.messages || known.bytes_of(topic) + bytes > bytes_max
        };
        if policy == WhenSlow::Disconnect && is_over(self, 1, held.bytes) {
            return false;
        }
        held.is_latest = policy == WhenSlow::Latest;
        let of_channel = |other: &&mut Held| other.channel == held.channel;
        let is_replaced = |other: &Held| other.is_latest && other.topic == topic;
        match self.held.iter_mut().rfind(of_channel) {
            Some(place) if held.is_latest && is_replaced(place) => {
                held.replaced = std::mem::take(&mut place.replaced);
                held.replaced.push(place.number);
                *place = held;
            }
            _ => {
                // What is published later must not go before this one.
                let before = self.held.iter_mut().filter(|other| other.channel == held.channel);
                before.for_each(|other| other.is_latest = false);
                self.held.push(held);
            }
        }
        while is_over(self, 0, 0) {
            self.lose_first(topic);
        }
        true
    }

    fn lose_first(&mut self, topic: &'static str) {
        let at = self.held.iter().position(|held| held.topic == topic).unwrap();
        let held = self.held.remove(at);
        let gap = self.gaps.entry((topic, held.channel)).or_default();
        gap.extend(held.replaced);
        gap.push(held.number);
    }

    /// Nothing is held for a topic any more, and what another topic has of that is told.
    fn give_up(&mut self, session: SessionId, topic: &'static str, seen: &mut Vec<Sight>) {
        while self.held.iter().any(|held| held.topic == topic) {
            self.lose_first(topic);
        }
        let (gaps, rest) =
            std::mem::take(&mut self.gaps).into_iter().partition(|((of, _), _)| *of == topic);
        self.gaps = rest;
        let gaps: BTreeMap<(&str, &str), Vec<u64>> = gaps;
        for ((_, channel), numbers) in gaps {
            if self.policies.keys().any(|topic| covers(topic, channel)) {
                tell(session, channel, &numbers, seen);
                self.spend();
            }
        }
        self.is_waiting &= !self.held.is_empty() || !self.gaps.is_empty();
    }
}

fn tell(session: SessionId, channel: &str, numbers: &[u64], seen: &mut Vec<Sight>) {
    let (from, to, missed) = (numbers[0], numbers[numbers.len() - 1], numbers.len());
    seen.push((session, format!("{channel} #{from}..#{to} missed, {missed}")));
}
