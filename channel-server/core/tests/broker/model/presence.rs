//! The model of presence: lists of members and followers, and what every follower believes.

use super::{LIMITS, SESSIONS, check_refused, push, reply};
use crate::outbox::Watched;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};
use workyard_channel_core::{Broker, Census};
use workyard_engine::{Caller, Effect, Engine, SessionId, Time};
use workyard_protocol::channel::{
    Change, Enter, FollowPresence, Member, Presence, PresenceChange, Push, Reply, Request,
};
use workyard_protocol::{ChannelName, Reason};

const CHANNELS: [&str; 3] = ["a", "room", ""];
const IDENTITIES: [&str; 4] = ["", "x", "tom", "thomas"];

#[derive(Clone, Debug)]
enum Step {
    Enter(&'static str, Option<&'static str>),
    Follow(&'static str, bool),
    Close,
    Full,
    Drained,
}

fn step() -> impl Strategy<Value = Step> {
    let channel = || select(&CHANNELS[..]);
    let identity = prop::option::weighted(0.7, select(&IDENTITIES[..]));
    prop_oneof![
        8 => (channel(), identity).prop_map(|(name, identity)| Step::Enter(name, identity)),
        5 => (channel(), prop::bool::weighted(0.8)).prop_map(|(name, on)| Step::Follow(name, on)),
        2 => Just(Step::Close),
        2 => Just(Step::Full),
        3 => Just(Step::Drained),
    ]
}

proptest! {
    #[test]
    fn followers_know_who_is_there_or_that_they_do_not(
        steps in prop::collection::vec((0..SESSIONS, step()), 1..120),
    ) {
        let mut world = World::new();
        for (slot, step) in steps {
            world.take_step(slot, &step);
            world.check_beliefs();
            world.check_pages();
            world.check_census();
        }
        (0..SESSIONS).for_each(|slot| world.close(slot));
        assert_eq!(world.broker.census(), Census::default());
    }
}

type Members = BTreeMap<u64, Vec<u8>>;

/// A follower, and who it believes to be there: it learns that from pages once, then from changes.
struct Follower {
    channel: &'static str,
    session: SessionId,
    /// Nothing when a change may have been missed, and no page was asked for since.
    belief: Option<Members>,
}

struct World {
    broker: Broker,
    outbox: Watched,
    sessions: [SessionId; SESSIONS],
    /// In the order of entering.
    members: Vec<(&'static str, SessionId, &'static str)>,
    followers: Vec<Follower>,
}

impl World {
    fn new() -> Self {
        Self {
            broker: Broker::new(LIMITS),
            outbox: Watched::default(),
            sessions: std::array::from_fn(|slot| SessionId::new(slot.try_into().unwrap(), 0)),
            members: Vec::new(),
            followers: Vec::new(),
        }
    }

    fn take_step(&mut self, slot: usize, step: &Step) {
        let by = self.sessions[slot];
        match step {
            Step::Enter(channel, identity) => self.enter(by, channel, *identity),
            Step::Follow(channel, on) => self.follow(by, channel, *on),
            Step::Close => self.close(slot),
            Step::Full => {
                self.outbox.full().insert(by);
            }
            Step::Drained => {
                self.outbox.full().remove(&by);
                self.broker.drained(Time::default(), by, &mut self.outbox);
                let effects = self.outbox.take();
                self.learn(&effects);
            }
        }
    }

    fn enter(&mut self, by: SessionId, channel: &'static str, identity: Option<&'static str>) {
        let name = ChannelName::new(channel).unwrap();
        let bytes = identity.map(str::as_bytes);
        let known =
            self.members.iter().position(|(room, session, _)| (*room, *session) == (channel, by));
        let is_above = self.is_above(by, channel, known, identity);
        let effects = self.send(by, Request::Enter(Enter { channel: name, identity: bytes }));
        if is_above {
            return check_refused(&effects, Reason::LimitReached);
        }
        assert_eq!(reply(&effects[0]), Reply::Done);
        match (identity, known) {
            (Some(identity), Some(at)) => self.members[at].2 = identity,
            (Some(identity), None) => self.members.push((channel, by, identity)),
            (None, Some(at)) => drop(self.members.remove(at)),
            (None, None) => assert_eq!(effects.len(), 1),
        }
        self.learn(&effects[1..]);
    }

    fn is_above(
        &self,
        by: SessionId,
        channel: &str,
        known: Option<usize>,
        identity: Option<&str>,
    ) -> bool {
        let Some(identity) = identity else { return false };
        if let Some(at) = known {
            let more = identity.len().saturating_sub(self.members[at].2.len());
            return more > 0 && self.bytes() + more > LIMITS.presence_bytes_max;
        }
        let more = identity.len() + self.new_name_bytes(channel);
        self.members.len() >= LIMITS.presence_members_max
            || self.presences(by) >= LIMITS.presences_per_session_max
            || (more > 0 && self.bytes() + more > LIMITS.presence_bytes_max)
    }

    fn follow(&mut self, by: SessionId, channel: &'static str, on: bool) {
        let follows = |follower: &Follower| (follower.channel, follower.session) == (channel, by);
        let known = self.followers.iter().any(follows);
        let more = self.new_name_bytes(channel);
        let is_above = on
            && !known
            && (self.followers.len() >= LIMITS.presence_followers_max
                || self.presences(by) >= LIMITS.presences_per_session_max
                || (more > 0 && self.bytes() + more > LIMITS.presence_bytes_max));
        let request = FollowPresence { channel: ChannelName::new(channel).unwrap(), on };
        let effects = self.send(by, Request::FollowPresence(request));
        if is_above {
            return check_refused(&effects, Reason::LimitReached);
        }
        assert_eq!((effects.len(), reply(&effects[0])), (1, Reply::Done));
        match (on, known) {
            (true, false) => {
                let belief = Some(self.pages(channel, 2));
                self.followers.push(Follower { channel, session: by, belief });
            }
            (false, true) => self.followers.retain(|follower| !follows(follower)),
            _ => {}
        }
    }

