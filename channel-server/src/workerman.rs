//! Workerman's requests, carried out by the broker: one frame may name many channels or queues.

use crate::engine::{Spelled, SpelledWire};
use std::collections::{HashMap, HashSet};
use workyard_channel_core::Broker;
use workyard_daemon::Untold;
use workyard_engine::{Caller, Engine, Outbox, SessionId, Time};
use workyard_protocol::channel::{
    Cancel, Enqueue, Interest, Publish, PublishOne, Push, Request as Native, Subscribe, Topic,
    Unsubscribe,
};
use workyard_protocol::{ChannelName, NO_REPLY, NameError, QueueName, Refusal};
use workyard_workerman::channel::{Names, Request};
use workyard_workerman::{Name, Spelling};

/// Below this many remembered spellings, none is looked for to be forgotten.
const SPELLINGS_KEPT_MIN: usize = 64;

/// What Workerman's clients need beyond what the broker knows.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// The names of queues whose maker did not write them as a string, as it wrote them.
    queues: HashMap<Box<[u8]>, Box<[u8]>>,
    /// Sessions whose last request was to watch. The reserve that follows is the first for what they
    /// watch; every other one says that the job before it is done.
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
            Push::Job { .. } | Push::Gap { .. } => Spelling::Text,
        }
    }
}

/// One frame on its way into the broker.
struct Errand<'d, O> {
    desk: &'d mut Desk,
    broker: &'d mut Broker,
    now: Time,
    session: SessionId,
    outbox: &'d mut O,
}

impl Desk {
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
        let began = !self.beginning.is_empty() && self.beginning.remove(&session);
        let mut errand = Errand { desk: self, broker, now, session, outbox };
        let done = match request {
            Request::Subscribe(names) => errand.subscribe(&names),
            Request::Unsubscribe(names) => errand.unsubscribe(&names),
            Request::Publish(names, data) => errand.each(&names, |name| {
                let channel = ChannelName::new(name)?;
                Ok(Native::Publish(Publish { channel, value: data.as_value() }))
            }),
            Request::PublishOne(names, data) => errand.each(&names, |name| {
                let channel = ChannelName::new(name)?;
                Ok(Native::PublishOne(PublishOne { channel, value: data.as_value() }))
            }),
            Request::Watch(names) => errand.watch(&names),
            Request::Unwatch(names) => errand.unwatch(&names),
            Request::Enqueue(names, data) => {
                names.iter().for_each(|name| errand.note_queue(name));
                errand.each(&names, |name| {
                    let queue = QueueName::new(name)?;
                    Ok(Native::Enqueue(Enqueue { queue, value: data.as_value() }))
                })
            }
            Request::Reserve => {
                errand.reserve(began);
                Ok(())
            }
        };
        if let Err(refusal) = done {
            self.untold.count(now, session, &refusal);
        }
    }
}

impl<O: Outbox<SpelledWire>> Errand<'_, O> {
    fn subscribe(&mut self, names: &Names<'_>) -> Result<(), Refusal> {
        let interests = interests(names)?;
        self.ask(Native::Subscribe(Subscribe { interests }), Spelling::Text);
        Ok(())
    }

    fn unsubscribe(&mut self, names: &Names<'_>) -> Result<(), Refusal> {
        let interests = interests(names)?;
        self.ask(Native::Unsubscribe(Unsubscribe { interests }), Spelling::Text);
        Ok(())
    }

    /// Asks the same for every name, one after the other, up to one that is too long.
    fn each<'n>(
        &mut self,
        names: &'n Names<'_>,
        request: impl Fn(&'n [u8]) -> Result<Native<'n>, NameError>,
    ) -> Result<(), Refusal> {
        for name in names {
            let request = request(name.as_bytes())?;
            self.ask(request, name.spelling());
        }
        Ok(())
    }

    fn watch(&mut self, names: &Names<'_>) -> Result<(), Refusal> {
        self.desk.beginning.insert(self.session);
        for name in names {
            self.note_queue(name);
            let queue = QueueName::new(name.as_bytes())?;
            self.broker.watch(self.session, queue)?;
        }
        Ok(())
    }

    /// What is not watched need not be told.
    fn unwatch(&mut self, names: &Names<'_>) -> Result<(), Refusal> {
        for name in names {
            let queue = QueueName::new(name.as_bytes())?;
            if self.broker.is_consumer(self.session, queue) {
                self.ask(Native::Cancel(Cancel { queue }), Spelling::Text);
            }
        }
        Ok(())
    }

    fn reserve(&mut self, is_first: bool) {
        let mut outbox = Spelled::new(self.outbox, self.desk.spellings());
        if !is_first {
            self.broker.ack_oldest(self.session, &mut outbox);
        }
        self.broker.reserve(self.session, &mut outbox);
    }

    /// Remembers how the name is written of a queue that this request is about to make.
    fn note_queue(&mut self, name: &Name<'_>) {
        let queues = &mut self.desk.queues;
        let is_text = name.spelling() == Spelling::Text;
        if (is_text && queues.is_empty()) || exists(self.broker, name.as_bytes()) {
            return;
        }
        if is_text {
            queues.remove(name.as_bytes());
            return;
        }
        if queues.len() >= SPELLINGS_KEPT_MIN + 2 * self.broker.queues() {
            queues.retain(|name, _| exists(self.broker, name));
        }
        let mut written = Vec::new();
        name.spelling().put(name.as_bytes(), &mut written);
        queues.insert(name.as_bytes().into(), written.into());
    }

    fn ask(&mut self, request: Native<'_>, channel: Spelling<'_>) {
        let Desk { queues, untold, .. } = &mut *self.desk;
        let spellings = Spellings { channel, queues };
        let mut outbox =
            Spelled { outbox: self.outbox, spellings, untold: Some((untold, self.now)) };
        let caller = Caller { session: self.session, request: NO_REPLY };
        self.broker.handle(self.now, caller, request, &mut outbox);
    }
}

fn interests<'n>(names: &'n Names<'_>) -> Result<Vec<Interest<'n>>, Refusal> {
    let interest = |name: &'n Name<'_>| {
        let topic = Topic::Channel(ChannelName::new(name.as_bytes())?);
        Ok(Interest { topic, group: None })
    };
    names.iter().map(interest).collect()
}

fn exists(broker: &Broker, queue: &[u8]) -> bool {
    QueueName::new(queue).is_ok_and(|queue| broker.has_queue(queue))
}

#[cfg(test)]
mod tests;
