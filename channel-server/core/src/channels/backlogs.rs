//! What is held for all sessions that have no room.

use super::backlog::{Backlog, Held, Room};
use super::gap::{gap, known};
use super::policies::Careful;
use super::{Groups, Subscription};
use crate::BrokerLimits;
use workyard_engine::{BySession, Gaps, Outbox, SessionId};
use workyard_planted::planted;
use workyard_protocol::channel::{ChannelWire, Delivery, Push, WhenSlow};

/// The backlogs, and what they may take together.
#[derive(Debug)]
pub(crate) struct Backlogs {
    by_session: BySession<Backlog>,
    bytes: usize,
    last_place: u64,
    room: Room,
    bytes_max: usize,
}

impl Backlogs {
    pub(crate) fn new(limits: &BrokerLimits) -> Self {
        let room = Room {
            messages: limits.held_messages_per_subscription_max,
            bytes: limits.held_bytes_per_subscription_max,
        };
        let by_session = BySession::new();
        Self { by_session, bytes: 0, last_place: 0, room, bytes_max: limits.held_bytes_max }
    }

    /// Whether no session has to wait.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_session.is_empty()
    }

    /// How many sessions do, the messages that are held for them, and their bytes.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let messages = self.by_session.iter().map(|(_, backlog)| backlog.len()).sum();
        (self.by_session.len(), messages, self.bytes)
    }

    /// Whether messages for this session go behind others that are held.
    pub(crate) fn has(&self, session: SessionId) -> bool {
        self.by_session.has(session)
    }

    /// From now on they do.
    pub(crate) fn begin(&mut self, session: SessionId) {
        self.by_session.get_or_default(session);
    }

    /// Holds a message for a session. Returns whether it was possible without a loss, if none is allowed.
    pub(crate) fn hold(&mut self, careful: Careful, held: Held) -> bool {
        let Careful { session, subscription, when_slow } = careful;
        let backlog = self.by_session.get_or_default(session);
        let before = backlog.bytes_of(subscription);
        let others = self.bytes - before;
        let room =
            Room { bytes: self.room.bytes.min(self.bytes_max.saturating_sub(others)), ..self.room };
        if when_slow == WhenSlow::Disconnect && !backlog.fits(&held, room) {
            return false;
        }
        self.last_place += 1;
        match when_slow {
            WhenSlow::Latest => backlog.push_latest(self.last_place, held),
            _ => backlog.push(self.last_place, held),
        }
        if !planted!("held-without-bound") {
            backlog.shrink(subscription, room);
        }
        self.bytes = others + backlog.bytes_of(subscription);
        true
    }

    /// Sends what is held for a session as far as it has room. Returns whether that was all.
    pub(crate) fn drain(
        &mut self,
        session: SessionId,
        groups: &Groups,
        outbox: &mut impl Outbox<ChannelWire>,
    ) -> bool {
        let Some(backlog) = self.by_session.get_mut(session) else { return true };
        if outbox.has_room(session) {
            for gaps in backlog.take_gaps() {
                tell(session, &gaps, outbox);
            }
        }
        while outbox.has_room(session) {
            let Some(held) = backlog.pop() else {
                self.by_session.remove(session);
                return true;
            };
            self.bytes -= held.bytes();
            send(session, &held, groups, outbox);
        }
        false
    }

    /// Gives up what is held of one subscription. Returns what the session loses by that.
    pub(crate) fn end(&mut self, session: SessionId, subscription: Subscription) -> Gaps {
        let Some(backlog) = self.by_session.get_mut(session) else { return Gaps::default() };
        self.bytes -= backlog.bytes_of(subscription);
        let gaps = backlog.end(subscription);
        if backlog.is_empty() {
            self.by_session.remove(session);
        }
        gaps
    }

    /// The session is gone.
    pub(crate) fn close(&mut self, session: SessionId) {
        let backlog = self.by_session.remove(session);
        if !planted!("held-of-the-gone-counts") {
            self.bytes -= backlog.as_ref().map_or(0, Backlog::bytes);
        }
    }
}

fn send(session: SessionId, held: &Held, groups: &Groups, outbox: &mut impl Outbox<ChannelWire>) {
    let channel = known(&held.channel);
    if held.lost.missed > 0 {
        outbox.push(session, gap(held.lost.of(Some(&held.channel))));
    }
    let delivery = match held.subscription.group {
        Some(group) => Delivery::Group(groups.name(group)),
        None if held.is_for_one => Delivery::One,
        None => Delivery::Everybody,
    };
    let Held { sequence, position, .. } = *held;
    let value = held.value.as_ref();
    outbox.push(session, Push::Message { delivery, channel, sequence, position, value });
}

fn tell(session: SessionId, gaps: &Gaps, outbox: &mut impl Outbox<ChannelWire>) {
    for loss in gaps.iter().filter(|_| !planted!("gap-of-held-is-not-told")) {
        outbox.push(session, gap(loss));
    }
}
