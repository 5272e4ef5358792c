//! Random requests of several sessions, compared with a model that is too simple to be wrong.

mod jobs;
mod presence;
mod questions;
mod settings;
mod subscriptions;
mod work;

use crate::outbox::Watched;
use jobs::{Jobs, Wish};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use settings::Setup;
use subscriptions::{Interests, Subscriptions};
use workyard_channel_core::{Broker, BrokerLimits, Census};
use workyard_engine::{Caller, Effect, Engine, SessionId, Time, read};
use workyard_protocol::channel::{
    Publish, PublishMany, PublishOne, Push, Reply, Request, Subscribe, Unsubscribe,
};
use workyard_protocol::{ChannelName, Reason, ToClient, ValueRef};

const SESSIONS: usize = 5;
const CHANNELS: [&str; 6] = ["a", "a.b", "a.c", "b", "", "a.b.c"];
const QUEUES: [&str; 4] = ["q", "r", "", "q.dead"];
const IDS: [&str; 4] = ["a", "b", "c", ""];

/// Low enough to be met.
const LIMITS: BrokerLimits = BrokerLimits {
    sequence_bytes_max: 1 << 20,
    history_rules_max: 10,
    history_bytes_max: 1 << 20,
    replays_per_session_max: 10,
    replays_max: 10,
    subscriptions_per_session_max: 8,
    subscriptions_max: 25,
    patterns_max: 100,
    name_bytes_max: 1000,
    held_messages_per_subscription_max: 10,
    held_bytes_per_subscription_max: 10_000,
    held_bytes_max: 10_000,
    queues_max: 100,
    queue_jobs_max: 6,
    queue_bytes_max: 1_000_000,
    consumers_per_session_max: 100,
    services_per_session_max: 3,
    services_max: 8,
    questions_max: 12,
    questions_per_session_max: 4,
    questions_per_responder_max: 3,
    question_bytes_max: 300,
    presences_per_session_max: 4,
    presence_members_max: 7,
    presence_followers_max: 5,
    presence_bytes_max: 30,
    job_attempts_max: 3,
    queue_lease_ms: 150,
    queue_dedup_window_ms: 100,
    dedup_ids_max: 3,
    reserve_at_most_once: false,
};

