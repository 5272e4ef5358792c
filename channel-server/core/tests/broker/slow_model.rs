//! Slow sessions of every kind, compared with a model that looks at everything it knows each time; and
//! whatever is published, each session has each message once or is told that it is missing.

mod model;
mod streams;

use model::Model;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use streams::Streams;
use workyard_channel_core::{Broker, BrokerLimits, Census};
use workyard_engine::{Caller, Engine, SessionId, Time};
use workyard_protocol::channel::{
    Interest, Publish, Request, Subscribe, Subscription, Topic, Unsubscribe, WhenSlow,
};
use workyard_protocol::{ChannelName, Pattern, ValueRef};

const SESSIONS: u32 = 3;
const CHANNELS: [&str; 3] = ["a", "b", "c"];
/// In the order in which the broker finds them: a channel, then its patterns.
const TOPICS: [&str; 5] = ["a", "b", "c", ">", "*"];
const POLICIES: [WhenSlow; 4] =
    [WhenSlow::DropNewest, WhenSlow::Latest, WhenSlow::DropOldest, WhenSlow::Disconnect];

/// Low enough to be met: about three messages for one subscription, five for all.
const LIMITS: Limits = Limits { messages: 3, bytes: 900, all_bytes: 1500 };

#[derive(Clone, Copy, Debug)]
struct Limits {
    messages: usize,
    bytes: usize,
    all_bytes: usize,
}

/// Who saw what.
type Sight = (SessionId, String);

