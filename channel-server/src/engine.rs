//! The broker as every dialect reaches it: how names were spelled is kept beside it.

use crate::workerman::{Clients, Spellings};
use workyard_channel_core::Broker;
use workyard_daemon::Untold;
use workyard_engine::{Caller, Engine, Loss, Outbox, Publication, Route, SessionId, Time};
use workyard_protocol::channel;
use workyard_protocol::{DecodeError, Message, Refusal, Wire};
use workyard_workerman::Spelling;

/// The broker, and what Workerman's clients need beyond it.
#[derive(Debug)]
pub struct ChannelEngine {
    broker: Broker,
    workerman: Clients,
}

/// What clients of every dialect ask.
#[derive(Debug)]
pub enum Request<'a> {
    /// In the words of the native wire.
    Native(channel::Request<'a>),
    /// In those of workerman/channel.
    Workerman(workyard_workerman::channel::Request<'a>),
}

impl<'a> From<channel::Request<'a>> for Request<'a> {
    fn from(request: channel::Request<'a>) -> Self {
        Self::Native(request)
    }
}

/// What clients are sent, with the spelling of the name in it for those who see it.
#[derive(Clone, Copy, Debug)]
pub struct Push<'a> {
    /// What is sent.
    pub push: channel::Push<'a>,
    /// How the publisher, or whoever made the queue, wrote the name.
    pub spelling: Spelling<'a>,
}

impl<'a> Message<'a> for Push<'a> {
    fn operation(&self) -> u8 {
        self.push.operation()
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.push.put(out);
    }

    fn decode(operation: u8, body: &'a [u8]) -> Result<Self, DecodeError> {
        let push = channel::Push::decode(operation, body)?;
        Ok(Self { push, spelling: Spelling::Text })
    }
}

/// The native wire, with spelled names in what is pushed.
#[derive(Clone, Copy, Debug)]
pub struct SpelledWire;

impl Wire for SpelledWire {
    type Request<'a> = channel::Request<'a>;
    type Reply<'a> = channel::Reply<'a>;
    type Push<'a> = Push<'a>;
}

impl ChannelEngine {
    /// An engine around a broker that nobody has spoken to yet.
    #[must_use]
    pub fn new(broker: Broker) -> Self {
        Self { broker, workerman: Clients::default() }
    }
}

impl Engine for ChannelEngine {
    type Wire = SpelledWire;
    type Request<'a> = Request<'a>;

    fn handle(
        &mut self,
        now: Time,
        caller: Caller,
        request: Request<'_>,
        outbox: &mut impl Outbox<SpelledWire>,
    ) {
        match request {
            Request::Native(request) => {
                let mut outbox = Spelled::new(outbox, self.workerman.spellings());
                self.broker.handle(now, caller, request, &mut outbox);
            }
            Request::Workerman(request) => {
                self.workerman.handle(&mut self.broker, now, caller.session, request, outbox);
            }
        }
    }

    fn close(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<SpelledWire>) {
        self.workerman.close(session);
        let mut outbox = Spelled::new(outbox, self.workerman.spellings());
        self.broker.close(now, session, &mut outbox);
    }

    fn drained(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<SpelledWire>) {
        let mut outbox = Spelled::new(outbox, self.workerman.spellings());
        self.broker.drained(now, session, &mut outbox);
    }

    fn next_deadline(&self) -> Option<Time> {
        self.broker.next_deadline()
    }

    fn expire(&mut self, now: Time, outbox: &mut impl Outbox<SpelledWire>) {
        let mut outbox = Spelled::new(outbox, self.workerman.spellings());
        self.broker.expire(now, &mut outbox);
    }

    fn gap(loss: Loss<'_>) -> Option<Push<'_>> {
        let push = Broker::gap(loss)?;
        Some(Push { push, spelling: Spelling::Text })
    }
}

/// An outbox that adds spellings to what the broker sends.
pub(crate) struct Spelled<'o, O> {
    pub(crate) outbox: &'o mut O,
    pub(crate) spellings: Spellings<'o>,
    /// Where refusals go of a client that has no words for them.
    pub(crate) untold: Option<(&'o mut Untold, Time)>,
}

impl<'o, O> Spelled<'o, O> {
    pub(crate) fn new(outbox: &'o mut O, spellings: Spellings<'o>) -> Self {
        Self { outbox, spellings, untold: None }
    }
}

impl<O: Outbox<SpelledWire>> Outbox<channel::ChannelWire> for Spelled<'_, O> {
    fn reply(&mut self, to: Caller, reply: channel::Reply<'_>) {
        self.outbox.reply(to, reply);
    }

    fn refuse(&mut self, to: Caller, refusal: Refusal) {
        match &mut self.untold {
            None => self.outbox.refuse(to, refusal),
            Some((untold, now)) => untold.count(*now, to.session, &refusal),
        }
    }

    fn push(&mut self, to: SessionId, push: channel::Push<'_>) {
        let spelling = self.spellings.of(&push);
        self.outbox.push(to, Push { push, spelling });
    }

    fn publish(
        &mut self,
        publication: Publication<'_, channel::Push<'_>>,
        recipients: impl IntoIterator<Item = SessionId>,
    ) {
        let Publication { route, topic, number, push } = publication;
        let spelling = self.spellings.of(&push);
        let push = Push { push, spelling };
        self.outbox.publish(Publication { route, topic, number, push }, recipients);
    }

    fn continues(&mut self, route: Route) -> bool {
        self.outbox.continues(route)
    }

    fn has_room(&mut self, session: SessionId) -> bool {
        self.outbox.has_room(session)
    }

    fn disconnect(&mut self, session: SessionId, refusal: Refusal) {
        self.outbox.disconnect(session, refusal);
    }
}
