//! Dialogues with a broker: who asks what, and what everybody sees, as short texts.

mod history;
mod slow;

use crate::outbox::Watched;
use crate::texts::text;
use std::collections::HashMap;
use workyard_channel_core::{Broker, BrokerLimits, Census};
use workyard_engine::{Caller, Effect, Engine, Route, SessionId, Time, read};
use workyard_protocol::channel::{
    Ack, Answer, Ask, Cancel, Configure, Consume, Dead, Enqueue, Enter, FollowPresence, Interest,
    Nack, NackReason, Presence, Publish, PublishMany, PublishOne, PublisherId, Push, QueueSettings,
    Queues, Redrive, Remove, Renew, Reply, Request, Serve, Settings, Subscribe, Topic, Unsubscribe,
};
use workyard_protocol::{
    ChannelName, Delay, GroupName, Pattern, QueueName, RequestId, ToClient, ValueRef,
};

/// The start of the server that all dialogues are with.
pub(crate) const EPOCH: u64 = 7;

/// A broker, its outbox, and the time.
pub(crate) struct Dialogue {
    pub(crate) broker: Broker,
    pub(crate) outbox: Watched,
    now: Time,
    requests: RequestId,
    /// Messages are shown with their numbers.
    numbers: bool,
    /// The last lease that a session had of a job.
    leases: HashMap<(SessionId, u64), u64>,
}

/// A session about to ask something.
pub(crate) struct Asking<'d>(&'d mut Dialogue, SessionId);

/// What came of it, in order.
#[must_use = "a dialogue says what must come back"]
#[derive(Debug)]
pub(crate) struct Seen {
    asker: SessionId,
    effects: Vec<String>,
}

impl Dialogue {
    pub(crate) fn new() -> Self {
        Self::with(BrokerLimits::default())
    }

    pub(crate) fn with(limits: BrokerLimits) -> Self {
        Self {
            broker: Broker::new(limits).in_epoch(EPOCH),
            outbox: Watched::default(),
            now: Time::default(),
            requests: 0,
            numbers: false,
            leases: HashMap::new(),
        }
    }

    /// From now on messages are shown with their numbers: `a #1: hi`.
    pub(crate) fn shows_numbers(&mut self) {
        self.numbers = true;
    }

    /// The session of this number asks something.
    pub(crate) fn session(&mut self, number: u32) -> Asking<'_> {
        Asking(self, session(number))
    }

    /// Many sessions subscribe to the same, one after the other.
    pub(crate) fn subscribe_all(
        &mut self,
        numbers: impl IntoIterator<Item = u32>,
        interests: &str,
    ) {
        for number in numbers {
            self.session(number).subscribes(interests).done();
        }
    }

    pub(crate) fn wait(&mut self, millis: u64) {
        self.now = Time::from_millis(self.now.as_millis() + millis);
    }

    /// What the broker does by itself after so long, if it has asked to be called then.
    pub(crate) fn later(&mut self, millis: u64) -> Seen {
        self.wait(millis);
        while self.broker.next_deadline().is_some_and(|deadline| deadline <= self.now) {
            self.broker.expire(self.now, &mut self.outbox);
        }
        self.take(session(0))
    }

    /// Does some of what is due, if anything is. Nobody is the asker.
    pub(crate) fn expires(&mut self) -> Seen {
        if self.broker.next_deadline().is_some_and(|deadline| deadline <= self.now) {
            self.broker.expire(self.now, &mut self.outbox);
        }
        self.take(session(0))
    }

    pub(crate) fn census(&self) -> Census {
        self.broker.census()
    }

    /// The routes of what somebody's publication became.
    pub(crate) fn routes_of(&mut self, channel: &str) -> Vec<Route> {
        let caller = Caller { session: session(99), request: 0 };
        let publish = Publish { channel: channel_name(channel), value: ValueRef::Int(0) };
        self.broker.handle(self.now, caller, Request::Publish(publish), &mut self.outbox);
        let routes = self.outbox.routes.clone();
        self.outbox.take();
        routes
    }

    /// When something is due, in milliseconds from the beginning.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.broker.next_deadline().map(Time::as_millis)
    }

    fn take(&mut self, asker: SessionId) -> Seen {
        let effects = self.outbox.take();
        for effect in &effects {
            if let Effect::Push(to, frame) = effect
                && let ToClient::Push(Push::Job { job, lease, .. }) =
                    read::<Reply<'_>, Push<'_>>(frame)
            {
                self.leases.insert((*to, job), lease);
            }
        }
        let numbers = self.numbers;
        let text = |effect: &Effect| text(effect, numbers);
        Seen { asker, effects: effects.iter().map(text).collect() }
    }
}

