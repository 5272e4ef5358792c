//! The handle to a client.

use crate::backlog::{Backlog, Ticket};
use crate::buffer::Buffer;
use crate::command::{Command, Outgoing};
use crate::handler::Handler;
use crate::message::{Message, Publish};
use crate::options::Options;
use crate::qos::Qos;
use crate::registry::Member;
use crate::session::{Session, too_large};
use crate::subscription::{Acknowledge, Subscribe, Subscription};
use crate::task::Task;
use crate::topic::{check_filter, check_topic};
use crate::wire::Publication;
use bytes::Bytes;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use workyard_adapter_kit::{Call, Error, ErrorKind, Guard, Repeat, Result, State, Stats, Status};

/// So much longer the guard waits than an attempt, which knows better why it took so long.
const MARGIN: Duration = Duration::from_millis(500);

/// A client of an MQTT broker: one connection, which heals itself. Cheap to clone; clones are the same
/// client.
///
/// When the last clone and the last subscription are dropped without [`Mqtt::close`], the connection ends
/// without a farewell, and the broker publishes the last will.
#[derive(Clone, Debug)]
pub struct Mqtt(Arc<Inner>);

struct Inner {
    guard: Guard,
    options: Options,
    status: Arc<Status>,
    backlog: Arc<Backlog>,
    commands: mpsc::UnboundedSender<Command>,
    members: AtomicU64,
    /// Until the first call.
    task: Mutex<Option<Task>>,
}

impl Mqtt {
    /// A client of the broker at this URL. It connects with the first call.
    ///
    /// # Errors
    /// When the URL cannot be read, or what it says cannot work.
    pub fn open(url: &str) -> Result<Self> {
        Self::with(Options::new(url))
    }

    /// A client as these options say. It connects with the first call.
    ///
    /// # Errors
    /// When they cannot work.
    pub fn with(options: Options) -> Result<Self> {
        let service = "mqtt";
        let (options, place) =
            options.resolve().map_err(|error| error.at(service, &Arc::from("(no URL)")))?;
        let (target, calls) = (Arc::clone(&place.target), options.calls.clone());
        let guard = Guard::new(service, target, calls, options.observer.clone())?;
        let tls = place.secure.then(|| options.tls.client_config()).transpose();
        let tls = tls.map_err(|error| guard.placed(error))?.map(Arc::new);
        let status = Arc::new(Status::default());
        let (commands, asked) = mpsc::unbounded_channel();
        let task = Task {
            session: Session::new(&options, commands.downgrade()),
            options: options.clone(),
            place,
            tls,
            guard: guard.clone(),
            status: Arc::clone(&status),
            commands: asked,
            claim_by: None,
        };
        Ok(Self(Arc::new(Inner {
            guard,
            backlog: Arc::new(Backlog::new(options.queue_max, options.queue_bytes_max)),
            options,
            status,
            commands,
            members: AtomicU64::new(0),
            task: Mutex::new(Some(task)),
        })))
    }

    /// Publishes a message. With QoS 0 it was handed to the system when this returns, with QoS 1 and 2 the
    /// broker has it. Without a connection it waits for one.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] when that took too long; [`Error::outcome_unknown`] says whether the
    /// message may arrive all the same. [`ErrorKind::Busy`] when too many wait, [`ErrorKind::Server`] when
    /// the broker does not want it (MQTT 5), and what else can go wrong with a call.
    pub async fn publish(
        &self,
        topic: impl Into<String>,
        payload: impl Into<Bytes>,
        qos: Qos,
        retain: bool,
    ) -> Result<()> {
        self.send(Publish::new(topic, payload).qos(qos).retain(retain)).await
    }

    /// The same, with all that a message can have.
    ///
    /// # Errors
    /// Those of [`Mqtt::publish`]; [`ErrorKind::InvalidRequest`] for properties without MQTT 5.
    pub async fn send(&self, message: Publish) -> Result<()> {
        let inner = &*self.0;
        self.start();
        let call = Call::new("publish").within(inner.options.calls.request_timeout + MARGIN);
        inner.guard.call(call, || inner.publish(message.clone())).await
    }

    /// Subscribes, and returns once the broker has granted it.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] when the broker does not grant it, [`ErrorKind::InvalidRequest`] for a filter
    /// that is none, and what else can go wrong with a call.
    pub async fn subscribe(
        &self,
        filter: impl Into<String>,
        how: impl Into<Subscribe>,
    ) -> Result<Subscription> {
        let (inner, filter, how) = (&*self.0, filter.into(), how.into());
        self.start();
        let wait = inner.options.calls.request_timeout;
        let call = Call::new("subscribe").repeat(Repeat::Freely).within(wait + MARGIN);
        inner.guard.call(call, || inner.subscribe(filter.clone(), how)).await
    }

    /// Subscribes, and has a function called for each message, one after the other.
    ///
    /// With [`Acknowledge::ByHand`](crate::Acknowledge::ByHand) a message is acknowledged once its call
    /// has succeeded. Of errors there is a warning in the log.
    ///
    /// # Errors
    /// Those of [`Mqtt::subscribe`].
    pub async fn on<H, F, E>(
        &self,
        filter: impl Into<String>,
        how: impl Into<Subscribe>,
        handle: H,
    ) -> Result<Handler>
    where
        H: FnMut(Message) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send,
        E: Display + Send,
    {
        Ok(Handler::start(self.subscribe(filter, how).await?, handle))
    }