    /// The slot is used again by a session of the next generation.
    fn close(&mut self, slot: usize) {
        let gone = self.sessions[slot];
        let generation = u32::try_from(gone.as_u64() >> 32).unwrap() + 1;
        self.sessions[slot] = SessionId::new(slot.try_into().unwrap(), generation);
        self.members.retain(|(_, session, _)| *session != gone);
        self.followers.retain(|follower| follower.session != gone);
        self.outbox.full().remove(&gone);
        self.broker.close(Time::default(), gone, &mut self.outbox);
        let effects = self.outbox.take();
        self.learn(&effects);
    }

    /// Has the followers learn what they are told. Those who have no room may have missed something.
    fn learn(&mut self, effects: &[Effect]) {
        for effect in effects {
            let Effect::Push(to, frame) = effect else { panic!("no change: {effect:?}") };
            let Push::Presence(PresenceChange { channel, change }) = push(frame) else {
                panic!("no change")
            };
            assert!(!self.outbox.full().contains(to), "{to:?} has no room");
            let channel = CHANNELS.into_iter().find(|name| name.as_bytes() == channel.as_bytes());
            let channel = channel.unwrap();
            let pages = matches!(change, Change::Missed).then(|| self.pages(channel, 3));
            let follows =
                |follower: &&mut Follower| (follower.channel, follower.session) == (channel, *to);
            let follower = self.followers.iter_mut().find(follows).expect("it follows");
            match (change, &mut follower.belief) {
                (Change::Missed, belief) => *belief = pages,
                (Change::Joined(Member { session, identity }), Some(belief)) => {
                    belief.insert(session, identity.to_vec());
                }
                (Change::Left { session }, Some(belief)) => {
                    assert!(belief.remove(&session).is_some(), "it was there");
                }
                (_, None) => panic!("it is told that it missed something before anything else"),
            }
        }
        let full = self.outbox.full().clone();
        for follower in
            self.followers.iter_mut().filter(|follower| full.contains(&follower.session))
        {
            let is_true = follower.belief.as_ref() == Some(&there(&self.members, follower.channel));
            if !is_true {
                follower.belief = None;
            }
        }
    }

    fn check_beliefs(&self) {
        for follower in &self.followers {
            if let Some(belief) = &follower.belief {
                assert_eq!(*belief, there(&self.members, follower.channel));
            }
        }
    }

    fn check_pages(&mut self) {
        for channel in CHANNELS {
            for limit in [1, 2, 1000] {
                assert_eq!(self.pages(channel, limit), there(&self.members, channel));
            }
        }
    }

    /// Everybody who is listed, asked for page by page.
    fn pages(&mut self, channel: &str, limit: u32) -> Members {
        let (mut all, mut cursor) = (Members::new(), 0);
        loop {
            let channel = ChannelName::new(channel).unwrap();
            let request = Request::Presence(Presence { channel, cursor, limit });
            let caller = Caller { session: SessionId::new(99, 0), request: 1 };
            let mut outbox = Watched::default();
            self.broker.handle(Time::default(), caller, request, &mut outbox);
            let effects = outbox.take();
            let Reply::Presence(page) = reply(&effects[0]) else { panic!("{effects:?}") };
            for Member { session, identity } in page.member_list {
                assert_eq!(all.insert(session, identity.to_vec()), None, "listed once");
            }
            cursor = page.cursor;
            if cursor == 0 {
                assert_eq!(page.members, all.len() as u64);
                return all;
            }
        }
    }

    fn send(&mut self, by: SessionId, request: Request<'_>) -> Vec<Effect> {
        let caller = Caller { session: by, request: 1 };
        self.broker.handle(Time::default(), caller, request, &mut self.outbox);
        self.outbox.take()
    }

    fn presences(&self, session: SessionId) -> usize {
        self.members.iter().filter(|(_, member, _)| *member == session).count()
            + self.followers.iter().filter(|follower| follower.session == session).count()
    }

    fn rooms(&self) -> BTreeSet<&'static str> {
        let followed = self.followers.iter().map(|follower| follower.channel);
        self.members.iter().map(|(channel, _, _)| *channel).chain(followed).collect()
    }

    fn new_name_bytes(&self, channel: &str) -> usize {
        if self.rooms().contains(channel) { 0 } else { channel.len() }
    }

    fn bytes(&self) -> usize {
        let names: usize = self.rooms().iter().map(|name| name.len()).sum();
        names + self.members.iter().map(|(_, _, identity)| identity.len()).sum::<usize>()
    }

    fn check_census(&self) {
        let following = self.followers.iter().map(|follower| follower.session);
        let visitors: BTreeSet<_> =
            self.members.iter().map(|(_, session, _)| *session).chain(following).collect();
        let expected = Census {
            rooms: self.rooms().len(),
            members: self.members.len(),
            followers: self.followers.len(),
            visitors: visitors.len(),
            presence_bytes: self.bytes(),
            ..Census::default()
        };
        assert_eq!(self.broker.census(), expected);
    }
}

/// Who is in a channel.
fn there(all: &[(&str, SessionId, &str)], channel: &str) -> Members {
    let here = all.iter().filter(|(room, _, _)| *room == channel);
    here.map(|(_, session, identity)| (session.as_u64(), identity.as_bytes().to_vec())).collect()
}