#[derive(Clone, Debug)]
enum Step {
    Subscribe(Interests),
    Unsubscribe(Interests),
    Publish(&'static str),
    PublishMany(Vec<&'static str>),
    PublishOne(&'static str),
    Enqueue(Wish),
    Consume(&'static str, u32),
    Watch(&'static str),
    Reserve,
    AckOldest,
    /// A lease that the session has, if it has any, else any number.
    Ack(Index),
    /// Any number: mostly somebody else's lease, or one that is over.
    AckAny(u64),
    /// A lease of the session, given back.
    Nack(Index, Option<u64>),
    /// A lease of the session, and any number.
    Renew(Index, u64),
    Cancel(&'static str),
    Remove(&'static str, u64),
    Configure(&'static str, Setup),
    Redrive(&'static str, usize),
    /// So many milliseconds pass.
    Wait(u64),
    Close,
    Full,
    Drained,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => subscriptions::interests().prop_map(Step::Subscribe),
        3 => subscriptions::interests().prop_map(Step::Unsubscribe),
        5 => select(&CHANNELS[..]).prop_map(Step::Publish),
        1 => prop::collection::vec(select(&CHANNELS[..]), 0..4).prop_map(Step::PublishMany),
        4 => select(&CHANNELS[..]).prop_map(Step::PublishOne),
        8 => wish().prop_map(Step::Enqueue),
        4 => (select(&QUEUES[..]), 1..4_u32).prop_map(|(queue, most)| Step::Consume(queue, most)),
        3 => select(&QUEUES[..]).prop_map(Step::Watch),
        4 => Just(Step::Reserve),
        3 => Just(Step::AckOldest),
        4 => any::<Index>().prop_map(Step::Ack),
        1 => (0..40_u64).prop_map(Step::AckAny),
        4 => (any::<Index>(), select(vec![None, None, Some(0), Some(60)]))
            .prop_map(|(lease, delay)| Step::Nack(lease, delay)),
        2 => (any::<Index>(), 0..40_u64).prop_map(|(lease, any)| Step::Renew(lease, any)),
        2 => select(&QUEUES[..]).prop_map(Step::Cancel),
        2 => (select(&QUEUES[..]), 0..20_u64).prop_map(|(queue, job)| Step::Remove(queue, job)),
        2 => (select(&QUEUES[..]), select(&Setup::ALL[..]))
            .prop_map(|(queue, setup)| Step::Configure(queue, setup)),
        2 => (select(&QUEUES[..]), 1..4_usize)
            .prop_map(|(queue, limit)| Step::Redrive(queue, limit)),
        6 => (1..200_u64).prop_map(Step::Wait),
        2 => Just(Step::Close),
        2 => Just(Step::Full),
        3 => Just(Step::Drained),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    let delay = select(vec![0, 0, 0, 30, 120]);
    let priority = select(vec![0, 0, 0, 1, 255]);
    let id = prop::option::weighted(0.3, select(&IDS[..]));
    (select(&QUEUES[..]), delay, priority, id).prop_map(|(queue, delay, priority, id)| Wish {
        queue,
        delay,
        priority,
        id,
    })
}

proptest! {
    #[test]
    fn the_broker_does_what_the_model_does(
        steps in prop::collection::vec((0..SESSIONS, step()), 1..120),
    ) {
        let mut world = World::new();
        for (slot, step) in steps {
            world.take_step(slot, &step);
            world.check_census();
        }
        world.work_everything_off();
    }
}

/// The broker and the model, side by side.
struct World {
    broker: Broker,
    outbox: Watched,
    sessions: [SessionId; SESSIONS],
    subscriptions: Subscriptions,
    jobs: Jobs,
    now: u64,
}

impl World {
    fn new() -> Self {
        Self {
            broker: Broker::new(LIMITS),
            outbox: Watched::default(),
            sessions: std::array::from_fn(|slot| SessionId::new(slot.try_into().unwrap(), 0)),
            subscriptions: Subscriptions::default(),
            jobs: Jobs::default(),
            now: 0,
        }
    }

    fn take_step(&mut self, slot: usize, step: &Step) {
        let by = self.sessions[slot];
        match step {
            Step::Subscribe(interests) => self.subscribe(by, interests),
            Step::Unsubscribe(interests) => self.unsubscribe(by, interests),
            Step::Publish(channel) => self.publish(by, channel),
            Step::PublishMany(channels) => self.publish_many(by, channels),
            Step::PublishOne(channel) => self.publish_one(by, channel),
            Step::Enqueue(wish) => self.enqueue(by, *wish),
            Step::Consume(queue, prefetch) => self.consume(by, queue, *prefetch),
            Step::Watch(queue) => self.watch(by, queue),
            Step::Reserve => self.reserve(by),
            Step::AckOldest => self.ack_oldest(by),
            Step::Ack(index) => self.ack(by, self.lease_of(by, *index)),
            Step::AckAny(lease) => self.ack(by, *lease),
            Step::Nack(index, delay) => self.nack(by, self.lease_of(by, *index), *delay),
            Step::Renew(index, any) => self.renew(by, [self.lease_of(by, *index), *any]),
            Step::Cancel(queue) => self.cancel(by, queue),
            Step::Remove(queue, job) => self.remove(by, queue, *job),
            Step::Configure(queue, setup) => self.configure(by, queue, *setup),
            Step::Redrive(queue, limit) => self.redrive(by, queue, *limit),
            Step::Wait(millis) => self.wait(*millis),
            Step::Close => self.close(slot),
            Step::Full => {
                self.outbox.full().insert(by);
            }
            Step::Drained => self.drained(by),
        }
    }

    fn subscribe(&mut self, by: SessionId, interests: &Interests) {
        let interests = subscriptions::parse(interests);
        let expected = self.subscriptions.subscribe(by, &interests);
        let effects = self.ask(by, Request::Subscribe(Subscribe::to(interests)));
        if expected {
            check_done(&effects);
        } else {
            check_refused(&effects, Reason::LimitReached);
        }
    }

    fn unsubscribe(&mut self, by: SessionId, interests: &Interests) {
        let interests = subscriptions::parse(interests);
        self.subscriptions.unsubscribe(by, &interests);
        check_done(&self.ask(by, Request::Unsubscribe(Unsubscribe { interests })));
    }

    fn publish(&mut self, by: SessionId, channel: &str) {
        let request =
            Publish { channel: ChannelName::new(channel).unwrap(), value: ValueRef::Int(7) };
        let effects = self.ask(by, Request::Publish(request));
        self.subscriptions.check(&[channel], &effects, self.outbox.full());
    }

    fn publish_many(&mut self, by: SessionId, names: &[&str]) {
        let channels = names.iter().map(|name| ChannelName::new(*name).unwrap()).collect();
        let request = PublishMany { channels, value: ValueRef::Int(7) };
        let effects = self.ask(by, Request::PublishMany(request));
        self.subscriptions.check(names, &effects, self.outbox.full());
    }

    fn publish_one(&mut self, by: SessionId, channel: &str) {
        let request =
            PublishOne { channel: ChannelName::new(channel).unwrap(), value: ValueRef::Int(7) };
        let effects = self.ask(by, Request::PublishOne(request));
        self.subscriptions.check_one(channel, &effects, self.outbox.full());
    }

    /// The slot is used again by a session of the next generation.
    fn close(&mut self, slot: usize) {
        let gone = self.sessions[slot];
        let generation = u32::try_from(gone.as_u64() >> 32).unwrap() + 1;
        self.sessions[slot] = SessionId::new(slot.try_into().unwrap(), generation);
        self.subscriptions.close(gone);
        self.jobs.close(gone);
        self.outbox.full().remove(&gone);
        self.broker.close(Time::from_millis(self.now), gone, &mut self.outbox);
        let effects = self.outbox.take();
        self.jobs.check(&effects, self.outbox.full());
    }

    fn drained(&mut self, by: SessionId) {
        self.outbox.full().remove(&by);
        self.broker.drained(Time::from_millis(self.now), by, &mut self.outbox);
        let effects = self.outbox.take();
        self.jobs.check(&effects, self.outbox.full());
    }

    fn ask(&mut self, by: SessionId, request: Request<'_>) -> Vec<Effect> {
        let caller = Caller { session: by, request: 1 };
        self.broker.handle(Time::from_millis(self.now), caller, request, &mut self.outbox);
        self.outbox.take()
    }

    fn check_reply_and_jobs(&mut self, effects: &[Effect], expected: &Reply<'_>) {
        assert_eq!(reply(&effects[0]), *expected);
        self.jobs.check(&effects[1..], self.outbox.full());
    }

    fn check_census(&self) {
        let mut expected = Census::default();
        self.subscriptions.count(&mut expected);
        self.jobs.count(&mut expected);
        let census = self.broker.census();
        let part = Census { holders: 0, name_bytes: 0, job_bytes: 0, ..census };
        assert_eq!(part, expected);
    }
}

fn check_done(effects: &[Effect]) {
    assert_eq!(effects.len(), 1, "{effects:?}");
    assert_eq!(reply(&effects[0]), Reply::Done);
}

fn check_refused(effects: &[Effect], expected: Reason) {
    match effects {
        [Effect::Refused(_, _, refusal)] => assert_eq!(refusal.reason, expected),
        other => panic!("{expected} expected, not {other:?}"),
    }
}

fn reply(effect: &Effect) -> Reply<'_> {
    let Effect::Reply(_, _, frame) = effect else { panic!("no reply: {effect:?}") };
    match read::<Reply<'_>, Push<'_>>(frame) {
        ToClient::Reply(_, reply) => reply,
        other => panic!("no reply: {other:?}"),
    }
}

fn push(frame: &[u8]) -> Push<'_> {
    match read::<Reply<'_>, Push<'_>>(frame) {
        ToClient::Push(push) => push,
        other => panic!("no push: {other:?}"),
    }
}
