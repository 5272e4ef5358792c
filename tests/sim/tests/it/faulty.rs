//! A broker with a bug: what it does wrong now and then, on the way in or out.

use std::collections::BTreeMap;
use workyard_channel_core::{Broker, BrokerLimits};
use workyard_engine::{
    Caller, Engine, Loss, Outbox, Publication, Recorder, Route, SessionId, Time,
};
use workyard_protocol::channel::{Ack, ChannelWire, Push, Reply, Request};
use workyard_protocol::{Reason, Refusal};
use workyard_sim::Counted;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    None,
    LosesAJob,
    StoresNothing,
    HandsOutTwice,
    AcceptsStaleAcks,
    CountsNoAttempts,
    DropsUnannounced,
    DeliversTwice,
    NumbersTwice,
    AnswersNever,
    AnswersTwice,
    AnswersAnother,
    KeepsTheDead,
    IgnoresRoom,
}

/// How often it could go wrong before it does.
const EVERY: u32 = 7;

/// A broker with a bug, and one that tells of one message less than was dropped, if so.
pub(crate) struct Faulty<const MISCOUNTS: bool> {
    broker: Broker,
    bug: Bug,
    faults: Faults,
}

#[derive(Default)]
struct Faults {
    chances: u32,
    /// Whose each lease is.
    held: BTreeMap<u64, SessionId>,
    last_consumer: Option<SessionId>,
}

impl Faults {
    fn is_time(&mut self) -> bool {
        self.chances += 1;
        self.chances.is_multiple_of(EVERY)
    }
}

impl<const MISCOUNTS: bool> Faulty<MISCOUNTS> {
    pub(crate) fn new(bug: Bug, limits: BrokerLimits) -> Self {
        Self { broker: Broker::new(limits), bug, faults: Faults::default() }
    }
}

impl<const MISCOUNTS: bool> Counted for Faulty<MISCOUNTS> {
    fn leftover(&self) -> Option<String> {
        self.broker.leftover()
    }
}

impl<const MISCOUNTS: bool> Engine for Faulty<MISCOUNTS> {
    type Wire = ChannelWire;
    type Request<'a> = Request<'a>;

    fn handle(
        &mut self,
        now: Time,
        caller: Caller,
        request: Request<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let is_stored = matches!(request, Request::Enqueue(_));
        if self.bug == Bug::StoresNothing && is_stored && self.faults.is_time() {
            return outbox.reply(caller, Reply::Enqueued { job: 1_000_000, duplicate: false });
        }
        let mut outbox = FaultyOutbox { outbox, bug: self.bug, faults: &mut self.faults };
        self.broker.handle(now, caller, request, &mut outbox);
    }

    fn close(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        let mut held = self.faults.held.iter().rev().filter(|(_, holder)| **holder == session);
        let held = held.next().map(|(lease, _)| *lease);
        match self.bug {
            Bug::KeepsTheDead if self.faults.is_time() => return,
            Bug::LosesAJob => {
                if let Some(lease) = held {
                    let caller = Caller { session, request: 0 };
                    let ack = Request::Ack(Ack { lease });
                    self.broker.handle(now, caller, ack, &mut Recorder::default());
                }
            }
            _ => {}
        }
        self.faults.held.retain(|_, holder| *holder != session);
        self.faults.last_consumer.take_if(|last| *last == session);
        let mut outbox = FaultyOutbox { outbox, bug: self.bug, faults: &mut self.faults };
        self.broker.close(now, session, &mut outbox);
    }

    fn drained(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        if self.bug != Bug::IgnoresRoom {
            let mut outbox = FaultyOutbox { outbox, bug: self.bug, faults: &mut self.faults };
            self.broker.drained(now, session, &mut outbox);
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        self.broker.next_deadline()
    }

    fn expire(&mut self, now: Time, outbox: &mut impl Outbox<ChannelWire>) {
        let mut outbox = FaultyOutbox { outbox, bug: self.bug, faults: &mut self.faults };
        self.broker.expire(now, &mut outbox);
    }

    fn gap(loss: Loss<'_>) -> Option<Push<'_>> {
        let missed = if MISCOUNTS { loss.missed - 1 } else { loss.missed };
        Broker::gap(Loss { missed, ..loss })
    }
}

struct FaultyOutbox<'o, O> {
    outbox: &'o mut O,
    bug: Bug,
    faults: &'o mut Faults,
}

impl<O: Outbox<ChannelWire>> Outbox<ChannelWire> for FaultyOutbox<'_, O> {
    fn reply(&mut self, to: Caller, reply: Reply<'_>) {
        match self.bug {
            Bug::AnswersNever if self.faults.is_time() => return,
            Bug::AnswersTwice if self.faults.is_time() => self.outbox.reply(to, reply.clone()),
            Bug::AnswersAnother if to.request > 0 && self.faults.is_time() => {
                let other = Caller { request: to.request + 1, ..to };
                return self.outbox.reply(other, reply);
            }
            _ => {}
        }
        self.outbox.reply(to, reply);
    }

    fn refuse(&mut self, to: Caller, refusal: Refusal) {
        match self.bug {
            Bug::AcceptsStaleAcks if refusal.reason == Reason::UnknownJob => {
                self.outbox.reply(to, Reply::Done);
            }
            _ => self.outbox.refuse(to, refusal),
        }
    }

    fn push(&mut self, to: SessionId, mut push: Push<'_>) {
        if let Push::Job { lease, attempt, .. } = &mut push {
            self.faults.held.insert(*lease, to);
            if self.bug == Bug::CountsNoAttempts {
                *attempt = 1;
            }
            let other = self.faults.last_consumer.replace(to).filter(|other| *other != to);
            if let (Bug::HandsOutTwice, Some(other)) = (self.bug, other) {
                self.outbox.push(other, push);
            }
        }
        self.outbox.push(to, push);
    }

    fn publish(
        &mut self,
        publication: Publication<'_, Push<'_>>,
        recipients: impl IntoIterator<Item = SessionId>,
    ) {
        let mut recipients: Vec<_> = recipients.into_iter().collect();
        let Publication { route, topic, number, mut push } = publication;
        let mut own_route = route;
        match (self.bug, &mut push) {
            (Bug::DropsUnannounced, _) if self.faults.is_time() => {
                recipients.pop();
                own_route = Route(u64::MAX - u64::from(self.faults.chances));
            }
            (Bug::DeliversTwice, _) if self.faults.is_time() => {
                let twice = Publication { route, topic, number, push };
                self.outbox.publish(twice, recipients.iter().copied());
            }
            (Bug::NumbersTwice, Push::Message { sequence, .. }) if self.faults.is_time() => {
                *sequence = sequence.saturating_sub(1);
            }
            _ => {}
        }
        let publication = Publication { route: own_route, topic, number, push };
        self.outbox.publish(publication, recipients);
    }

    fn has_room(&mut self, session: SessionId) -> bool {
        self.outbox.has_room(session)
    }

    fn continues(&mut self, route: Route) -> bool {
        self.outbox.continues(route)
    }

    fn disconnect(&mut self, session: SessionId, refusal: Refusal) {
        self.outbox.disconnect(session, refusal);
    }
}
