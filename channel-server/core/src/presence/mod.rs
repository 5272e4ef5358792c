//! Presence: who has entered a channel, and who wants to be told. It knows nothing of subscriptions.

mod room;

use crate::channels::Counts;
use crate::done::done;
use crate::named::Named;
use crate::numbers::Numbers;
use crate::{BrokerLimits, Census};
use room::{Follower, Member, Room};
use std::collections::BTreeMap;
use std::ops::Bound;
use workyard_engine::{BySession, Caller, Outbox, SessionId};
use workyard_planted::planted;
use workyard_protocol::channel::{
    self, Change, ChannelWire, Enter, FollowPresence, PresenceChange, PresencePage, Push, Reply,
};
use workyard_protocol::limits::HEADER_BYTES_MAX;
use workyard_protocol::{ChannelName, Refusal};

/// A page ends after this many bytes of identities: an answer is all header, and a header is bounded.
const PAGE_IDENTITY_BYTES_MAX: usize = HEADER_BYTES_MAX / 2;

/// Every channel that is entered or followed.
#[derive(Debug)]
pub(crate) struct Presence {
    limits: BrokerLimits,
    rooms: Named<Room>,
    visitors: BySession<Visitor>,
    members: usize,
    followers: usize,
    identity_bytes: usize,
    numbers: Numbers,
}

/// Where one session is a member or follows, each with the serial under which it came. Ordered, so that
/// the same requests always have the same effects in the same order.
#[derive(Debug, Default)]
struct Visitor {
    member_of: BTreeMap<u32, u64>,
    follows: BTreeMap<u32, u64>,
}

impl Visitor {
    fn len(&self) -> usize {
        self.member_of.len() + self.follows.len()
    }
}

impl Presence {
    pub(crate) fn new(limits: BrokerLimits) -> Self {
        Self {
            limits,
            rooms: Named::new(),
            visitors: BySession::new(),
            members: 0,
            followers: 0,
            identity_bytes: 0,
            numbers: Numbers::default(),
        }
    }

    /// Makes the session a member, changes its identity, or has it leave.
    pub(crate) fn enter(
        &mut self,
        caller: Caller,
        request: Enter<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let Enter { channel, identity } = request;
        let Some(identity) = identity else {
            outbox.reply(caller, Reply::Done);
            if let Some(at) = self.rooms.find(channel.as_bytes()) {
                self.leave(caller.session, at, outbox);
                self.forget_if_unused(at);
            }
            return;
        };
        let at = match self.admit(caller.session, channel, identity) {
            Ok(at) => at,
            Err(refusal) => return outbox.refuse(caller, refusal),
        };
        outbox.reply(caller, Reply::Done);
        let session = caller.session.as_u64();
        let joined = Change::Joined(channel::Member { session, identity });
        self.rooms[at].tell(channel, joined, outbox);
    }

    /// Has the session told of changes from now on, or no more.
    pub(crate) fn follow(
        &mut self,
        caller: Caller,
        request: FollowPresence<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let result = match request.on {
            true => self.begin_to_follow(caller.session, request.channel),
            false => {
                self.end_following(caller.session, request.channel);
                Ok(())
            }
        };
        done(caller, result, outbox);
    }

    /// Answers with a page of members, and with how many there are of everybody else.
    ///
    /// The cursor is the serial to go on after. A member that is there from the first page to the last is
    /// listed exactly once, whoever comes and goes meanwhile.
    pub(crate) fn list(
        &self,
        caller: Caller,
        request: channel::Presence<'_>,
        counts: Counts<'_>,
        responders: usize,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let room = self.rooms.find(request.channel.as_bytes()).map(|at| &self.rooms[at]);
        let (mut cursor, mut bytes, mut member_list) = (0, 0, Vec::new());
        let after = (Bound::Excluded(request.cursor), Bound::Unbounded);
        let mut rest = room.into_iter().flat_map(|room| room.members.range(after)).peekable();
        let mut last = request.cursor;
        while let Some((serial, member)) = rest.peek() {
            if member_list.len() >= request.limit as usize || bytes >= PAGE_IDENTITY_BYTES_MAX {
                cursor = last + u64::from(planted!("listing-skips-a-member"));
                break;
            }
            let member = member.as_told();
            (last, bytes) = (**serial, bytes + member.identity.len());
            member_list.push(member);
            rest.next();
        }
        let page = PresencePage {
            cursor,
            subscribers: counts.by_name,
            pattern_subscribers: counts.by_pattern,
            responders: responders as u64,
            members: room.map_or(0, |room| room.members.len()) as u64,
            groups: counts.groups,
            group_list: counts.group_list,
            member_list,
        };
        outbox.reply(caller, Reply::Presence(page));
    }

    /// The session is gone: it leaves everywhere, and others are told.
    pub(crate) fn close(&mut self, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        let Some(visitor) = self.visitors.get_mut(session) else {
            return;
        };
        for (at, serial) in std::mem::take(&mut visitor.follows) {
            self.rooms[at].followers.remove(&serial);
            self.followers -= 1;
            self.forget_if_unused(at);
        }
        let member_of = self.visitors.get(session).map(|visitor| visitor.member_of.clone());
        for at in member_of.into_iter().flatten().map(|(at, _)| at) {
            self.leave(session, at, outbox);
            self.forget_if_unused(at);
        }
        self.visitors.remove(session);
    }

