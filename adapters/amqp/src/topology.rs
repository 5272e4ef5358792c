//! Exchanges, queues and bindings: what is declared, and declared again with each connection.

use crate::error;
use crate::limits::DECLARATIONS_MAX;
use crate::{Error, ErrorKind, Result, Value};
use lapin::Channel;
pub use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};

/// An exchange: durable and of the kind `direct` unless said.
#[derive(Clone, Debug)]
pub struct Exchange {
    name: String,
    kind: ExchangeKind,
    options: ExchangeDeclareOptions,
    arguments: FieldTable,
}

impl Exchange {
    /// The exchange of that name.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
        let (kind, arguments) = (ExchangeKind::Direct, FieldTable::default());
        Self { name: name.into(), kind, options, arguments }
    }

    /// Of another kind.
    #[must_use]
    pub fn kind(mut self, kind: ExchangeKind) -> Self {
        self.kind = kind;
        self
    }

    /// Gone when the server starts again.
    #[must_use]
    pub fn transient(mut self) -> Self {
        self.options.durable = false;
        self
    }

    /// Gone when nothing is bound to it any more.
    #[must_use]
    pub fn auto_delete(mut self) -> Self {
        self.options.auto_delete = true;
        self
    }

    /// With an argument: `alternate-exchange`, …
    #[must_use]
    pub fn argument(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.arguments.insert(name.into(), value.into());
        self
    }
}

/// A queue: durable and for everybody unless said.
#[derive(Clone, Debug)]
pub struct Queue {
    name: String,
    options: QueueDeclareOptions,
    arguments: FieldTable,
}

impl Queue {
    /// The queue of that name. It has one: a name that the server makes up would be another with each
    /// connection.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        let options = QueueDeclareOptions { durable: true, ..Default::default() };
        Self { name: name.into(), options, arguments: FieldTable::default() }
    }

    /// Gone when the server starts again.
    #[must_use]
    pub fn transient(mut self) -> Self {
        self.options.durable = false;
        self
    }

    /// For this connection only, and gone with it; declared again with the next.
    #[must_use]
    pub fn exclusive(mut self) -> Self {
        self.options.exclusive = true;
        self
    }

    /// Gone when its last consumer is.
    #[must_use]
    pub fn auto_delete(mut self) -> Self {
        self.options.auto_delete = true;
        self
    }

    /// With an argument: `x-message-ttl`, `x-max-length`, `x-dead-letter-exchange`, …
    #[must_use]
    pub fn argument(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.arguments.insert(name.into(), value.into());
        self
    }
}

/// That messages of an exchange go to a queue.
#[derive(Clone, Debug)]
pub struct Binding {
    pub(crate) queue: String,
    pub(crate) exchange: String,
    pub(crate) key: String,
    pub(crate) arguments: FieldTable,
}

impl Binding {
    /// Those with this routing key.
    #[must_use]
    pub fn new(
        exchange: impl Into<String>,
        queue: impl Into<String>,
        key: impl Into<String>,
    ) -> Self {
        let arguments = FieldTable::default();
        Self { queue: queue.into(), exchange: exchange.into(), key: key.into(), arguments }
    }

    /// With an argument, for exchanges by headers.
    #[must_use]
    pub fn argument(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.arguments.insert(name.into(), value.into());
        self
    }
}

/// What is known of a queue when it is declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueFacts {
    /// Messages that wait in it.
    pub messages: u32,
    /// Its consumers.
    pub consumers: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum Declaration {
    Exchange(Exchange),
    Queue(Queue),
    Binding(Binding),
}

