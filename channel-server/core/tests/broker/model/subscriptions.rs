//! The model of channels: a list of subscriptions, searched from end to end.

use super::{CHANNELS, LIMITS, push, reply};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use workyard_channel_core::Census;
use workyard_engine::{Effect, SessionId};
use workyard_protocol::channel::{Delivery, Interest, Push, Reply, Topic};
use workyard_protocol::{ChannelName, GroupName, Pattern, ValueRef};

const PATTERNS: [&str; 7] = ["a.*", "a.>", ">", "*", "a.b", "*.b", "*.*.>"];
const GROUPS: [&str; 2] = ["g", "h"];

/// Whether it is a pattern, the name, the group.
pub(super) type Interests = Vec<(bool, &'static str, Option<&'static str>)>;

pub(super) fn interests() -> impl Strategy<Value = Interests> {
    let topic = prop_oneof![
        select(&CHANNELS[..]).prop_map(|name| (false, name)),
        select(&PATTERNS[..]).prop_map(|name| (true, name)),
    ];
    let interest = (topic, prop::option::weighted(0.3, select(&GROUPS[..])));
    prop::collection::vec(interest.prop_map(|((kind, name), group)| (kind, name, group)), 1..4)
}

pub(super) fn parse(interests: &Interests) -> Vec<Interest<'static>> {
    let parse = |(is_pattern, name, group): &(bool, &'static str, Option<&'static str>)| Interest {
        topic: if *is_pattern {
            Topic::Pattern(Pattern::new(*name).unwrap())
        } else {
            Topic::Channel(ChannelName::new(*name).unwrap())
        },
        group: group.map(|group| GroupName::new(group).unwrap()),
    };
    interests.iter().map(parse).collect()
}

