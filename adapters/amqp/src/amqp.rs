//! The handle: what a program does with a server.

use crate::consume::Consume;
use crate::consumer::Consumer;
use crate::error;
use crate::finished::Finished;
use crate::keeper::{Close, Keeper};
use crate::options::Options;
use crate::publish::Publish;
use crate::publishing::Parts;
use crate::shared::Shared;
use crate::topology::{Binding, Declaration, Exchange, Queue, QueueFacts, Topology, short};
use crate::{Error, ErrorKind, Result, State, Stats, Status};
use lapin::Channel;
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions, QueuePurgeOptions};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};
use workyard_adapter_kit::{Call, Guard, Repeat};

/// A connection to an AMQP server that heals itself. Cheap to clone; clones are the same connection.
///
/// It connects with the first call, and lives as long as a handle, a consumer or a delivery does.
#[derive(Clone)]
pub struct Amqp(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    closes: mpsc::Sender<Close>,
    /// What is started with the first call.
    keeper: Mutex<Option<Keeper>>,
}

impl Amqp {
    /// A connection to the server at a [URL](Options::url).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOptions`] when the URL will not do. Nothing is connected yet.
    pub fn open(url: &str) -> Result<Self> {
        Self::with(Options::new(url))
    }

    /// A connection with these options.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOptions`] when they will not do. Nothing is connected yet.
    pub fn with(options: Options) -> Result<Self> {
        let settled = options.settled().map_err(|error| error.at("amqp", &"".into()))?;
        let target = Arc::clone(&settled.target);
        let (calls, observer) = (settled.options.calls.clone(), settled.options.observer.clone());
        let guard = Guard::new("amqp", target, calls, observer)?;
        let shared = Arc::new(Shared::new(settled, guard));
        let (closes, closed) = mpsc::channel(1);
        let keeper = Mutex::new(Some(Keeper::new(Arc::clone(&shared), closed)));
        Ok(Self(Arc::new(Inner { shared, closes, keeper })))
    }

    /// Publishes a message and returns when the server has confirmed that it has it: on the disk, if
    /// the message is not transient and its queue is durable.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] when a queue does not take it (code `nack`; another may have), has no queue for one that
    /// is mandatory (`312`), or no such exchange (`404`); [`ErrorKind::TimedOut`], when the server takes
    /// none for now. [`Error::outcome_unknown`] tells whether it may have been taken.
    pub async fn publish(&self, message: &Publish) -> Result<()> {
        self.start();
        let call = Call::new("PUBLISH").repeat(Repeat::IfUnsent);
        self.guard().call(call, || self.publish_once(message)).await
    }

    /// Declares an exchange, also with every further connection.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] when there is another of that name that is different (`406`).
    pub async fn declare_exchange(&self, exchange: &Exchange) -> Result<()> {
        self.declare(Declaration::Exchange(exchange.clone())).await.map(drop)
    }

    /// Declares a queue, also with every further connection.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] when there is another of that name that is different (`406`), or that is
    /// another connection's alone (`405`).
    pub async fn declare_queue(&self, queue: &Queue) -> Result<QueueFacts> {
        self.declare(Declaration::Queue(queue.clone())).await
    }

    /// Binds a queue to an exchange, also with every further connection.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] when there is no such queue or exchange (`404`).
    pub async fn bind(&self, binding: &Binding) -> Result<()> {
        self.declare(Declaration::Binding(binding.clone())).await.map(drop)
    }