impl Declaration {
    pub(crate) async fn declare(&self, channel: &Channel) -> Result<QueueFacts> {
        let declared = match self {
            Self::Exchange(Exchange { name, kind, options, arguments }) => {
                let (name, arguments) = (short(name)?, arguments.clone());
                let declared = channel.exchange_declare(name, kind.clone(), *options, arguments);
                declared.await.map(|()| QueueFacts::default())
            }
            Self::Queue(Queue { name, options, arguments }) => {
                let declared = channel.queue_declare(short(name)?, *options, arguments.clone());
                declared.await.map(|queue| QueueFacts {
                    messages: queue.message_count(),
                    consumers: queue.consumer_count(),
                })
            }
            Self::Binding(Binding { queue, exchange, key, arguments }) => {
                let (queue, exchange, key) = (short(queue)?, short(exchange)?, short(key)?);
                let options = QueueBindOptions::default();
                let bound = channel.queue_bind(queue, exchange, key, options, arguments.clone());
                bound.await.map(|()| QueueFacts::default())
            }
        };
        declared.map_err(error::of_request)
    }

    pub(crate) fn check(&self) -> Result<()> {
        if let Self::Queue(Queue { name, .. }) | Self::Exchange(Exchange { name, .. }) = self
            && name.is_empty()
        {
            return Err(Error::new(ErrorKind::InvalidRequest, "it needs a name"));
        }
        Ok(())
    }

    /// Exchanges and queues come before what binds them.
    fn rank(&self) -> u8 {
        u8::from(matches!(self, Self::Binding(_)))
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exchange(one), Self::Exchange(other)) => one.name == other.name,
            (Self::Queue(one), Self::Queue(other)) => one.name == other.name,
            (Self::Binding(one), Self::Binding(other)) => {
                (&one.queue, &one.exchange, &one.key, &one.arguments)
                    == (&other.queue, &other.exchange, &other.key, &other.arguments)
            }
            _ => false,
        }
    }
}

/// All that is declared.
#[derive(Default)]
pub(crate) struct Topology {
    known: Vec<Known>,
    last: u64,
}

struct Known {
    number: u64,
    declaration: Declaration,
    /// Whether the connection that came last could not declare it again.
    is_missing: bool,
}

/// What was added, and what was in its place.
pub(crate) struct Added {
    number: u64,
    before: Option<Declaration>,
}

impl Topology {
    /// In the order in which it has to be declared.
    pub(crate) fn all(&self) -> Vec<Declaration> {
        sorted(self.known.iter())
    }

    /// What could not be declared again with this connection, in that order.
    pub(crate) fn missing(&self) -> Vec<Declaration> {
        sorted(self.known.iter().filter(|known| known.is_missing))
    }

    /// Notes whether it is missing, and returns whether it was before.
    pub(crate) fn set_missing(&mut self, declaration: &Declaration, is_missing: bool) -> bool {
        let same = self.known.iter_mut().find(|known| known.declaration.is_same(declaration));
        same.is_some_and(|known| std::mem::replace(&mut known.is_missing, is_missing))
    }

    pub(crate) fn is_queue_missing(&self, name: &str) -> bool {
        self.known.iter().any(|known| {
            known.is_missing
                && matches!(&known.declaration, Declaration::Queue(it) if it.name == name)
        })
    }

    /// Whether it is a binding of a queue that is missing.
    pub(crate) fn waits(&self, declaration: &Declaration) -> bool {
        matches!(declaration, Declaration::Binding(it) if self.is_queue_missing(&it.queue))
    }

