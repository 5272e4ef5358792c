//! The handle of a connection: cheap to clone, usable from any task.

use crate::address::Address;
use crate::command::{Command, Control, Request, Sending};
use crate::connect;
use crate::deadline::deadline;
use crate::error::Error;
use crate::event::{Event, Events};
use crate::in_flight::Answer;
use crate::limits::{EVENTS_MAX, LARGE_BODIES_BYTES_MAX, LARGE_BODY_BYTES};
use crate::options::Options;
use crate::outgoing::Body;
use crate::received::Received;
use crate::session::{Outbox, Session};
use crate::state::{Glance, Server, State};
use crate::task::Task;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::time::timeout_at;
use workyard_protocol::Message;

/// The handle of a connection. Clones share it; when the last one is dropped, what was sent is still
/// delivered, as far as the call timeout allows, and the connection ends.
pub struct Link<S: Session> {
    shared: Arc<Shared<S::Command>>,
    call_timeout: Duration,
    /// The losses that this handle was told of.
    losses: AtomicU64,
}

struct Shared<C> {
    address: Address,
    commands: mpsc::Sender<Command<C>>,
    controls: mpsc::UnboundedSender<Control<C>>,
    state: watch::Receiver<State>,
    glance: Arc<Glance>,
    /// The task has the strong one, so that events end with it.
    events: broadcast::WeakSender<Event>,
    large_bodies: Arc<Semaphore>,
}

impl<S: Session> Link<S> {
    /// Connects, and returns when the server has welcomed this client.
    ///
    /// Later connections are the link's own business.
    ///
    /// # Errors
    /// Why the first attempt failed: `Unreachable`, `Rejected`, `TooLarge`.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time and I/O.
    pub async fn connect(address: Address, options: Options, session: S) -> Result<Self, Error> {
        let link = Self::connect_lazy(address, options, session)?;
        let mut state = link.shared.state.clone();
        let known = |state: &State| state.connections > 0 || state.failure.is_some();
        let failure = match state.wait_for(known).await {
            Ok(state) if state.connections > 0 => None,
            Ok(state) => state.failure.clone(),
            Err(_) => Some(Error::Closed),
        };
        failure.map_or(Ok(link), Err)
    }

    /// Returns at once and connects in the background, however often that takes.
    ///
    /// # Errors
    /// `TooLarge` when name and credentials do not fit into a hello.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time and I/O.
    pub fn connect_lazy(address: Address, options: Options, session: S) -> Result<Self, Error> {
        let hello = connect::hello(&options, session.service())?;
        let (commands, command_receiver) = mpsc::channel(options.commands_max.max(1));
        let (controls, control_receiver) = mpsc::unbounded_channel();
        let (state_sender, state) = watch::channel(State::default());
        let events = broadcast::Sender::new(EVENTS_MAX);
        let weak_events = events.downgrade();
        let glance = Arc::new(Glance::default());
        let call_timeout = options.call_timeout;
        let task = Task {
            address: address.clone(),
            options,
            hello,
            session,
            outbox: Outbox::default(),
            commands: command_receiver,
            controls: control_receiver,
            state: state_sender,
            glance: Arc::clone(&glance),
            events,
            closing: None,
            unfinished: None,
            epoch: None,
        };
        tokio::spawn(task.run());
        let shared = Arc::new(Shared {
            address,
            commands,
            controls,
            state,
            glance,
            events: weak_events,
            large_bodies: Arc::new(Semaphore::new(LARGE_BODIES_BYTES_MAX)),
        });
        Ok(Self { shared, call_timeout, losses: AtomicU64::new(0) })
    }

    /// The same connection with another timeout for the calls made through this handle.
    #[must_use]
    pub fn with_call_timeout(&self, call_timeout: Duration) -> Self {
        Self { call_timeout, ..self.clone() }
    }

    /// How long a call through this handle waits for its answer.
    #[must_use]
    pub fn call_timeout(&self) -> Duration {
        self.call_timeout
    }