    /// Tells the session where it has missed changes.
    pub(crate) fn drained(&mut self, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        let Some(visitor) = self.visitors.get(session) else {
            return;
        };
        for (at, serial) in &visitor.follows {
            let (name, room) = self.rooms.entry_mut(*at);
            let follower = room.followers.get_mut(serial).expect("a follower is in its room");
            if !follower.missed {
                continue;
            }
            if !outbox.has_room(session) {
                return;
            }
            follower.missed = false;
            if planted!("missed-change-is-not-told") {
                continue;
            }
            let change = PresenceChange { channel: channel_name(name), change: Change::Missed };
            outbox.push(session, Push::Presence(change));
        }
    }

    /// Adds its part to the census.
    pub(crate) fn count(&self, census: &mut Census) {
        census.rooms = self.rooms.len();
        census.members = self.members;
        census.followers = self.followers;
        census.visitors = self.visitors.len();
        census.presence_bytes = self.bytes();
    }

    /// Returns the room, in which the session is a member with this identity now.
    fn admit(
        &mut self,
        session: SessionId,
        channel: ChannelName<'_>,
        identity: &[u8],
    ) -> Result<u32, Refusal> {
        let known = self.rooms.find(channel.as_bytes());
        let own = self.visitors.get(session);
        let serial = known.and_then(|at| own?.member_of.get(&at).copied());
        if let (Some(at), Some(serial)) = (known, serial) {
            let member = self.rooms[at].members.get(&serial).expect("a member is in its room");
            let before = member.as_told().identity.len();
            self.check_bytes(identity.len().saturating_sub(before))?;
            let member = self.rooms[at].members.get_mut(&serial).expect("it was there");
            self.identity_bytes -= member.rename(identity);
            self.identity_bytes += identity.len();
            return Ok(at);
        }
        if self.members >= self.limits.presence_members_max {
            let max = self.limits.presence_members_max;
            return Err(BrokerLimits::reached("presence_members_max", max));
        }
        let at = self.visit(session, channel, known, identity.len())?;
        let serial = self.numbers.next();
        self.rooms[at].members.insert(serial, Member::new(session, identity));
        self.visitors.get_or_default(session).member_of.insert(at, serial);
        self.members += 1;
        self.identity_bytes += identity.len();
        Ok(at)
    }

    fn begin_to_follow(
        &mut self,
        session: SessionId,
        channel: ChannelName<'_>,
    ) -> Result<(), Refusal> {
        let known = self.rooms.find(channel.as_bytes());
        let own = self.visitors.get(session);
        if known.is_some_and(|at| own.is_some_and(|own| own.follows.contains_key(&at))) {
            return Ok(());
        }
        if self.followers >= self.limits.presence_followers_max {
            let max = self.limits.presence_followers_max;
            return Err(BrokerLimits::reached("presence_followers_max", max));
        }
        let at = self.visit(session, channel, known, 0)?;
        let serial = self.numbers.next();
        self.rooms[at].followers.insert(serial, Follower::new(session));
        self.visitors.get_or_default(session).follows.insert(at, serial);
        self.followers += 1;
        Ok(())
    }

    /// The room of a channel, a new one if there is none, for a session that has nothing to do with it yet
    /// and may have.
    fn visit(
        &mut self,
        session: SessionId,
        channel: ChannelName<'_>,
        known: Option<u32>,
        identity_bytes: usize,
    ) -> Result<u32, Refusal> {
        let max = self.limits.presences_per_session_max;
        if self.visitors.get(session).map_or(0, Visitor::len) >= max {
            return Err(BrokerLimits::reached("presences_per_session_max", max));
        }
        let name = channel.as_bytes();
        self.check_bytes(identity_bytes + known.map_or(name.len(), |_| 0))?;
        Ok(known.unwrap_or_else(|| self.rooms.insert(name, Room::default())))
    }

    fn leave(&mut self, session: SessionId, at: u32, outbox: &mut impl Outbox<ChannelWire>) {
        let visitor = self.visitors.get_mut(session);
        let Some(serial) = visitor.and_then(|visitor| visitor.member_of.remove(&at)) else {
            return;
        };
        let (name, room) = self.rooms.entry_mut(at);
        let member = room.members.remove(&serial).expect("a member is in its room");
        self.members -= 1;
        self.identity_bytes -= member.as_told().identity.len();
        let left = Change::Left { session: session.as_u64() };
        if !planted!("leaving-is-not-told") {
            room.tell(channel_name(name), left, outbox);
        }
        self.forget_visitor_if_unused(session);
    }

    fn end_following(&mut self, session: SessionId, channel: ChannelName<'_>) {
        let Some(at) = self.rooms.find(channel.as_bytes()) else { return };
        let visitor = self.visitors.get_mut(session);
        if let Some(serial) = visitor.and_then(|visitor| visitor.follows.remove(&at)) {
            self.rooms[at].followers.remove(&serial);
            self.followers -= 1;
            self.forget_visitor_if_unused(session);
            self.forget_if_unused(at);
        }
    }

    fn forget_visitor_if_unused(&mut self, session: SessionId) {
        if self.visitors.get(session).is_some_and(|visitor| visitor.len() == 0) {
            self.visitors.remove(session);
        }
    }

    fn forget_if_unused(&mut self, at: u32) {
        if self.rooms[at].is_unused() {
            self.rooms.remove(at);
        }
    }

    fn check_bytes(&self, more: usize) -> Result<(), Refusal> {
        let max = self.limits.presence_bytes_max;
        match more > 0 && self.bytes() + more > max {
            true => Err(BrokerLimits::reached("presence_bytes_max", max)),
            false => Ok(()),
        }
    }

    fn bytes(&self) -> usize {
        self.identity_bytes + self.rooms.name_bytes()
    }
}

fn channel_name(name: &[u8]) -> ChannelName<'_> {
    ChannelName::new(name).expect("it was a channel's name when it came")
}