    /// Adds what is going to be declared.
    pub(crate) fn add(&mut self, declaration: Declaration) -> Result<Added> {
        let before = self.known.iter().position(|known| known.declaration.is_same(&declaration));
        if before.is_none() && self.known.len() >= DECLARATIONS_MAX {
            let message = format!("{DECLARATIONS_MAX} things are declared, and more are not kept");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let before = before.map(|at| self.known.remove(at).declaration);
        self.last += 1;
        self.known.push(Known { number: self.last, declaration, is_missing: false });
        Ok(Added { number: self.last, before })
    }

    /// Undoes that, unless it was declared once more in between.
    pub(crate) fn take_back(&mut self, added: Added) {
        let Some(at) = self.known.iter().position(|known| known.number == added.number) else {
            return;
        };
        match added.before {
            Some(before) => self.known[at].declaration = before,
            None => drop(self.known.remove(at)),
        }
    }

    pub(crate) fn forget_queue(&mut self, name: &str) {
        self.known.retain(|known| match &known.declaration {
            Declaration::Queue(queue) => queue.name != name,
            Declaration::Binding(binding) => binding.queue != name,
            Declaration::Exchange(_) => true,
        });
    }

    pub(crate) fn forget_exchange(&mut self, name: &str) {
        self.known.retain(|known| match &known.declaration {
            Declaration::Exchange(exchange) => exchange.name != name,
            Declaration::Binding(binding) => binding.exchange != name,
            Declaration::Queue(_) => true,
        });
    }

    pub(crate) fn forget_binding(&mut self, binding: &Binding) {
        let binding = Declaration::Binding(binding.clone());
        self.known.retain(|known| !known.declaration.is_same(&binding));
    }
}

fn sorted<'a>(known: impl Iterator<Item = &'a Known>) -> Vec<Declaration> {
    let mut all: Vec<_> = known.map(|known| known.declaration.clone()).collect();
    all.sort_by_key(Declaration::rank);
    all
}

/// A name as it is written.
///
/// # Errors
/// When it is longer than 255 bytes.
pub(crate) fn short(text: &str) -> Result<ShortString> {
    ShortString::try_new(text).map_err(|error| {
        let message = "a name or key is longer than 255 bytes";
        Error::new(ErrorKind::InvalidRequest, message).with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(topology: &Topology) -> Vec<String> {
        let name = |declaration: Declaration| match declaration {
            Declaration::Exchange(exchange) => exchange.name,
            Declaration::Queue(queue) => queue.name,
            Declaration::Binding(Binding { queue, exchange, .. }) => format!("{exchange}>{queue}"),
        };
        topology.all().into_iter().map(name).collect()
    }

    #[test]
    fn bindings_come_last_and_everything_once() {
        let mut topology = Topology::default();
        topology.add(Declaration::Binding(Binding::new("e", "q", "k"))).unwrap();
        topology.add(Declaration::Queue(Queue::named("q"))).unwrap();
        topology.add(Declaration::Exchange(Exchange::named("e"))).unwrap();
        topology.add(Declaration::Queue(Queue::named("q").transient())).unwrap();
        assert_eq!(names(&topology), ["e", "q", "e>q"]);
        topology.add(Declaration::Binding(Binding::new("f", "q", "k"))).unwrap();
        topology.forget_exchange("e");
        assert_eq!(names(&topology), ["q", "f>q"]);
        topology.forget_binding(&Binding::new("f", "q", "other"));
        assert_eq!(names(&topology), ["q", "f>q"]);
        topology.forget_queue("q");
        assert!(names(&topology).is_empty());
    }

    #[test]
    fn what_is_taken_back_leaves_what_was_there() {
        let mut topology = Topology::default();
        let queue = || Declaration::Queue(Queue::named("q"));
        let first = topology.add(queue()).unwrap();
        let second = topology.add(Declaration::Queue(Queue::named("q").transient())).unwrap();
        topology.take_back(first);
        topology.take_back(second);
        let all = topology.all();
        assert!(matches!(&all[..], [Declaration::Queue(queue)] if queue.options.durable));
        let bound = topology.add(Declaration::Binding(Binding::new("e", "q", "k"))).unwrap();
        topology.take_back(bound);
        assert_eq!(names(&topology), ["q"]);
    }

    #[test]
    fn what_has_no_name_or_a_long_one_is_refused() {
        assert!(Declaration::Queue(Queue::named("")).check().is_err());
        assert_eq!(short(&"x".repeat(256)).unwrap_err().kind(), ErrorKind::InvalidRequest);
        assert!(short(&"x".repeat(255)).is_ok());
    }
}
