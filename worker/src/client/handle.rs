//! A client as its callbacks see it.

use super::builder::{ClientBuilder, ClientScheme};
use super::callbacks::Callbacks;
use super::clients::{self, AnyClient};
use super::connect::{self, Security};
use super::proxy::Proxy;
use super::{Backoff, Target};
use crate::address::Address;
use crate::connection::{Connection, ConnectionError, ConnectionState, Ends, Sent, Serve};
use crate::orders::{ConnectionStatus, WorkerStatus};
use crate::scheme::{Scheme, Traffic, WireLimits};
use crate::stream::{Arrival, Stream};
use crate::worker::{Options, WorkerProcess, next_connection_id};
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, timeout};

/// A connection that a worker process makes itself. Clones are the same; it belongs to the thread of its process.
///
/// ```no_run
/// use std::time::Duration;
/// use workyard_worker::{Backoff, Client, Worker, protocols::Text};
///
/// let worker = Worker::<Text>::bind("text://127.0.0.1:2347").on_worker_start(async |_| {
///     Client::<Text>::to("text://10.0.0.5:2347")
///         .reconnect(Backoff::new(Duration::from_millis(100), Duration::from_secs(10)))
///         .on_connect(async |client| client.send("hello"))
///         .on_message(async |client, line| println!("{line}"))
///         .connect()?;
///     Ok::<_, std::io::Error>(())
/// });
/// ```
///
/// `D` is what is kept for the client, see [`ClientBuilder::data`]. It outlasts a connection.
pub struct Client<S: Scheme, D = ()>(Rc<Inner<S, D>>);

pub(super) struct Settings {
    pub(super) target: Target,
    pub(super) address: Address,
    pub(super) proxy: Option<Proxy>,
    pub(super) security: Option<Security>,
    pub(super) connect_timeout: Duration,
}

pub(super) struct Inner<S: Scheme, D> {
    settings: Settings,
    /// Of a connection, a client is what a worker is: it has the callbacks, and counts.
    owner: WorkerProcess<S, ()>,
    /// The present one, or the last.
    connection: RefCell<Option<Connection<S, ()>>>,
    data: RefCell<D>,
    backoff: RefCell<Option<Backoff>>,
    /// After how long to connect again, when the present connection has ended.
    again: Cell<Option<Duration>>,
    /// The program has ended the present connection.
    is_ended: Cell<bool>,
    /// Its task is there.
    is_alive: Cell<bool>,
    /// The process leaves: there is no next connection.
    is_leaving: Cell<bool>,
}

impl<S: ClientScheme> Client<S> {
    /// A client of an address: `PROTOCOL://HOST:PORT`, or with what carries it in place of the protocol: `tcp://`,
    /// `ssl://`, `unix:///PATH`.
    #[must_use]
    pub fn to(address: &str) -> ClientBuilder<S> {
        ClientBuilder::new(address)
    }
}

impl<S: ClientScheme, D: Default + 'static> Client<S, D> {
    pub(super) fn begin(
        settings: Settings,
        options: Options,
        backoff: Option<Backoff>,
        callbacks: Callbacks<S, D>,
    ) -> Self {
        let inner = Rc::new_cyclic(|inner| Inner {
            owner: WorkerProcess::new(
                0,
                settings.target.address.clone(),
                options,
                callbacks.into_handlers(inner),
            ),
            settings,
            connection: RefCell::default(),
            data: RefCell::default(),
            backoff: RefCell::new(backoff),
            again: Cell::new(None),
            is_ended: Cell::new(false),
            is_alive: Cell::new(false),
            is_leaving: Cell::new(false),
        });
        let client = Self(inner);
        client.start(Duration::ZERO);
        client
    }

    /// Connects again, so long after the present connection has ended, or after now if it has. Mostly said in
    /// `on_close`. What was queued and not sent is lost.
    pub fn reconnect(&self, after: Duration) {
        match self.0.is_alive.get() {
            true => self.0.again.set(Some(after)),
            false => self.start(after),
        }
    }

    fn start(&self, after: Duration) {
        self.0.is_alive.set(true);
        let id = clients::remember(Rc::clone(&self.0) as Rc<dyn AnyClient>);
        spawn_local(self.clone().live(id, self.attempt(after)));
    }

    /// One connection after the other.
    async fn live(self, id: u64, mut attempt: Serve<S, ()>) {
        loop {
            let (begun, messages) = (Instant::now(), self.messages());
            attempt.await;
            let has_had_messages = self.messages() > messages;
            if let Some(backoff) = &mut *self.0.backoff.borrow_mut() {
                backoff.lived(has_had_messages, begun.elapsed());
            }
            let Some(after) = self.next() else { break };
            attempt = self.attempt(after);
        }
        self.0.is_alive.set(false);
        clients::forget(id, &self.0.owner.take_counts());
    }

    fn messages(&self) -> u64 {
        self.0.owner.own_status().total_request
    }

    /// When to connect again, if at all.
    fn next(&self) -> Option<Duration> {
        let again = self.0.again.take();
        if self.0.is_leaving.get() {
            return None;
        }
        if again.is_none() && self.0.is_ended.get() {
            return None;
        }
        again.or_else(|| self.0.backoff.borrow_mut().as_mut().map(Backoff::wait))
    }

    /// A connection that is to be made.
    fn attempt(&self, after: Duration) -> Serve<S, ()> {
        let Inner { settings, owner, .. } = &*self.0;
        let arrival = Rc::new(Arrival::default());
        let limits = WireLimits { package_bytes_max: owner.options().package_bytes_max };
        let wire = S::wire(Stream::Connecting(Rc::clone(&arrival)), limits, &settings.target);
        let (id, ends) = (next_connection_id(), connect::ends(&settings.address));
        let connection = Connection::new(id, ends, owner.clone(), wire, ());
        owner.remember(&connection);
        *self.0.connection.borrow_mut() = Some(connection.clone());
        self.0.is_ended.set(false);
        Serve::connecting(connection, self.clone().connect(after, arrival))
    }

    async fn connect(self, after: Duration, arrival: Rc<Arrival>) -> Result<Ends, ConnectionError> {
        sleep(after).await;
        let Settings { address, proxy, security, connect_timeout, .. } = &self.0.settings;
        let connected =
            timeout(*connect_timeout, connect::connect(address, proxy.as_ref(), security.clone()))
                .await;
        let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut));
        let (stream, ends) = connected.unwrap_or_else(late).map_err(|error| {
            let (address, reason) = (self.0.settings.target.address.clone(), error.to_string());
            ConnectionError::Connect { address, reason }
        })?;
        *arrival.borrow_mut() = Some(stream);
        Ok(ends)
    }
}

