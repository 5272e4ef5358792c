//! What is held for one session that has no room: messages in the order of their places, bounded for each
//! subscription.

use super::Subscription;
use crate::BrokerLimits;
use hashbrown::HashMap;
use std::collections::{BTreeMap, VecDeque};
use workyard_engine::{Gaps, Losses};
use workyard_planted::planted;
use workyard_protocol::Value;

/// Above so many subscriptions of one session, the rest count together what the bounds have taken: counting
/// is bounded too.
const COUNTED_APART_MAX: usize = 16;

/// What one session is to have when it has room again.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    by_place: BTreeMap<u64, Held>,
    by_subscription: BTreeMap<Subscription, Share>,
    /// How many subscriptions count apart.
    counted_apart: usize,
    /// What the bounds have taken of the others.
    others: Gaps,
    /// Where the last message of a channel is, if the next one of its subscription is to replace it. Of the
    /// whole session: what replaces must not go before what another subscription has held since.
    latest: HashMap<Box<[u8]>, u64>,
}

/// A message that is held.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) subscription: Subscription,
    /// It is for this session alone, of all that subscribed without a group.
    pub(crate) is_for_one: bool,
    pub(crate) channel: Box<[u8]>,
    pub(crate) sequence: u64,
    pub(crate) position: u64,
    pub(crate) value: Value,
    /// Those that it has replaced.
    pub(crate) lost: Losses,
}

/// The part of one subscription.
#[derive(Debug, Default)]
struct Share {
    /// Where its messages are, ascending.
    places: VecDeque<u64>,
    bytes: usize,
    /// What the bounds have taken. All of it was before what is held.
    gaps: Gaps,
}

/// How much one subscription may have held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl Held {
    /// What it counts.
    pub(crate) fn bytes(&self) -> usize {
        let names = 2 * self.channel.len();
        BrokerLimits::HELD_OVERHEAD_BYTES + names + self.value.as_ref().byte_len()
    }

    /// It will not come, and neither will those that it has replaced.
    fn give_up(self, gaps: &mut Gaps) {
        gaps.add(&self.channel, self.lost);
        gaps.add(&self.channel, Losses::one(self.sequence));
    }
}

impl Backlog {
    /// How many messages there are.
    pub(crate) fn len(&self) -> usize {
        self.by_place.len()
    }

    /// Whether there is nothing to be told either.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_subscription.is_empty() && self.others.is_empty()
    }

    /// The bytes that a subscription has held.
    pub(crate) fn bytes_of(&self, subscription: Subscription) -> usize {
        self.by_subscription.get(&subscription).map_or(0, |share| share.bytes)
    }

    /// The bytes of all.
    pub(crate) fn bytes(&self) -> usize {
        self.by_subscription.values().map(|share| share.bytes).sum()
    }

    /// Whether one more message of a subscription is within its bounds.
    pub(crate) fn fits(&self, held: &Held, room: Room) -> bool {
        let share = self.by_subscription.get(&held.subscription);
        let (count, bytes) = share.map_or((0, 0), |share| (share.places.len(), share.bytes));
        count < room.messages && bytes + held.bytes() <= room.bytes
    }

    /// Puts a message behind all others.
    pub(crate) fn push(&mut self, place: u64, held: Held) {
        // A later one that may replace must not go before this one.
        if !planted!("latest-goes-before-what-is-held") {
            self.latest.remove(&held.channel);
        }
        let share = self.by_subscription.entry(held.subscription).or_default();
        share.places.push_back(place);
        share.bytes += held.bytes();
        self.by_place.insert(place, held);
    }

    /// Puts a message in the place of the one before it of its channel, which is lost, if the same
    /// subscription has that held to be replaced; else behind all others.
    pub(crate) fn push_latest(&mut self, place: u64, mut held: Held) {
        let Some(before) = self.replaceable(&held) else {
            let channel = held.channel.clone();
            self.push(place, held);
            self.latest.insert(channel, place);
            return;
        };
        let (more, less) = (held.bytes(), before.bytes());
        held.lost = before.lost;
        if !planted!("replaced-message-is-not-counted") {
            held.lost.add(Losses::one(before.sequence));
        }
        let subscription = held.subscription;
        *before = held;
        let share = self.by_subscription.get_mut(&subscription);
        let share = share.expect("what is held is somebody's");
        share.bytes = share.bytes + more - less;
    }

    /// The message that this one is to replace.
    fn replaceable(&mut self, held: &Held) -> Option<&mut Held> {
        let place = self.latest.get(&held.channel)?;
        let before = self.by_place.get_mut(place).expect("what is latest is held");
        let is_same = before.subscription == held.subscription;
        (is_same && !planted!("latest-is-not-replaced")).then_some(before)
    }

    /// Gives up the oldest messages of a subscription until the others are within the bounds.
    pub(crate) fn shrink(&mut self, subscription: Subscription, room: Room) {
        let Some(share) = self.by_subscription.get_mut(&subscription) else { return };
        while share.places.len() > room.messages || share.bytes > room.bytes {
            let place = match planted!("newest-is-given-up") {
                true => share.places.pop_back(),
                false => share.places.pop_front(),
            };
            let place = place.expect("what has bytes has a place");
            let oldest = self.by_place.remove(&place).expect("every place has a message");
            share.bytes -= oldest.bytes();
            forget(&mut self.latest, place, &oldest);
            let is_apart = !share.gaps.is_empty() || self.counted_apart < COUNTED_APART_MAX;
            self.counted_apart += usize::from(is_apart && share.gaps.is_empty());
            let gaps = if is_apart { &mut share.gaps } else { &mut self.others };
            oldest.give_up(gaps);
        }
    }

    /// Takes what has to be told before the first message.
    pub(crate) fn take_gaps(&mut self) -> Vec<Gaps> {
        let with_gaps = self.by_subscription.values_mut().filter(|share| !share.gaps.is_empty());
        let mut gaps: Vec<_> = with_gaps.map(|share| std::mem::take(&mut share.gaps)).collect();
        gaps.push(std::mem::take(&mut self.others));
        self.counted_apart = 0;
        self.by_subscription.retain(|_, share| !share.places.is_empty());
        gaps
    }

    /// Takes the first message.
    pub(crate) fn pop(&mut self) -> Option<Held> {
        let (place, first) = self.by_place.pop_first()?;
        let share = self.by_subscription.get_mut(&first.subscription);
        let share = share.expect("what is held is somebody's");
        share.places.pop_front();
        share.bytes -= first.bytes();
        forget(&mut self.latest, place, &first);
        if share.places.is_empty() && share.gaps.is_empty() {
            self.by_subscription.remove(&first.subscription);
        }
        Some(first)
    }

    /// Gives up all that is held of a subscription. Returns what that takes from the session.
    pub(crate) fn end(&mut self, subscription: Subscription) -> Gaps {
        let Some(share) = self.by_subscription.remove(&subscription) else {
            return Gaps::default();
        };
        self.counted_apart -= usize::from(!share.gaps.is_empty());
        let mut gaps = share.gaps;
        for place in share.places {
            let held = self.by_place.remove(&place).expect("every place has a message");
            forget(&mut self.latest, place, &held);
            held.give_up(&mut gaps);
        }
        gaps
    }
}

/// The message at this place is not there to be replaced any more.
fn forget(latest: &mut HashMap<Box<[u8]>, u64>, place: u64, held: &Held) {
    if latest.get(&held.channel) == Some(&place) {
        latest.remove(&held.channel);
    }
}
