//! One channel that sessions have entered or follow.

use std::collections::BTreeMap;
use workyard_engine::{Outbox, SessionId};
use workyard_protocol::ChannelName;
use workyard_protocol::channel::{self, Change, ChannelWire, PresenceChange, Push};

/// Who is there, and who is told. Both by the serials under which they came, which is their order.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) members: BTreeMap<u64, Member>,
    pub(super) followers: BTreeMap<u64, Follower>,
}

#[derive(Debug)]
pub(super) struct Member {
    session: SessionId,
    identity: Box<[u8]>,
}

#[derive(Debug)]
pub(super) struct Follower {
    session: SessionId,
    /// It had no room for a change, and is told nothing until it is told that.
    pub(super) missed: bool,
}

impl Room {
    pub(super) fn is_unused(&self) -> bool {
        self.members.is_empty() && self.followers.is_empty()
    }

    /// Tells everybody who follows and has room.
    pub(super) fn tell(
        &mut self,
        channel: ChannelName<'_>,
        change: Change<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        for follower in self.followers.values_mut().filter(|follower| !follower.missed) {
            if outbox.has_room(follower.session) {
                outbox.push(follower.session, Push::Presence(PresenceChange { channel, change }));
            } else {
                follower.missed = true;
            }
        }
    }
}

impl Member {
    pub(super) fn new(session: SessionId, identity: &[u8]) -> Self {
        Self { session, identity: identity.into() }
    }

    /// Gives it another identity, and returns how many bytes the one before had.
    pub(super) fn rename(&mut self, identity: &[u8]) -> usize {
        std::mem::replace(&mut self.identity, identity.into()).len()
    }

    pub(super) fn as_told(&self) -> channel::Member<'_> {
        channel::Member { session: self.session.as_u64(), identity: &self.identity }
    }
}

impl Follower {
    pub(super) fn new(session: SessionId) -> Self {
        Self { session, missed: false }
    }
}
