//! The broker: which request is whose.

use crate::channels::{Channels, gap};
use crate::done::done;
use crate::presence::Presence;
use crate::questions::Questions;
use crate::queues::Queues;
use crate::{BrokerLimits, Census};
use workyard_engine::{Caller, Engine, Loss, Outbox, SessionId, Time};
use workyard_protocol::channel::{self, ChannelWire, KeepHistory, Push, Request};
use workyard_protocol::{QueueName, Refusal};

/// The whole state of a channel server.
///
/// The order of effects is part of its contract:
///
/// * `Publish`, `PublishMany`, `PublishOne`: first the publications, to everybody and then to one
///   session of each queue group, then the reply. So a session that publishes to itself sees the
///   message before the receipt.
/// * `Subscribe`: first the reply, then what is replayed of it at once; the rest when it is due.
/// * `Enqueue`, `Consume`, `Ack`, `Nack`, `Renew`, `Redrive`: first the reply, then the jobs that can be
///   handed out because of it. So a session knows that it consumes before its first job comes.
/// * `Ask`, `Answer`: first the reply, then the question or the answer. So a session knows the number of
///   its question before anything becomes of it.
/// * `Enter`: first the reply, then the change, to the session that entered too if it follows.
/// * A request that is refused changed nothing.
#[derive(Debug)]
pub struct Broker {
    channels: Channels,
    queues: Queues,
    questions: Questions,
    presence: Presence,
}

impl Broker {
    /// A broker that nobody has spoken to yet.
    #[must_use]
    pub fn new(limits: BrokerLimits) -> Self {
        Self {
            channels: Channels::new(limits),
            queues: Queues::new(limits),
            questions: Questions::new(limits),
            presence: Presence::new(limits),
        }
    }

    /// The same, telling what was kept by this start of the server from what others had kept: `epoch` is
    /// another number for each.
    #[must_use]
    pub fn in_epoch(mut self, epoch: u64) -> Self {
        self.channels.set_epoch(epoch);
        self
    }

    /// Has the messages of some channels be kept from now on.
    ///
    /// # Errors
    /// `LimitReached`.
    pub fn keep_history(&mut self, rule: &KeepHistory<'_>) -> Result<(), Refusal> {
        self.channels.keep_history(rule)
    }

    /// Makes the session a consumer that takes nothing until it reserves. One that consumes from the
    /// queue already goes on as it does.
    ///
    /// # Errors
    /// `LimitReached`, for queues or for queues that a session consumes from.
    pub fn watch(&mut self, session: SessionId, queue: QueueName<'_>) -> Result<(), Refusal> {
        self.queues.watch(session, queue)
    }

    /// Hands the session one job of each queue that it watches now, or as soon as there is one. To
    /// reserve again before it has come changes nothing.
    pub fn reserve(
        &mut self,
        now: Time,
        session: SessionId,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        self.queues.reserve(now, session, outbox);
    }

    /// Acknowledges the job that the session has held longest of those it reserved, if it holds any.
    pub fn ack_oldest(
        &mut self,
        now: Time,
        session: SessionId,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        self.queues.ack_oldest(now, session, outbox);
    }

    /// Whether the session consumes from a queue of this name, in whatever way.
    #[must_use]
    pub fn is_consumer(&self, session: SessionId, queue: QueueName<'_>) -> bool {
        self.queues.consumed(session, queue).is_some()
    }

    /// Whether there is a queue of this name: it has a job or a consumer.
    #[must_use]
    pub fn has_queue(&self, queue: QueueName<'_>) -> bool {
        self.queues.exists(queue)
    }

    /// How many queues there are.
    #[must_use]
    pub fn queues(&self) -> usize {
        self.queues.len()
    }

    /// Counts what is there. The time it takes grows with the number of queues.
    #[must_use]
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        self.channels.count(&mut census);
        self.queues.count(&mut census);
        self.questions.count(&mut census);
        self.presence.count(&mut census);
        census
    }

    fn list_presence(
        &self,
        caller: Caller,
        request: channel::Presence<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let counts = self.channels.counts(request.channel);
        let responders = self.questions.responders(request.channel);
        self.presence.list(caller, request, counts, responders, outbox);
    }
}

impl Engine for Broker {
    type Wire = ChannelWire;
    type Request<'a> = Request<'a>;

    fn handle(
        &mut self,
        now: Time,
        caller: Caller,
        request: Request<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        match request {
            Request::Subscribe(request) => self.channels.subscribe(caller, &request, outbox),
            Request::Unsubscribe(request) => self.channels.unsubscribe(caller, &request, outbox),
            Request::Publish(request) => self.channels.publish(now, caller, request, outbox),
            Request::PublishMany(request) => {
                self.channels.publish_many(now, caller, &request, outbox);
            }
            Request::PublishOne(request) => self.channels.publish_one(caller, request, outbox),
            Request::Enqueue(request) => self.queues.enqueue(now, caller, request, outbox),
            Request::Consume(request) => self.queues.consume(now, caller, request, outbox),
            Request::Ack(request) => self.queues.ack(now, caller, request, outbox),
            Request::Nack(request) => self.queues.nack(now, caller, request, outbox),
            Request::Renew(request) => self.queues.renew(now, caller, &request, outbox),
            Request::Cancel(request) => self.queues.cancel(caller, request, outbox),
            Request::Queues(request) => self.queues.list(now, caller, request, outbox),
            Request::Remove(request) => self.queues.remove(caller, request, outbox),
            Request::Configure(request) => self.queues.configure(caller, request, outbox),
            Request::Settings(request) => self.queues.settings(caller, request, outbox),
            Request::Dead(request) => self.queues.dead(now, caller, request, outbox),
            Request::Redrive(request) => self.queues.redrive(now, caller, request, outbox),
            Request::Serve(request) => self.questions.serve(caller, request, outbox),
            Request::Enter(request) => self.presence.enter(caller, request, outbox),
            Request::FollowPresence(request) => self.presence.follow(caller, request, outbox),
            Request::Presence(request) => self.list_presence(caller, request, outbox),
            Request::Ask(request) => self.questions.ask(now, caller, request, outbox),
            Request::Answer(request) => self.questions.answer(now, caller, request, outbox),
            Request::KeepHistory(request) => {
                done(caller, self.channels.keep_history(&request), outbox);
            }
            Request::DropHistory(request) => {
                done(caller, self.channels.drop_history(&request), outbox);
            }
            Request::Histories(request) => self.channels.histories(caller, request, outbox),
        }
    }

    fn close(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        self.channels.close(session);
        self.queues.close(now, session, outbox);
        self.questions.close(now, session, outbox);
        self.presence.close(session, outbox);
    }

    fn drained(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        self.channels.drained(session, outbox);
        self.queues.drained(now, session, outbox);
        self.questions.drained(session, outbox);
        self.presence.drained(session, outbox);
    }

    fn next_deadline(&self) -> Option<Time> {
        let (channels, queues) = (self.channels.next_deadline(), self.queues.next_deadline());
        let all = [channels, queues, self.questions.next_deadline()];
        all.into_iter().flatten().min()
    }

    fn expire(&mut self, now: Time, outbox: &mut impl Outbox<ChannelWire>) {
        self.channels.expire(now, outbox);
        self.queues.expire(now, outbox);
        self.questions.expire(now, outbox);
    }

    fn gap(loss: Loss<'_>) -> Option<Push<'_>> {
        Some(gap(loss))
    }
}
