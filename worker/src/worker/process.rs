//! A worker process as callbacks see it.

use super::accept::{Entrance, accept};
use super::handlers::Handlers;
use super::names::{Kind, Names};
use super::resources::Resources;
use super::{OnFailure, Options, check};
use crate::address::{Address, Transport};
use crate::client::clients;
use crate::connection::{Connection, Ending};
use crate::orders::WorkerStatus;
use crate::outcome::Failure;
use crate::proxies::Proxies;
use crate::scheme::Scheme;
use crate::socket::Listening;
use crate::timer;
use std::any::type_name;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

thread_local! {
    static LAST_CONNECTION: Cell<u64> = const { Cell::new(0) };
}

/// This process of a worker. Clones are the same.
pub struct WorkerProcess<S: Scheme, D = ()>(Rc<Inner<S, D>>);

struct Inner<S: Scheme, D> {
    id: u16,
    name: String,
    options: Options,
    handlers: Handlers<S, D>,
    connections: RefCell<BTreeMap<u64, Connection<S, D>>>,
    /// Connections that do not speak TLS yet, but are to.
    handshakes: Cell<usize>,
    /// Those that are being served.
    datagrams: Cell<usize>,
    ending: Cell<Option<Ending>>,
    messages: Cell<u64>,
    send_fail: Cell<u64>,
    /// What further addresses need, once there is one.
    entrance: RefCell<Option<Entrance>>,
    /// Who may say on whose behalf they ask.
    proxies: OnceCell<Proxies>,
    accepting: RefCell<Vec<AbortHandle>>,
    resources: Resources,
    names: Names,
    /// Why this process wants to be replaced.
    leaving: RefCell<Option<Leaving>>,
    /// Something of what the process waits for has changed.
    changed: Notify,
}

/// Why a process wants to leave by itself.
#[derive(Clone, Debug)]
pub(crate) enum Leaving {
    /// It was asked to by its own code.
    Wanted,
    /// A callback failed.
    Failed(String),
}

/// The number of one more connection, whether it was accepted or made.
pub(crate) fn next_connection_id() -> u64 {
    LAST_CONNECTION.set(LAST_CONNECTION.get() + 1);
    LAST_CONNECTION.get()
}