    /// Undoes that.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn unbind(&self, binding: &Binding) -> Result<()> {
        let done = self.on_channel("UNBIND", Repeat::IfUnsent, async |channel| {
            let Binding { queue, exchange, key, arguments } = binding;
            let (queue, exchange, key) = (short(queue)?, short(exchange)?, short(key)?);
            let unbound = channel.queue_unbind(queue, exchange, key, arguments.clone());
            unbound.await.map_err(error::of_request)
        });
        self.forgotten(done.await, |topology| topology.forget_binding(binding))
    }

    /// Deletes a queue with all that is in it, and returns how many messages that were.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn delete_queue(&self, name: &str) -> Result<u32> {
        let done = self.on_channel("DELETE", Repeat::IfUnsent, async |channel| {
            let deleted = channel.queue_delete(short(name)?, QueueDeleteOptions::default());
            deleted.await.map_err(error::of_request)
        });
        self.forgotten(done.await, |topology| topology.forget_queue(name))
    }

    /// Deletes an exchange.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn delete_exchange(&self, name: &str) -> Result<()> {
        let done = self.on_channel("DELETE", Repeat::IfUnsent, async |channel| {
            let deleted = channel.exchange_delete(short(name)?, ExchangeDeleteOptions::default());
            deleted.await.map_err(error::of_request)
        });
        self.forgotten(done.await, |topology| topology.forget_exchange(name))
    }

    /// Removes all that waits in a queue, and returns how many messages that were.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] when there is no such queue (`404`).
    pub async fn purge_queue(&self, name: &str) -> Result<u32> {
        self.on_channel("PURGE", Repeat::IfUnsent, async |channel| {
            let purged = channel.queue_purge(short(name)?, QueuePurgeOptions::default());
            purged.await.map_err(error::of_request)
        })
        .await
    }

    /// Consumes a queue, also after every reconnect.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] when there is no such queue (`404`), or it is another's alone (`403`).
    pub async fn consume(&self, wish: Consume) -> Result<Consumer> {
        Consumer::open(self.clone(), wish).await
    }

    /// Checks that the server is there, wants this client, and answers, within `connect_timeout`.
    ///
    /// # Errors
    /// What is in the way.
    pub async fn ready(&self) -> Result<()> {
        self.start();
        let patience = self.guard().options().connect_timeout;
        let asked = async {
            self.shared().status.ready(patience).await?;
            let live = self.shared().connection().await?;
            live.channel().await.map(drop)
        };
        let ready = tokio::time::timeout(patience, asked).await.unwrap_or_else(|_| {
            let message = format!("no answer within {patience:?}");
            Err(Error::new(ErrorKind::TimedOut, message).not_carried_out())
        });
        ready.map_err(|error| self.guard().placed(error.during("ready")))
    }

    /// How the connection is, and how it changes.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.shared().status
    }

    /// What was done so far, and is being done.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.guard().stats()
    }

    /// A channel of the driver's, for what is not offered here. It is the caller's, and ends with the
    /// connection.
    ///
    /// # Errors
    /// When there is no connection.
    pub async fn channel(&self) -> Result<Channel> {
        self.start();
        let call = Call::new("CHANNEL").repeat(Repeat::Freely);
        self.guard().call(call, async || self.shared().connection().await?.channel().await).await
    }

    /// Lets calls under way end, `request_timeout` at most, and closes the connection. Consumers end.
    pub async fn close(&self) {
        self.guard().close(self.guard().options().request_timeout).await;
        if self.unstarted().take().is_some() {
            self.shared().closed();
            return;
        }
        let (close, closed) = oneshot::channel();
        // Errors say that it was closed before.
        if self.0.closes.send(close).await.is_ok() {
            let _ = closed.await;
        }
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.0.shared.guard
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(crate) fn start(&self) {
        if let Some(keeper) = self.unstarted().take() {
            tokio::spawn(keeper.run());
        }
    }

    fn unstarted(&self) -> MutexGuard<'_, Option<Keeper>> {
        self.0.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn publish_once(&self, message: &Publish) -> Result<()> {
        let shared = self.shared();
        let (exchange, key, properties) = message.parts(shared.settled.options.body_bytes_max)?;
        let live = shared.connection().await?;
        live.unblocked(shared.patience()).await?;
        let (bytes, patience) = (message.body.len(), shared.patience());
        let (is_mandatory, body) = (message.is_mandatory, message.body.clone());
        let parts = Parts { exchange, key, is_mandatory, body, properties };
        // The driver would keep what it has of a publish that was given up as long as the channel lasts.
        if message.is_mandatory {
            let alone = live.alone(patience).await?;
            let room = live.room(bytes, patience).await?;
            let published = async move {
                let published = alone.publishing.publish(parts, room).await;
                alone.give_back();
                published
            };
            return Finished::new(published).await;
        }
        let publishing = live.publishing(&message.exchange).await?;
        let room = live.room(bytes, patience).await?;
        Finished::new(async move { publishing.publish(parts, room).await }).await
    }

    /// It is kept before it is declared, for a connection that is lost in between.
    async fn declare(&self, declaration: Declaration) -> Result<QueueFacts> {
        let checked = declaration.check();
        let added = checked.and_then(|()| self.shared().topology().add(declaration.clone()));
        let added = added.map_err(|error| self.guard().placed(error.during("DECLARE")))?;
        let declare = async |channel: &Channel| declaration.declare(channel).await;
        let declared = self.on_channel("DECLARE", Repeat::Freely, declare).await;
        if declared.as_ref().is_err_and(is_certain) {
            self.shared().topology().take_back(added);
        }
        declared
    }

    /// Forgets what was declared, unless it is certain that it still is there.
    fn forgotten<T>(&self, done: Result<T>, forget: impl FnOnce(&mut Topology)) -> Result<T> {
        if !done.as_ref().is_err_and(is_certain) {
            forget(&mut self.shared().topology());
        }
        done
    }

    /// Does something on a channel of its own.
    async fn on_channel<T>(
        &self,
        operation: &'static str,
        repeat: Repeat,
        work: impl AsyncFn(&Channel) -> Result<T>,
    ) -> Result<T> {
        self.start();
        let call = Call::new(operation).repeat(repeat);
        let done = self.guard().call(call, async || {
            let channel = self.shared().connection().await?.channel().await?;
            work(&channel).await
        });
        done.await
    }
}

/// Whether what failed has certainly changed nothing: the server said no, or was not asked.
fn is_certain(error: &Error) -> bool {
    error.kind() == ErrorKind::Server || !error.outcome_unknown()
}

impl fmt::Debug for Amqp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.status().state() {
            State::Down(error) => format!("Down({error})"),
            state => format!("{state:?}"),
        };
        f.debug_struct("Amqp")
            .field("target", self.guard().target())
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