#[derive(Clone, Debug)]
enum Step {
    Subscribe(u32, &'static str, WhenSlow),
    Unsubscribe(u32, &'static str),
    /// A channel, and the size of the message.
    Publish(&'static str, usize),
    /// From now on a session takes so many messages.
    Room(u32, usize),
    /// The same, and the broker hears of it.
    Drained(u32, usize),
    /// What was published is sent.
    EndTurn,
    Close(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let topic = || select(&TOPICS[..]);
    prop_oneof![
        4 => (0..SESSIONS, topic(), select(&POLICIES[..]))
            .prop_map(|(session, topic, policy)| Step::Subscribe(session, topic, policy)),
        1 => (0..SESSIONS, topic()).prop_map(|(session, topic)| Step::Unsubscribe(session, topic)),
        12 => (select(&CHANNELS[..]), select(vec![1, 1, 1, 50, 400, 1000]))
            .prop_map(|(channel, size)| Step::Publish(channel, size)),
        3 => (0..SESSIONS, 0..4usize).prop_map(|(session, room)| Step::Room(session, room)),
        4 => (0..SESSIONS, 0..6usize).prop_map(|(session, room)| Step::Drained(session, room)),
        2 => Just(Step::EndTurn),
        1 => (0..SESSIONS).prop_map(Step::Close),
    ]
}

proptest! {
    #[test]
    fn slow_sessions_get_what_their_subscriptions_say(
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let mut world = World::new(false);
        steps.iter().for_each(|step| world.take(step));
        world.drain_everything();
    }

    #[test]
    fn nothing_is_lost_untold_where_room_is_found_once_for_many(
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let mut world = World::new(true);
        steps.iter().for_each(|step| world.take(step));
        world.drain_everything();
    }
}

struct World {
    broker: Broker,
    streams: Streams,
    model: Model,
    generations: BTreeMap<u32, u32>,
    /// Whether the model can tell who has room.
    is_exact: bool,
}

impl World {
    fn new(batches: bool) -> Self {
        let limits = BrokerLimits {
            held_messages_per_subscription_max: LIMITS.messages,
            held_bytes_per_subscription_max: LIMITS.bytes,
            held_bytes_max: LIMITS.all_bytes,
            ..BrokerLimits::default()
        };
        Self {
            broker: Broker::new(limits),
            streams: Streams::new(batches),
            model: Model::default(),
            generations: BTreeMap::new(),
            is_exact: !batches,
        }
    }

    fn session(&self, slot: u32) -> SessionId {
        SessionId::new(slot, self.generations.get(&slot).copied().unwrap_or(0))
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Subscribe(slot, topic, when_slow) => {
                let wanted = Subscription { when_slow, ..Subscription::live(interest(topic)) };
                let subscribe = Subscribe { subscriptions: vec![wanted] };
                self.ask(self.session(slot), Request::Subscribe(subscribe));
                self.model.subscribe(self.session(slot), topic, when_slow);
            }
            Step::Unsubscribe(slot, topic) => {
                let unsubscribe = Unsubscribe { interests: vec![interest(topic)] };
                self.ask(self.session(slot), Request::Unsubscribe(unsubscribe));
                self.model.unsubscribe(self.session(slot), topic);
                let (session, model) = (self.session(slot), &self.model);
                self.streams.forget_unwanted(session, |channel| model.is_wanted(session, channel));
            }
            Step::Publish(channel, size) => {
                for session in self.model.publish(channel, size) {
                    self.streams.expect(session, channel);
                }
                let value = vec![7; size];
                let channel = ChannelName::new(channel).unwrap();
                let publish = Publish { channel, value: ValueRef::raw(&value) };
                self.ask(SessionId::new(99, 0), Request::Publish(publish));
            }
            Step::Room(slot, room) => {
                self.streams.set_room(self.session(slot), room);
                self.model.set_room(self.session(slot), room);
            }
            Step::Drained(slot, room) => {
                self.streams.set_room(self.session(slot), room);
                self.model.drained(self.session(slot), room);
                self.broker.drained(Time::default(), self.session(slot), &mut self.streams);
            }
            Step::EndTurn => self.streams.end_turn(),
            Step::Close(slot) => self.close(slot),
        }
        self.compare();
    }

    fn ask(&mut self, session: SessionId, request: Request<'_>) {
        let caller = Caller { session, request: 1 };
        self.broker.handle(Time::default(), caller, request, &mut self.streams);
    }

    fn close(&mut self, slot: u32) {
        let gone = self.session(slot);
        self.broker.close(Time::default(), gone, &mut self.streams);
        self.model.close(gone);
        self.streams.close(gone);
        *self.generations.entry(slot).or_default() += 1;
    }

    fn compare(&mut self) {
        for slot in 0..SESSIONS {
            let session = self.session(slot);
            if self.streams.has_ended(session) {
                self.close(slot);
            }
        }
        let Census { held_messages, held_bytes, .. } = self.broker.census();
        assert!(held_bytes <= LIMITS.all_bytes, "{held_bytes} bytes are held");
        let (seen, expected) = (self.streams.take_seen(), self.model.take_seen());
        if self.is_exact {
            assert_eq!(in_order(seen), in_order(expected));
            assert_eq!((held_messages, held_bytes), self.model.held());
        }
    }

    /// Everybody has room again: then each has had each message, or knows that it is missing.
    fn drain_everything(&mut self) {
        self.streams.end_turn();
        for slot in 0..SESSIONS {
            self.take(&Step::Drained(slot, usize::MAX));
        }
        let census = self.broker.census();
        assert_eq!((census.slow_sessions, census.held_messages, census.held_bytes), (0, 0, 0));
        for slot in 0..SESSIONS {
            self.streams.check_counts(self.session(slot));
        }
    }
}

fn interest(topic: &str) -> Interest<'_> {
    let topic = match topic {
        ">" | "*" => Topic::Pattern(Pattern::new(topic).unwrap()),
        name => Topic::Channel(ChannelName::new(name).unwrap()),
    };
    Interest { topic, group: None }
}

/// What each session saw, with gaps that stand together in one order: which comes first is left open.
fn in_order(mut seen: Vec<Sight>) -> Vec<Sight> {
    seen.sort_by_key(|(session, _)| *session);
    let is_run = |(one, text): &Sight, (other, next): &Sight| {
        one == other && text.contains("missed") && next.contains("missed")
    };
    seen.chunk_by_mut(is_run).for_each(<[Sight]>::sort);
    seen
}

/// Whether a subscription to the one has the messages of the other.
fn covers(topic: &str, channel: &str) -> bool {
    matches!(topic, ">" | "*") || topic == channel
}