impl<S: Scheme, D: 'static> WorkerProcess<S, D> {
    pub(crate) fn new(id: u16, name: String, options: Options, handlers: Handlers<S, D>) -> Self {
        Self(Rc::new(Inner {
            id,
            name,
            options,
            handlers,
            connections: RefCell::default(),
            handshakes: Cell::new(0),
            datagrams: Cell::new(0),
            ending: Cell::new(None),
            messages: Cell::new(0),
            send_fail: Cell::new(0),
            entrance: RefCell::default(),
            proxies: OnceCell::new(),
            accepting: RefCell::default(),
            resources: Resources::default(),
            names: Names::default(),
            leaving: RefCell::new(None),
            changed: Notify::new(),
        }))
    }

    /// Its number among the worker's processes, from 0. Whoever replaces it has the same.
    #[must_use]
    pub fn id(&self) -> u16 {
        self.0.id
    }

    /// The worker's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The connections of this process, as they are now.
    #[must_use]
    pub fn connections(&self) -> Connections<S, D> {
        let all: Vec<_> = self.0.connections.borrow().values().cloned().collect();
        Connections(all.into_iter())
    }

    /// One of them.
    #[must_use]
    pub fn connection(&self, id: u64) -> Option<Connection<S, D>> {
        self.0.connections.borrow().get(&id).cloned()
    }

    /// Sends to all connections of this process. Returns how many have taken it.
    pub fn broadcast(&self, reply: impl Into<S::Reply>) -> usize
    where
        S::Reply: Clone,
    {
        let reply = reply.into();
        self.connections().filter(|connection| connection.send(reply.clone()).is_accepted()).count()
    }

    /// Sends to all connections of a user in this process. Returns how many have taken it.
    pub fn send_to_user(&self, user: &str, reply: impl Into<S::Reply>) -> usize
    where
        S::Reply: Clone,
    {
        self.send_to(Kind::User, user, &reply.into())
    }

    /// Sends to all connections of a group in this process. Returns how many have taken it.
    pub fn send_to_group(&self, group: &str, reply: impl Into<S::Reply>) -> usize
    where
        S::Reply: Clone,
    {
        self.send_to(Kind::Group, group, &reply.into())
    }

    fn send_to(&self, kind: Kind, name: &str, reply: &S::Reply) -> usize
    where
        S::Reply: Clone,
    {
        let connections = self.0.names.connections(kind, name).into_iter();
        let connections = connections.filter_map(|id| self.connection(id));
        connections.filter(|connection| connection.send(reply.clone()).is_accepted()).count()
    }

    /// The connections of a group in this process.
    #[must_use]
    pub fn group(&self, group: &str) -> Connections<S, D> {
        let connections = self.0.names.connections(Kind::Group, group).into_iter();
        let connections: Vec<_> = connections.filter_map(|id| self.connection(id)).collect();
        Connections(connections.into_iter())
    }

    /// Accepts connections at one more address, in this process only, as long as it runs. With several processes the
    /// worker has to share ports ([`Worker::reuse_port`](crate::Worker::reuse_port)). Returns the address with the
    /// port that it has got.
    ///
    /// # Errors
    /// It is no address for this worker (`InvalidInput`), or cannot be bound.
    pub fn listen(&self, address: &str) -> io::Result<Address>
    where
        D: Default,
    {
        let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
        let address = Address::parse(address)
            .and_then(check::<S>)
            .map_err(|error| invalid(error.to_string()))?;
        let entrance = self.0.entrance.borrow().clone();
        let entrance = entrance.ok_or_else(|| invalid("the process is not serving".to_owned()))?;
        if (address.transport == Transport::Ssl) != entrance.security.is_some() {
            let text = "a worker has TLS at all its addresses, or at none";
            return Err(invalid(text.to_owned()));
        }
        let options = &self.0.options;
        let socket = Listening::bind(&address, options.backlog, options.reuse_port)?;
        let address = socket.bound_to(address)?;
        self.accept(vec![socket])?;
        Ok(address)
    }

    /// Accepts what comes from sockets, with what [`WorkerProcess::open`] was told.
    pub(super) fn accept(&self, sockets: Vec<Listening>) -> io::Result<()>
    where
        D: Default,
    {
        let entrance = self.0.entrance.borrow().clone();
        let entrance = entrance.expect("it was opened before");
        for socket in sockets {
            let handle = accept(self, &entrance, socket)?;
            self.0.accepting.borrow_mut().push(handle);
        }
        Ok(())
    }

    /// From now on it serves.
    pub(super) fn open(&self, entrance: Entrance) {
        self.0.proxies.get_or_init(|| entrance.proxies.clone());
        *self.0.entrance.borrow_mut() = Some(entrance);
    }

    /// No more connections are accepted.
    pub(super) fn shut(&self) {
        *self.0.entrance.borrow_mut() = None;
        self.0.accepting.borrow_mut().drain(..).for_each(|handle| handle.abort());
    }

    /// Keeps something for all callbacks of this process, one of each type.
    pub fn provide<T: 'static>(&self, resource: T) -> Rc<T> {
        self.0.resources.provide(resource)
    }

    /// What was kept of this type.
    ///
    /// # Panics
    /// If nothing was: `on_worker_start` has to [`WorkerProcess::provide`] it.
    #[must_use]
    pub fn resource<T: 'static>(&self) -> Rc<T> {
        let found = self.find_resource();
        found.unwrap_or_else(|| panic!("on_worker_start has provided no {}", type_name::<T>()))
    }

    /// What was kept of this type, if anything was.
    #[must_use]
    pub fn find_resource<T: 'static>(&self) -> Option<Rc<T>> {
        self.0.resources.find()
    }

    /// Stops this process in order; the supervisor starts another in its place.
    pub fn stop(&self) {
        self.leave(Leaving::Wanted);
    }

    /// How it is, with the connections that it has made itself ([`Client`](crate::Client)).
    #[must_use]
    pub fn status(&self) -> WorkerStatus {
        let (own, clients) = (self.own_status(), clients::status());
        WorkerStatus {
            connections: own.connections + clients.connections,
            send_fail: own.send_fail + clients.send_fail,
            timers: own.timers,
            total_request: own.total_request + clients.total_request,
        }
    }

    /// The same without those.
    pub(crate) fn own_status(&self) -> WorkerStatus {
        WorkerStatus {
            connections: self.0.connections.borrow().len() as u64,
            send_fail: self.0.send_fail.get(),
            timers: timer::count(),
            total_request: self.0.messages.get(),
        }
    }

    /// What was counted since this was asked last.
    pub(crate) fn take_counts(&self) -> WorkerStatus {
        let (send_fail, total_request) = (self.0.send_fail.take(), self.0.messages.take());
        WorkerStatus { send_fail, total_request, ..WorkerStatus::default() }
    }

    /// Who asks: the peer, or whom a trusted proxy names.
    pub(crate) fn client(
        &self,
        peer: Option<SocketAddr>,
        forwarded_for: Option<&str>,
        real_ip: Option<&str>,
    ) -> Option<IpAddr> {
        let peer = peer?.ip();
        let proxies = self.0.proxies.get();
        Some(proxies.map_or(peer, |it| it.client(peer, forwarded_for, real_ip)))
    }

    pub(crate) fn names(&self) -> &Names {
        &self.0.names
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn handlers(&self) -> &Handlers<S, D> {
        &self.0.handlers
    }

    pub(crate) fn remember(&self, connection: &Connection<S, D>) {
        self.0.connections.borrow_mut().insert(connection.id(), connection.clone());
        if let Some(ending) = self.0.ending.get() {
            connection.end(ending);
        }
    }

    pub(crate) fn forget(&self, connection: u64) {
        let known = self.0.connections.borrow_mut().remove(&connection);
        self.0.names.close(connection);
        if known.is_some() {
            self.0.changed.notify_one();
        }
    }

    pub(crate) fn handshakes_more(&self) {
        self.0.handshakes.set(self.0.handshakes.get() + 1);
    }

    pub(crate) fn handshakes_less(&self) {
        self.0.handshakes.set(self.0.handshakes.get() - 1);
        self.0.changed.notify_one();
    }

    pub(crate) fn datagrams_more(&self) {
        self.0.datagrams.set(self.0.datagrams.get() + 1);
    }

    pub(crate) fn datagrams_less(&self) {
        self.0.datagrams.set(self.0.datagrams.get() - 1);
        self.0.changed.notify_one();
    }

    /// What is served, or about to be.
    pub(crate) fn count(&self) -> usize {
        let connections = self.0.connections.borrow().len();
        connections + self.0.handshakes.get() + self.0.datagrams.get()
    }

    /// From now on connections are to end: when nothing is under way any more, or when their protocols see fit.
    /// So are those that are about to be.
    pub(super) fn end(&self, ending: Ending) {
        self.0.ending.set(Some(ending));
        self.connections().for_each(|connection| connection.end(ending));
    }

    /// Counts one, and tells the time.
    pub(crate) fn count_message(&self) -> Instant {
        let messages = self.0.messages.get() + 1;
        self.0.messages.set(messages);
        if self.0.options.requests_max == Some(messages) {
            tracing::info!(messages, "enough messages (requests_max)");
            self.leave(Leaving::Wanted);
        }
        Instant::now()
    }

    pub(crate) fn count_send_fail(&self) {
        self.0.send_fail.set(self.0.send_fail.get() + 1);
    }

    pub(crate) fn callback_failed(&self, callback: &str, failure: &Failure) {
        if self.0.options.on_failure == OnFailure::StopWorker {
            self.leave(Leaving::Failed(format!("{callback}: {failure}")));
        }
    }

    fn leave(&self, why: Leaving) {
        self.0.leaving.borrow_mut().get_or_insert(why);
        self.0.changed.notify_one();
    }

    pub(crate) fn leaving(&self) -> Option<Leaving> {
        self.0.leaving.borrow().clone()
    }

    /// Waits until a connection has gone, or the process wants to leave.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }
}

/// Connections of a process, by their ids.
pub struct Connections<S: Scheme, D>(std::vec::IntoIter<Connection<S, D>>);

impl<S: Scheme, D> Iterator for Connections<S, D> {
    type Item = Connection<S, D>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl<S: Scheme, D> fmt::Debug for Connections<S, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.as_slice()).finish()
    }
}

impl<S: Scheme, D> Clone for WorkerProcess<S, D> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<S: Scheme, D> fmt::Debug for WorkerProcess<S, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { id, name, .. } = &*self.0;
        formatter.debug_struct("WorkerProcess").field("name", name).field("id", id).finish()
    }
}