impl<S: Scheme, D: 'static> Client<S, D> {
    /// The client of a connection that is being served.
    pub(super) fn of(inner: &Weak<Inner<S, D>>) -> Self {
        Self(inner.upgrade().expect("the task that serves a connection has its client"))
    }

    pub(crate) fn connection(&self) -> Connection<S, ()> {
        self.0.connection()
    }

    /// The number of its connection in this process; each connection has its own.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.connection().id()
    }

    /// How far the connection is.
    #[must_use]
    pub fn state(&self) -> ConnectionState {
        self.connection().state()
    }

    /// The address there, once it is connected; none on a socket of the file system.
    #[must_use]
    pub fn remote(&self) -> Option<SocketAddr> {
        self.connection().remote()
    }

    /// The address here.
    #[must_use]
    pub fn local(&self) -> Option<SocketAddr> {
        self.connection().local()
    }

    /// Bytes received and sent on the present connection, and those that wait.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.connection().traffic()
    }

    /// What the program keeps for this client.
    ///
    /// # Panics
    /// While [`Client::data_mut`] is held: hold neither across an `await`.
    #[must_use]
    pub fn data(&self) -> Ref<'_, D> {
        self.0.data.borrow()
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// While [`Client::data`] or this is held: hold neither across an `await`.
    #[must_use]
    pub fn data_mut(&self) -> RefMut<'_, D> {
        self.0.data.borrow_mut()
    }

    /// Sends a message, or queues it until it is connected. See [`Connection::send`].
    pub fn send(&self, reply: impl Into<S::Reply>) -> Sent {
        self.connection().send(reply)
    }

    /// The present connection is not followed by another one by itself.
    pub(super) fn end(&self) {
        self.0.is_ended.set(true);
    }

    /// Sends what is queued, and ends. One that is not connected yet gives up.
    pub fn close(&self) {
        self.end();
        self.connection().close();
    }

    /// Sends one more message, however much waits already, and ends.
    pub fn close_with(&self, reply: impl Into<S::Reply>) -> Sent {
        self.end();
        self.connection().close_with(reply)
    }

    /// Ends at once; what is queued is lost.
    pub fn destroy(&self) {
        self.end();
        self.connection().destroy();
    }

    /// Reads no more until [`Client::resume`]: the peer has to wait.
    pub fn pause(&self) {
        self.connection().pause();
    }

    /// Reads again.
    pub fn resume(&self) {
        self.connection().resume();
    }
}

impl<S: Scheme, D> Inner<S, D> {
    fn connection(&self) -> Connection<S, ()> {
        self.connection.borrow().clone().expect("there is one from the start on")
    }
}

impl<S: Scheme, D> AnyClient for Inner<S, D> {
    fn leave(&self) {
        self.is_leaving.set(true);
        self.connection().close();
    }

    fn status(&self) -> WorkerStatus {
        WorkerStatus { timers: 0, ..self.owner.own_status() }
    }

    fn connections(&self) -> Vec<ConnectionStatus> {
        self.owner.connections().map(|connection| connection.status()).collect()
    }
}

impl<S: Scheme, D> Clone for Client<S, D> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<S: Scheme, D> fmt::Debug for Client<S, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "client of {}", self.0.settings.target.address)
    }
}