/// Interests are written as `a` for a channel, `~a.*` for a pattern, `a@g` for a group of it, and
/// lists with `, ` between.
impl Asking<'_> {
    pub(crate) fn subscribes(self, interests: &str) -> Seen {
        self.asks(Request::Subscribe(Subscribe::to(parse(interests))))
    }

    pub(crate) fn unsubscribes(self, interests: &str) -> Seen {
        self.asks(Request::Unsubscribe(Unsubscribe { interests: parse(interests) }))
    }

    pub(crate) fn publishes(self, channel: &str, text: &str) -> Seen {
        let (channel, value) = (channel_name(channel), ValueRef::raw(text));
        self.asks(Request::Publish(Publish { channel, value }))
    }

    pub(crate) fn publishes_many(self, channels: &str, text: &str) -> Seen {
        let channels = channels.split(", ").map(channel_name).collect();
        self.asks(Request::PublishMany(PublishMany { channels, value: ValueRef::raw(text) }))
    }

    pub(crate) fn publishes_one(self, channel: &str, text: &str) -> Seen {
        let (channel, value) = (channel_name(channel), ValueRef::raw(text));
        self.asks(Request::PublishOne(PublishOne { channel, value }))
    }

    pub(crate) fn enqueues(self, queue: &str, text: &str) -> Seen {
        self.enqueues_value(queue, ValueRef::raw(text))
    }

    pub(crate) fn enqueues_value(self, queue: &str, value: ValueRef<'_>) -> Seen {
        self.asks(Request::Enqueue(Enqueue::new(queue_name(queue), value)))
    }

    pub(crate) fn consumes(self, queue: &str, prefetch: u32) -> Seen {
        self.asks(Request::Consume(Consume { queue: queue_name(queue), prefetch }))
    }

    pub(crate) fn watches(self, queue: &str) -> Seen {
        let Self(dialogue, session) = self;
        dialogue.broker.watch(session, queue_name(queue)).unwrap();
        dialogue.take(session)
    }

    pub(crate) fn reserves(self) -> Seen {
        let Self(dialogue, session) = self;
        dialogue.broker.reserve(dialogue.now, session, &mut dialogue.outbox);
        dialogue.take(session)
    }

    pub(crate) fn acks_oldest(self) -> Seen {
        let Self(dialogue, session) = self;
        dialogue.broker.ack_oldest(dialogue.now, session, &mut dialogue.outbox);
        dialogue.take(session)
    }

    /// Finishes the job by the last lease that the session had of it.
    pub(crate) fn acks(self, job: u64) -> Seen {
        let lease = self.lease_of(job);
        self.asks(Request::Ack(Ack { lease }))
    }

    pub(crate) fn acks_lease(self, lease: u64) -> Seen {
        self.asks(Request::Ack(Ack { lease }))
    }

    /// Gives the job back by the last lease that the session had of it.
    pub(crate) fn nacks(self, job: u64) -> Seen {
        let lease = self.lease_of(job);
        self.asks(Request::Nack(Nack::new(lease)))
    }

    pub(crate) fn nacks_because(self, job: u64, delay_ms: Option<u64>, reason: &str) -> Seen {
        let lease = self.lease_of(job);
        let reason = Some(NackReason::new(reason).unwrap());
        self.asks(Request::Nack(Nack { lease, delay: delay_ms.map(delay), reason }))
    }

    /// Renews the last leases that the session had of these jobs.
    pub(crate) fn renews<const N: usize>(self, jobs: [u64; N]) -> Seen {
        let leases = jobs.map(|job| self.lease_of(job)).to_vec();
        self.asks(Request::Renew(Renew { leases }))
    }

    pub(crate) fn enqueues_later(self, queue: &str, text: &str, delay_ms: u64) -> Seen {
        let value = ValueRef::raw(text);
        let delay = delay(delay_ms);
        self.asks(Request::Enqueue(Enqueue { delay, ..Enqueue::new(queue_name(queue), value) }))
    }

    pub(crate) fn enqueues_as(self, queue: &str, text: &str, priority: u8) -> Seen {
        let value = ValueRef::raw(text);
        self.asks(Request::Enqueue(Enqueue { priority, ..Enqueue::new(queue_name(queue), value) }))
    }

    pub(crate) fn enqueues_once(self, queue: &str, text: &str, id: &str) -> Seen {
        let (value, id) = (ValueRef::raw(text), Some(PublisherId::new(id).unwrap()));
        self.asks(Request::Enqueue(Enqueue { id, ..Enqueue::new(queue_name(queue), value) }))
    }

    pub(crate) fn removes(self, queue: &str, job: u64) -> Seen {
        self.asks(Request::Remove(Remove { queue: queue_name(queue), job }))
    }

    pub(crate) fn configures(self, queue: &str, settings: QueueSettings) -> Seen {
        self.asks(Request::Configure(Configure { queue: queue_name(queue), settings }))
    }

    pub(crate) fn settings(self, queue: &str) -> Seen {
        self.asks(Request::Settings(Settings { queue: queue_name(queue) }))
    }

    pub(crate) fn lists_dead(self, queue: &str, cursor: u64, limit: u32) -> Seen {
        self.asks(Request::Dead(Dead { queue: queue_name(queue), cursor, limit }))
    }

    pub(crate) fn redrives(self, queue: &str, cursor: u64, limit: u32) -> Seen {
        self.asks(Request::Redrive(Redrive { queue: queue_name(queue), cursor, limit }))
    }

    pub(crate) fn cancels(self, queue: &str) -> Seen {
        self.asks(Request::Cancel(Cancel { queue: queue_name(queue) }))
    }

    pub(crate) fn serves(self, channel: &str) -> Seen {
        self.asks(Request::Serve(Serve { channel: channel_name(channel), on: true }))
    }

    pub(crate) fn serves_no_more(self, channel: &str) -> Seen {
        self.asks(Request::Serve(Serve { channel: channel_name(channel), on: false }))
    }

    /// Asks a question and waits for a second.
    pub(crate) fn inquires(self, channel: &str, text: &str) -> Seen {
        self.inquires_in(channel, text, 1000, false)
    }

    /// The same of a question that may be asked again.
    pub(crate) fn inquires_again(self, channel: &str, text: &str) -> Seen {
        self.inquires_in(channel, text, 1000, true)
    }

    pub(crate) fn inquires_in(
        self,
        channel: &str,
        text: &str,
        timeout_ms: u32,
        repeat: bool,
    ) -> Seen {
        let (channel, value) = (channel_name(channel), ValueRef::raw(text));
        self.asks(Request::Ask(Ask { channel, timeout_ms, repeat, value }))
    }

    pub(crate) fn answers(self, question: u64, text: &str) -> Seen {
        let value = ValueRef::raw(text);
        self.asks(Request::Answer(Answer { question, declined: false, value }))
    }

    pub(crate) fn declines(self, question: u64, text: &str) -> Seen {
        let value = ValueRef::raw(text);
        self.asks(Request::Answer(Answer { question, declined: true, value }))
    }

    /// Becomes a member of the channel, known by this text.
    pub(crate) fn enters(self, channel: &str, identity: &str) -> Seen {
        let (channel, identity) = (channel_name(channel), Some(identity.as_bytes()));
        self.asks(Request::Enter(Enter { channel, identity }))
    }

    pub(crate) fn leaves(self, channel: &str) -> Seen {
        self.asks(Request::Enter(Enter { channel: channel_name(channel), identity: None }))
    }

    pub(crate) fn follows(self, channel: &str) -> Seen {
        self.asks(Request::FollowPresence(FollowPresence {
            channel: channel_name(channel),
            on: true,
        }))
    }

    pub(crate) fn follows_no_more(self, channel: &str) -> Seen {
        self.asks(Request::FollowPresence(FollowPresence {
            channel: channel_name(channel),
            on: false,
        }))
    }

    pub(crate) fn looks_around(self, channel: &str, cursor: u64, limit: u32) -> Seen {
        let channel = channel_name(channel);
        self.asks(Request::Presence(Presence { channel, cursor, limit }))
    }

    pub(crate) fn lists(self, prefix: &str, cursor: u64, limit: u32) -> Seen {
        let prefix = prefix.as_bytes();
        self.asks(Request::Queues(Queues { prefix, cursor, limit }))
    }

    pub(crate) fn closes(self) -> Seen {
        let Self(dialogue, session) = self;
        dialogue.broker.close(dialogue.now, session, &mut dialogue.outbox);
        dialogue.outbox.full().remove(&session);
        dialogue.take(session)
    }

    /// From now on the session has no room.
    pub(crate) fn fills_up(self) {
        self.0.outbox.full().insert(self.1);
    }

    /// The session has room again.
    pub(crate) fn drains(self) -> Seen {
        let Self(dialogue, session) = self;
        dialogue.outbox.full().remove(&session);
        dialogue.broker.drained(dialogue.now, session, &mut dialogue.outbox);
        dialogue.take(session)
    }

    /// A number that is no lease of the session stands for itself.
    fn lease_of(&self, job: u64) -> u64 {
        self.0.leases.get(&(self.1, job)).copied().unwrap_or(job)
    }

    fn asks(self, request: Request<'_>) -> Seen {
        let Self(dialogue, session) = self;
        dialogue.requests += 1;
        let caller = Caller { session, request: dialogue.requests };
        dialogue.broker.handle(dialogue.now, caller, request, &mut dialogue.outbox);
        dialogue.take(session)
    }
}