    /// Waits until the connection is there and all subscriptions are restored, `connect_timeout` at most.
    ///
    /// # Errors
    /// What keeps it from being there: [`ErrorKind::Refused`] at once when the broker does not want this
    /// client.
    pub async fn ready(&self) -> Result<()> {
        self.start();
        let ready = self.0.status.ready(self.0.options.calls.connect_timeout).await;
        ready.map_err(|error| self.0.guard.placed(error))
    }

    /// How the connection is, to be looked at and to be followed. It is not begun by this.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.0.status
    }

    /// What was done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.guard.stats()
    }

    /// How many messages wait to be sent or acknowledged.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.0.backlog.messages()
    }

    /// What the broker knows this client by.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.0.options.client_id.as_deref().unwrap_or_default()
    }

    /// Lets no call in any more, waits for those under way, `close_grace` at most, and takes leave of the
    /// broker, which forgets the last will. Subscriptions end once they are emptied.
    pub async fn close(&self) {
        let inner = &*self.0;
        inner.guard.close(inner.options.close_grace).await;
        if inner.task().take().is_some() {
            return inner.status.set(State::Closed);
        }
        let (reply, done) = oneshot::channel();
        if inner.commands.send(Command::Close(reply)).is_ok() {
            // An error says that it was closed already.
            let _ = done.await;
        }
    }

    fn start(&self) {
        if self.0.guard.is_closed() {
            return;
        }
        let task = self.0.task().take();
        if let Some(task) = task {
            tokio::spawn(task.run());
        }
    }
}

impl Inner {
    async fn publish(&self, message: Publish) -> Result<()> {
        check_topic(&message.topic)?;
        let publication = Publication::new(self.options.version, message)?;
        let (bytes, bytes_max) = (publication.size() + 2, self.options.packet_bytes_max);
        if bytes > bytes_max {
            return Err(too_large(bytes, bytes_max));
        }
        self.refusal()?;
        let ticket = Arc::new(self.backlog.enter(bytes)?);
        let (reply, outcome) = oneshot::channel();
        let waiting = Waiting(Arc::clone(&ticket), publication.clone());
        self.command(Command::Publish(Outgoing { publication, ticket, reply, lost: 0 }))?;
        match timeout(self.options.calls.request_timeout, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(closed().outcome_open()),
            Err(_) if waiting.give_up() => Err(self.late("sent").not_carried_out()),
            Err(_) => Err(self.late("acknowledged")),
        }
    }

    async fn subscribe(&self, filter: String, how: Subscribe) -> Result<Subscription> {
        check_filter(&filter)?;
        if how.buffer_max == 0 {
            let message = "buffer_max is zero: no message could ever be taken";
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        self.refusal()?;
        let number = self.members.fetch_add(1, Ordering::Relaxed);
        let (qos, acknowledge) = (how.qos, how.acknowledge);
        // What the program is to acknowledge itself, the broker keeps for who subscribes next.
        let leaves = acknowledge == Acknowledge::ByHand && !self.options.clean_session;
        let buffer = Arc::new(Buffer::new(how.buffer_max, how.overflow).leaving(leaves));
        let (reply, outcome) = oneshot::channel();
        let member =
            Member { number, qos, acknowledge, buffer: Arc::clone(&buffer), reply: Some(reply) };
        self.command(Command::Subscribe { filter: filter.clone(), member })?;
        // From here on dropping it ends what was asked for.
        let (commands, guard) = (self.commands.clone(), self.guard.clone());
        let subscription = Subscription { filter, number, acknowledge, buffer, commands, guard };
        match timeout(self.options.calls.request_timeout, outcome).await {
            Ok(Ok(outcome)) => outcome.map(|()| subscription),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(self.late("answered").not_carried_out()),
        }
    }

    fn command(&self, command: Command) -> Result<()> {
        self.commands.send(command).map_err(|_| closed())
    }

    /// Nothing is sent to a broker that does not want this client.
    fn refusal(&self) -> Result<()> {
        match self.status.state() {
            State::Down(error) if error.kind() == ErrorKind::Refused => {
                Err(error.not_carried_out())
            }
            _ => Ok(()),
        }
    }

    /// Why nothing came of a call in time.
    fn late(&self, what: &str) -> Error {
        let wait = self.options.calls.request_timeout;
        let message = match self.status.state() {
            State::Ready | State::Closed => format!("not {what} within {wait:?}"),
            State::Down(error) => {
                format!("not {what} within {wait:?}: not connected: {}", error.message())
            }
            _ => format!("not {what} within {wait:?}: not connected yet"),
        };
        Error::new(ErrorKind::TimedOut, message)
    }

    fn task(&self) -> MutexGuard<'_, Option<Task>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mqtt")
            .field("target", self.guard.target())
            .field("client_id", &self.options.client_id)
            .field("state", &self.status.state())
            .finish_non_exhaustive()
    }
}

/// A caller who waits for its message. Gone before the message was sent, the message is not sent.
struct Waiting(Arc<Ticket>, Publication);

impl Waiting {
    /// Whether the message was certainly not sent, and never will be. Then it is not kept.
    fn give_up(&self) -> bool {
        let is_unsent = self.0.give_up();
        if is_unsent {
            self.1.forget();
        }
        is_unsent
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.give_up();
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the adapter is closed")
}
