//! Random requests of several sessions, compared with a model that is too simple to be wrong.

mod jobs;
mod presence;
mod questions;
mod subscriptions;

use crate::outbox::Watched;
use jobs::Jobs;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use subscriptions::{Interests, Subscriptions};
use workyard_channel_core::{Broker, BrokerLimits, Census};
use workyard_engine::{Caller, Effect, Engine, SessionId, Time, read};
use workyard_protocol::channel::{
    Ack, Cancel, Consume, Enqueue, Nack, Publish, PublishMany, PublishOne, Push, Reply, Request,
    Subscribe, Unsubscribe,
};
use workyard_protocol::{ChannelName, QueueName, Reason, ToClient, ValueRef};

const SESSIONS: usize = 5;
const CHANNELS: [&str; 6] = ["a", "a.b", "a.c", "b", "", "a.b.c"];
const QUEUES: [&str; 3] = ["q", "r", ""];

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
    queues_max: 100,
    queue_jobs_max: 6,
    queue_bytes_max: 1_000_000,
    consumers_per_session_max: 100,
    job_attempts_max: 0,
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
    reserve_at_most_once: false,
};

#[derive(Clone, Debug)]
enum Step {
    Subscribe(Interests),
    Unsubscribe(Interests),
    Publish(&'static str),
    PublishMany(Vec<&'static str>),
    PublishOne(&'static str),
    Enqueue(&'static str),
    Consume(&'static str, u32),
    Watch(&'static str),
    Reserve,
    AckOldest,
    /// A job that the session holds, if it holds any, else any number.
    Ack(Index),
    /// Any number: mostly somebody else's job.
    AckAny(u64),
    /// The same, given back.
    Nack(Index),
    Cancel(&'static str),
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
        8 => select(&QUEUES[..]).prop_map(Step::Enqueue),
        4 => (select(&QUEUES[..]), 1..4_u32).prop_map(|(queue, most)| Step::Consume(queue, most)),
        3 => select(&QUEUES[..]).prop_map(Step::Watch),
        4 => Just(Step::Reserve),
        3 => Just(Step::AckOldest),
        6 => any::<Index>().prop_map(Step::Ack),
        1 => (0..20_u64).prop_map(Step::AckAny),
        3 => any::<Index>().prop_map(Step::Nack),
        2 => select(&QUEUES[..]).prop_map(Step::Cancel),
        2 => Just(Step::Close),
        2 => Just(Step::Full),
        3 => Just(Step::Drained),
    ]
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
}

impl World {
    fn new() -> Self {
        Self {
            broker: Broker::new(LIMITS),
            outbox: Watched::default(),
            sessions: std::array::from_fn(|slot| SessionId::new(slot.try_into().unwrap(), 0)),
            subscriptions: Subscriptions::default(),
            jobs: Jobs::default(),
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
            Step::Enqueue(queue) => self.enqueue(by, queue),
            Step::Consume(queue, prefetch) => self.consume(by, queue, *prefetch),
            Step::Watch(queue) => self.watch(by, queue),
            Step::Reserve => self.reserve(by),
            Step::AckOldest => {
                self.jobs.ack_oldest(by);
                self.broker.ack_oldest(by, &mut self.outbox);
                let effects = self.outbox.take();
                self.jobs.check(&effects, self.outbox.full());
            }
            Step::Ack(index) => {
                let held = self.jobs.held_by(by);
                self.ack(by, if held.is_empty() { 1 } else { *index.get(&held) });
            }
            Step::AckAny(job) => self.ack(by, *job),
            Step::Nack(index) => {
                let held = self.jobs.held_by(by);
                self.nack(by, if held.is_empty() { 1 } else { *index.get(&held) });
            }
            Step::Cancel(queue) => self.cancel(by, queue),
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

    fn enqueue(&mut self, by: SessionId, queue: &str) {
        let request = Enqueue { queue: QueueName::new(queue).unwrap(), value: ValueRef::Int(7) };
        let expected = self.jobs.enqueue(queue);
        let effects = self.ask(by, Request::Enqueue(request));
        match expected {
            Some(job) => self.check_reply_and_jobs(&effects, &Reply::Enqueued { job }),
            None => check_refused(&effects, Reason::LimitReached),
        }
    }

    fn consume(&mut self, by: SessionId, queue: &str, prefetch: u32) {
        let request = Consume { queue: QueueName::new(queue).unwrap(), prefetch };
        self.jobs.consume(by, queue, prefetch);
        let effects = self.ask(by, Request::Consume(request));
        self.check_reply_and_jobs(&effects, &Reply::Done);
    }

    fn watch(&mut self, by: SessionId, queue: &str) {
        self.jobs.watch(by, queue);
        self.broker.watch(by, QueueName::new(queue).unwrap()).unwrap();
        assert_eq!(self.outbox.take(), []);
    }

    fn reserve(&mut self, by: SessionId) {
        self.jobs.reserve(by);
        self.broker.reserve(by, &mut self.outbox);
        let effects = self.outbox.take();
        self.jobs.check(&effects, self.outbox.full());
    }

    fn ack(&mut self, by: SessionId, job: u64) {
        let expected = self.jobs.ack(by, job);
        let effects = self.ask(by, Request::Ack(Ack { job }));
        if expected {
            self.check_reply_and_jobs(&effects, &Reply::Done);
        } else {
            check_refused(&effects, Reason::UnknownJob);
        }
    }

    fn nack(&mut self, by: SessionId, job: u64) {
        let expected = self.jobs.nack(by, job);
        let effects = self.ask(by, Request::Nack(Nack { job }));
        if expected {
            self.check_reply_and_jobs(&effects, &Reply::Done);
        } else {
            check_refused(&effects, Reason::UnknownJob);
        }
    }

    fn cancel(&mut self, by: SessionId, queue: &str) {
        let expected = self.jobs.cancel(by, queue);
        let request = Cancel { queue: QueueName::new(queue).unwrap() };
        let effects = self.ask(by, Request::Cancel(request));
        if expected {
            check_done(&effects);
        } else {
            check_refused(&effects, Reason::NotConsuming);
        }
    }

    /// The slot is used again by a session of the next generation.
    fn close(&mut self, slot: usize) {
        let gone = self.sessions[slot];
        let generation = u32::try_from(gone.as_u64() >> 32).unwrap() + 1;
        self.sessions[slot] = SessionId::new(slot.try_into().unwrap(), generation);
        self.subscriptions.close(gone);
        self.jobs.close(gone);
        self.outbox.full().remove(&gone);
        self.broker.close(Time::default(), gone, &mut self.outbox);
        let effects = self.outbox.take();
        self.jobs.check(&effects, self.outbox.full());
    }

    fn drained(&mut self, by: SessionId) {
        self.outbox.full().remove(&by);
        self.broker.drained(Time::default(), by, &mut self.outbox);
        let effects = self.outbox.take();
        self.jobs.check(&effects, self.outbox.full());
    }

    fn ask(&mut self, by: SessionId, request: Request<'_>) -> Vec<Effect> {
        let caller = Caller { session: by, request: 1 };
        self.broker.handle(Time::default(), caller, request, &mut self.outbox);
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

    /// Everybody goes, a last session does all that is left, and nothing remains.
    fn work_everything_off(&mut self) {
        for slot in 0..SESSIONS {
            self.close(slot);
        }
        for queue in QUEUES {
            self.consume(self.sessions[0], queue, 1000);
        }
        for job in self.jobs.held_by(self.sessions[0]) {
            self.ack(self.sessions[0], job);
        }
        self.check_census();
        self.close(0);
        assert_eq!(self.broker.census(), Census::default());
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