impl Seen {
    /// Exactly this and nothing else.
    #[track_caller]
    pub(crate) fn sees<const N: usize>(self, expected: [&str; N]) {
        assert_eq!(self.effects, expected);
    }

    /// Only that it is done.
    #[track_caller]
    pub(crate) fn done(self) {
        let number = self.asker.slot();
        assert_eq!(self.effects, [format!("{number}: done")]);
    }

    /// Nothing at all.
    #[track_caller]
    pub(crate) fn nothing(self) {
        assert_eq!(self.effects, [""; 0]);
    }

    /// What came, for tests that count.
    pub(crate) fn texts(self) -> Vec<String> {
        self.effects
    }
}

pub(crate) fn session(number: u32) -> SessionId {
    SessionId::new(number, 7)
}

fn channel_name(name: &str) -> ChannelName<'_> {
    ChannelName::new(name).unwrap()
}

fn queue_name(name: &str) -> QueueName<'_> {
    QueueName::new(name).unwrap()
}

pub(crate) fn delay(millis: u64) -> Delay {
    Delay::from_millis(millis).unwrap()
}

fn parse(interests: &str) -> Vec<Interest<'_>> {
    interests.split(", ").map(parse_interest).collect()
}

fn parse_interest(text: &str) -> Interest<'_> {
    let (topic, group) = match text.split_once('@') {
        Some((topic, group)) => (topic, Some(GroupName::new(group).unwrap())),
        None => (text, None),
    };
    let topic = match topic.strip_prefix('~') {
        Some(pattern) => Topic::Pattern(Pattern::new(pattern).unwrap()),
        None => Topic::Channel(channel_name(topic)),
    };
    Interest { topic, group }
}
