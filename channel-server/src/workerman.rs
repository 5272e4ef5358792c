//! Workerman's clients: what they ask, carried out by the broker. One frame may name many channels or
//! queues.

use crate::engine::{Spelled, SpelledWire};
use std::collections::{HashMap, HashSet};
use workyard_channel_core::Broker;
use workyard_daemon::Untold;
use workyard_engine::{Caller, Engine, Outbox, SessionId, Time};
use workyard_protocol::channel::{
    Cancel, Enqueue, Interest, Publish, PublishOne, Push, Request as Native, Subscribe, Topic,
    Unsubscribe,
};
use workyard_protocol::limits::NAME_BYTES_MAX;
use workyard_protocol::{ChannelName, NO_REPLY, QueueName, Reason, Refusal};
use workyard_workerman::channel::{Names, Request};
use workyard_workerman::{Name, Spelling};

/// Below this many remembered spellings, none is looked for to be forgotten.
const SPELLINGS_KEPT_MIN: usize = 64;

/// What Workerman's clients need beyond what the broker knows.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    /// The names of queues whose maker did not write them as a string, as it wrote them.
    queues: HashMap<Box<[u8]>, Box<[u8]>>,
    /// Sessions that have watched since they last reserved. Their next reserve is the first for what
    /// they watch; every other one says that the job before it is done.
    beginning: HashSet<SessionId>,
    untold: Untold,
}

/// How the names in what is sent are spelled.
#[derive(Clone, Copy)]
pub(crate) struct Spellings<'o> {
    /// As the publisher wrote the channel.
    channel: Spelling<'o>,
    queues: &'o HashMap<Box<[u8]>, Box<[u8]>>,
}

impl<'o> Spellings<'o> {
    pub(crate) fn of<'a>(&self, push: &Push<'_>) -> Spelling<'a>
    where
        'o: 'a,
    {
        match push {
            Push::Message { .. } => self.channel,
            Push::Job { queue, .. } if !self.queues.is_empty() => self
                .queues
                .get(queue.as_bytes())
                .map_or(Spelling::Text, |name| Spelling::Other(name)),
            _ => Spelling::Text,
        }
    }
}

/// One frame on its way into the broker.
struct Frame<'d, O> {
    clients: &'d mut Clients,
    broker: &'d mut Broker,
    now: Time,
    session: SessionId,
    outbox: &'d mut O,
}

impl Clients {
    /// How names are spelled in what follows from a request in other words.
    pub(crate) fn spellings(&self) -> Spellings<'_> {
        Spellings { channel: Spelling::Text, queues: &self.queues }
    }

    pub(crate) fn close(&mut self, session: SessionId) {
        self.beginning.remove(&session);
    }

    pub(crate) fn handle(
        &mut self,
        broker: &mut Broker,
        now: Time,
        session: SessionId,
        request: Request<'_>,
        outbox: &mut impl Outbox<SpelledWire>,
    ) {
        let mut frame = Frame { clients: self, broker, now, session, outbox };
        match request {
            Request::Subscribe(names) => frame.subscribe(&names),
            Request::Unsubscribe(names) => frame.unsubscribe(&names),
            Request::Publish(names, data) => frame.each(&names, |frame, name| {
                let channel = ChannelName::new(name.as_bytes())?;
                let publish = Publish { channel, value: data.as_value() };
                frame.ask(Native::Publish(publish), name.spelling());
                Ok(())
            }),
            Request::PublishOne(names, data) => frame.each(&names, |frame, name| {
                let channel = ChannelName::new(name.as_bytes())?;
                let publish = PublishOne { channel, value: data.as_value() };
                frame.ask(Native::PublishOne(publish), name.spelling());
                Ok(())
            }),
            Request::Watch(names) => frame.watch(&names),
            Request::Unwatch(names) => frame.each(&names, Frame::unwatch),
            Request::Enqueue(names, data) => frame.each(&names, |frame, name| {
                let queue = QueueName::new(name.as_bytes())?;
                frame.note_maker(queue, name);
                let enqueue = Enqueue::new(queue, data.as_value());
                frame.ask(Native::Enqueue(enqueue), Spelling::Text);
                Ok(())
            }),
            Request::Reserve => frame.reserve(),
        }
    }
}