    /// Where the server is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.shared.address
    }

    /// Who is connected to; nothing while there is no connection.
    #[must_use]
    pub fn server(&self) -> Option<Arc<Server>> {
        self.shared.state.borrow().server.clone()
    }

    /// What happens to the connection from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.shared.events.upgrade().map(|events| events.subscribe()))
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// As [`Error`] lists them. [`Error::outcome_unknown`] says whether it may have been carried out.
    pub async fn request<'a>(&self, message: &impl Message<'a>) -> Result<Received, Error> {
        self.call(Body::of(message), None).await
    }

    /// Sends a request that makes sense on one connection only, by its number.
    ///
    /// # Errors
    /// `ConnectionReplaced` when it is another one by now, else as [`Link::request`].
    pub async fn request_on<'a>(
        &self,
        connection: u64,
        message: &impl Message<'a>,
    ) -> Result<Received, Error> {
        if self.shared.glance.connection() != Some(connection) {
            return Err(Error::ConnectionReplaced);
        }
        self.call(Body::of(message), Some(connection)).await
    }

    /// Sends a request that is not answered. Returns when it is in the command queue; while there is
    /// no connection it waits there. [`Link::flush`] tells whether it arrived, an event if the server
    /// refused it.
    ///
    /// # Errors
    /// `TooLarge`, `Closed`; `Unreachable` when the queue stays full. Nothing was sent then.
    pub async fn send<'a>(&self, message: &impl Message<'a>) -> Result<(), Error> {
        let body = Body::of(message);
        self.check_size(&body)?;
        let before = self.shared.glance.phase();
        let sending = async {
            let share = self.share(&body).await?;
            self.enqueue(Command::Send(Sending { body, _share: share })).await
        };
        match timeout_at(deadline(self.call_timeout), sending).await {
            Ok(result) => result,
            Err(_) => Err(self.not_taken(before)),
        }
    }

    /// How long the server takes to answer.
    ///
    /// # Errors
    /// As [`Link::request`], refusals apart.
    pub async fn ping(&self) -> Result<Duration, Error> {
        let (caller, answer) = oneshot::channel();
        let before = self.shared.glance.phase();
        let round_trip = async {
            self.enqueue(Command::Ping(caller)).await?;
            answer.await.unwrap_or(Err(Error::Closed))
        };
        match timeout_at(deadline(self.call_timeout), round_trip).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out(before)),
        }
    }

    /// Returns when the server has dealt with everything that was sent through this handle.
    ///
    /// # Errors
    /// `Disconnected` when a connection was lost since the last flush and something sent may be lost
    /// with it, whether or not there is another one by now; else as [`Link::ping`].
    pub async fn flush(&self) -> Result<(), Error> {
        let pong = self.ping().await;
        let (losses, reason) = {
            let state = self.shared.state.borrow();
            (state.losses, state.lost_by.clone())
        };
        // Whatever the pong says: a loss that is not told now would never be.
        let told = self.losses.fetch_max(losses, Ordering::AcqRel);
        match reason {
            Some(reason) if losses > told => Err(Error::Disconnected { reason }),
            _ => pong.map(drop),
        }
    }

    /// Asks something of the session, in order with requests.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn command(&self, command: S::Command) -> Result<(), Error> {
        self.enqueue(Command::Session(command)).await
    }

    /// Asks something of the session, waits for `answer`, and gives up after the call timeout.
    ///
    /// The command is not carried out by a session that finds the other end of `answer` closed.
    ///
    /// # Errors
    /// What the session answers, `TimedOut`, `Unreachable`, `Closed`.
    pub async fn ask<T>(
        &self,
        command: S::Command,
        answer: oneshot::Receiver<Result<T, Error>>,
    ) -> Result<T, Error> {
        let before = self.shared.glance.phase();
        let asking = async {
            self.command(command).await?;
            answer.await.unwrap_or(Err(Error::Closed))
        };
        match timeout_at(deadline(self.call_timeout), asking).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out(before)),
        }
    }

    /// Tells the session that a handle is gone. Never waits: this is for `Drop`, at most once for
    /// each thing that exists.
    pub fn release(&self, command: S::Command) {
        // Without a task there is nothing to release.
        let _ = self.shared.controls.send(Control::Session(command));
    }

    /// Ends the connection when everything queued is sent and answered, or after `within`. Other
    /// handles find it closed from now on.
    ///
    /// # Errors
    /// `TimedOut` or `Disconnected` when something was left undone.
    pub async fn close(&self, within: Duration) -> Result<(), Error> {
        let (done, closed) = oneshot::channel();
        if self.shared.controls.send(Control::Close { within, done }).is_err() {
            return Ok(());
        }
        // A task that has ended before it saw this was closed by somebody else.
        closed.await.unwrap_or(Ok(()))
    }

    async fn call(&self, body: Body, only_on: Option<u64>) -> Result<Received, Error> {
        self.check_size(&body)?;
        let before = self.shared.glance.phase();
        let (caller, answer) = oneshot::channel::<Answer>();
        let calling = async {
            let share = self.share(&body).await?;
            self.enqueue(Command::Request(Request { body, caller, only_on, _share: share }))
                .await?;
            answer.await.unwrap_or(Err(Error::Closed))
        };
        match timeout_at(deadline(self.call_timeout), calling).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out(before)),
        }
    }

    async fn enqueue(&self, command: Command<S::Command>) -> Result<(), Error> {
        self.shared.commands.send(command).await.map_err(|_| Error::Closed)
    }

    /// A share of the memory for large requests; small ones are bounded by their number.
    async fn share(&self, body: &Body) -> Result<Option<OwnedSemaphorePermit>, Error> {
        if body.frame_bytes() <= LARGE_BODY_BYTES {
            return Ok(None);
        }
        let bytes = body.frame_bytes().min(LARGE_BODIES_BYTES_MAX);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let share = Arc::clone(&self.shared.large_bodies).acquire_many_owned(bytes).await;
        share.map(Some).map_err(|_| Error::Closed)
    }

    fn check_size(&self, body: &Body) -> Result<(), Error> {
        let (bytes, limit) = (body.frame_bytes(), self.shared.glance.frame_bytes_max());
        match bytes > limit {
            true => Err(Error::TooLarge { bytes, limit }),
            false => Ok(()),
        }
    }

    /// The error of a call that began in the phase `before` and has waited for long enough.
    fn timed_out(&self, before: u64) -> Error {
        self.never_connected(before).unwrap_or(Error::TimedOut { after: self.call_timeout })
    }

    /// The same of one that never got into the command queue: nothing of it can have been sent.
    fn not_taken(&self, before: u64) -> Error {
        let cause = || format!("the queue of commands was full for {:?}", self.call_timeout);
        self.never_connected(before).unwrap_or_else(|| self.unreachable(cause()))
    }

    fn never_connected(&self, before: u64) -> Option<Error> {
        if !before.is_multiple_of(2) || self.shared.glance.phase() != before {
            return None;
        }
        let failure = self.shared.state.borrow().failure.clone();
        Some(failure.unwrap_or_else(|| self.unreachable("still connecting".to_owned())))
    }

    fn unreachable(&self, cause: String) -> Error {
        Error::Unreachable { address: self.shared.address.clone(), cause }
    }
}

impl<S: Session> Clone for Link<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            call_timeout: self.call_timeout,
            losses: AtomicU64::new(self.losses.load(Ordering::Acquire)),
        }
    }
}

impl<S: Session> std::fmt::Debug for Link<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("address", &self.shared.address).finish_non_exhaustive()
    }
}