/// In the order in which they were made; and the number of each channel's last message, from the first on
/// that somebody was there for.
#[derive(Clone, Default)]
pub(super) struct Subscriptions(Vec<(SessionId, Interest<'static>)>, BTreeMap<String, u64>);

impl Subscriptions {
    /// Whether it must be carried out; if not, nothing has changed.
    pub(super) fn subscribe(&mut self, by: SessionId, interests: &[Interest<'static>]) -> bool {
        let before = self.clone();
        for interest in interests {
            if self.0.contains(&(by, *interest)) {
                continue;
            }
            let own = self.0.iter().filter(|(session, _)| *session == by).count();
            if own >= LIMITS.subscriptions_per_session_max
                || self.0.len() >= LIMITS.subscriptions_max
            {
                *self = before;
                return false;
            }
            self.0.push((by, *interest));
        }
        true
    }

    pub(super) fn unsubscribe(&mut self, by: SessionId, interests: &[Interest<'static>]) {
        self.0.retain(|(session, interest)| *session != by || !interests.contains(interest));
    }

    pub(super) fn close(&mut self, gone: SessionId) {
        self.0.retain(|(session, _)| *session != gone);
    }

    pub(super) fn count(&self, census: &mut Census) {
        let topics: HashSet<_> = self.0.iter().map(|(_, interest)| interest.topic).collect();
        let is_channel = |topic: &&Topic<'_>| matches!(topic, Topic::Channel(_));
        census.channels = topics.iter().filter(is_channel).count();
        census.patterns = topics.len() - census.channels;
        let groups: HashSet<_> = self.0.iter().filter_map(|(_, interest)| interest.group).collect();
        census.groups = groups.len();
        census.subscriptions = self.0.len();
        let subscribers: HashSet<_> = self.0.iter().map(|(session, _)| *session).collect();
        census.subscribers = subscribers.len();
    }

    /// Checks the effects of publishing to these channels.
    pub(super) fn check(
        &mut self,
        channels: &[&str],
        effects: &[Effect],
        full: &HashSet<SessionId>,
    ) {
        let (last, publications) = effects.split_last().expect("a reply");
        let mut publications = publications.iter();
        let mut expected = 0;
        for channel in channels {
            let everybody = self.everybody(channel);
            let mut groups = self.groups(channel);
            let number = self.next_number(channel, !everybody.is_empty() || !groups.is_empty());
            if !everybody.is_empty() {
                let (to, delivery, sequence) = read(publications.next(), channel);
                let expected = (&everybody[..], Delivery::Everybody, number);
                assert_eq!((to, delivery, sequence), expected);
            }
            expected += everybody.len() + groups.len();
            while !groups.is_empty() {
                let (to, delivery, sequence) = read(publications.next(), channel);
                assert_eq!(sequence, number);
                let Delivery::Group(group) = delivery else { panic!("{delivery:?}") };
                let members = groups.remove(&group).expect("once for each group");
                check_picked(to, &members, full);
            }
        }
        assert_eq!(publications.next(), None);
        assert_eq!(reply(last), Reply::Published { receivers: expected as u64 });
    }

    /// Checks the effects of publishing to one subscriber.
    pub(super) fn check_one(
        &mut self,
        channel: &str,
        effects: &[Effect],
        full: &HashSet<SessionId>,
    ) {
        if self.matching(channel).next().is_some() {
            self.1.entry(channel.to_owned()).or_default();
        }
        let everybody: BTreeSet<SessionId> = self.everybody(channel).into_iter().collect();
        let (last, publications) = effects.split_last().expect("a reply");
        let receivers = u64::from(!everybody.is_empty());
        assert_eq!(publications.len() as u64, receivers);
        assert_eq!(reply(last), Reply::Published { receivers });
        for publication in publications {
            let (to, delivery, sequence) = read(Some(publication), channel);
            assert_eq!((delivery, sequence), (Delivery::One, 0));
            check_picked(to, &everybody, full);
        }
    }

    fn next_number(&mut self, channel: &str, somebody_is_there: bool) -> u64 {
        if somebody_is_there {
            self.1.entry(channel.to_owned()).or_default();
        }
        self.1.get_mut(channel).map_or(0, |last| {
            *last += 1;
            *last
        })
    }

    fn everybody(&self, channel: &str) -> Vec<SessionId> {
        let mut sessions = Vec::new();
        for (session, interest) in self.matching(channel) {
            if interest.group.is_none() && !sessions.contains(session) {
                sessions.push(*session);
            }
        }
        sessions
    }

    fn groups(&self, channel: &str) -> BTreeMap<GroupName<'static>, BTreeSet<SessionId>> {
        let mut groups: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (session, interest) in self.matching(channel) {
            if let Some(group) = interest.group {
                groups.entry(group).or_default().insert(*session);
            }
        }
        groups
    }

    fn matching(&self, channel: &str) -> impl Iterator<Item = &(SessionId, Interest<'static>)> {
        self.0.iter().filter(move |(_, interest)| match interest.topic {
            Topic::Channel(name) => name.as_bytes() == channel.as_bytes(),
            Topic::Pattern(pattern) => pattern.matches(channel.as_bytes()),
        })
    }
}

fn read<'a>(effect: Option<&'a Effect>, expected: &str) -> (&'a [SessionId], Delivery<'a>, u64) {
    let Some(Effect::Publish(to, frame)) = effect else { panic!("no publication: {effect:?}") };
    let Push::Message { delivery, channel, sequence, position: 0, value } = push(frame) else {
        panic!("no message")
    };
    assert_eq!((channel.as_bytes(), value), (expected.as_bytes(), ValueRef::Int(7)));
    (to, delivery, sequence)
}

fn check_picked(to: &[SessionId], members: &BTreeSet<SessionId>, full: &HashSet<SessionId>) {
    let [to] = to else { panic!("exactly one is picked, not {to:?}") };
    assert!(members.contains(to), "{to:?} is not among {members:?}");
    let somebody_has_room = members.iter().any(|member| !full.contains(member));
    assert!(!full.contains(to) || !somebody_has_room, "{to:?} has no room, others have");
}