impl<O: Outbox<SpelledWire>> Frame<'_, O> {
    fn subscribe(&mut self, names: &Names<'_>) {
        let subscribe = Subscribe::to(interests(names));
        self.ask(Native::Subscribe(subscribe), Spelling::Text);
        self.count_too_long(names);
    }

    fn unsubscribe(&mut self, names: &Names<'_>) {
        let interests = interests(names);
        self.ask(Native::Unsubscribe(Unsubscribe { interests }), Spelling::Text);
        self.count_too_long(names);
    }

    /// Does the same for every name, one after the other.
    fn each<'n>(
        &mut self,
        names: &'n Names<'_>,
        mut act: impl FnMut(&mut Self, &'n Name<'_>) -> Result<(), Refusal>,
    ) {
        for name in &names.list {
            if let Err(refusal) = act(self, name) {
                self.clients.untold.count(self.now, self.session, &refusal);
            }
        }
        self.count_too_long(names);
    }

    fn watch(&mut self, names: &Names<'_>) {
        self.clients.beginning.insert(self.session);
        self.each(names, |frame, name| {
            let queue = QueueName::new(name.as_bytes())?;
            frame.note_maker(queue, name);
            frame.broker.watch(frame.session, queue)
        });
    }

    /// What is not watched need not be told.
    fn unwatch(&mut self, name: &Name<'_>) -> Result<(), Refusal> {
        let queue = QueueName::new(name.as_bytes())?;
        if self.broker.is_consumer(self.session, queue) {
            self.ask(Native::Cancel(Cancel { queue }), Spelling::Text);
        }
        Ok(())
    }

    fn reserve(&mut self) {
        let beginning = &mut self.clients.beginning;
        let is_first = !beginning.is_empty() && beginning.remove(&self.session);
        let mut outbox = Spelled::new(self.outbox, self.clients.spellings());
        if !is_first {
            self.broker.ack_oldest(self.now, self.session, &mut outbox);
        }
        self.broker.reserve(self.now, self.session, &mut outbox);
    }

    fn count_too_long(&mut self, names: &Names<'_>) {
        if names.too_long > 0 {
            let (count, limit) = (names.too_long, NAME_BYTES_MAX);
            let text = format!("{count} names of more than {limit} bytes in one request");
            let refusal = Refusal::new(Reason::InvalidName, text);
            self.clients.untold.count(self.now, self.session, &refusal);
        }
    }

    /// Remembers how the name is written of a queue that this request is about to make.
    fn note_maker(&mut self, queue: QueueName<'_>, name: &Name<'_>) {
        let queues = &mut self.clients.queues;
        let is_text = name.spelling() == Spelling::Text;
        if (is_text && queues.is_empty()) || self.broker.has_queue(queue) {
            return;
        }
        if is_text {
            queues.remove(queue.as_bytes());
            return;
        }
        if queues.len() >= SPELLINGS_KEPT_MIN + 2 * self.broker.queues() {
            queues.retain(|name, _| exists(self.broker, name));
        }
        let mut written = Vec::new();
        name.spelling().put(name.as_bytes(), &mut written);
        queues.insert(queue.as_bytes().into(), written.into());
    }

    fn ask(&mut self, request: Native<'_>, channel: Spelling<'_>) {
        let Clients { queues, untold, .. } = &mut *self.clients;
        let spellings = Spellings { channel, queues };
        let mut outbox =
            Spelled { outbox: self.outbox, spellings, untold: Some((untold, self.now)) };
        let caller = Caller { session: self.session, request: NO_REPLY };
        self.broker.handle(self.now, caller, request, &mut outbox);
    }
}

fn interests<'n>(names: &'n Names<'_>) -> Vec<Interest<'n>> {
    let interest = |name: &'n Name<'_>| {
        let channel = ChannelName::new(name.as_bytes()).ok()?;
        Some(Interest { topic: Topic::Channel(channel), group: None })
    };
    names.list.iter().filter_map(interest).collect()
}

fn exists(broker: &Broker, queue: &[u8]) -> bool {
    QueueName::new(queue).is_ok_and(|queue| broker.has_queue(queue))
}

#[cfg(test)]
mod tests;
