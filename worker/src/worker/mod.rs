//! A worker: what it speaks, where, in how many processes, and what it does.

mod accept;
mod handlers;
mod names;
mod process;
mod resources;
mod serve;
mod websocket;

pub(crate) use names::Kind;
pub(crate) use process::next_connection_id;
pub use process::{Connections, WorkerProcess};

use crate::address::{Address, AddressError, Transport};
use crate::connection::{Connection, ConnectionError};
use crate::outcome::Outcome;
use crate::protocols::Tcp;
use crate::proxies::Proxies;
use crate::scheme::Scheme;
use crate::service::Service;
use crate::settings::Settings;
use crate::tls::Tls;
use handlers::with;
pub(crate) use handlers::{Handlers, Of, of};
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

/// A server of one protocol at one address, in one or more processes.
///
/// ```no_run
/// use workyard_worker::{Worker, protocols::Text};
///
/// fn main() -> std::process::ExitCode {
///     Worker::<Text>::bind("text://0.0.0.0:2347")
///         .count(4)
///         .on_message(async |connection, line| connection.send(line))
///         .run()
/// }
/// ```
///
/// Callbacks of one connection run one after the other, in order; while one waits, those of other connections
/// go on. One that fails or panics costs its connection, and nothing else.
///
/// `D` is what is kept for each connection, see [`Worker::data`].
pub struct Worker<S: Scheme = Tcp, D = ()> {
    settings: Settings,
    options: Options,
    tls: Option<Tls>,
    proxies: Proxies,
    handlers: Handlers<S, D>,
}

/// What only the processes of a worker need to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) send_buffer_bytes_max: usize,
    pub(crate) package_bytes_max: usize,
    pub(crate) connections_max: usize,
    pub(crate) requests_max: Option<u64>,
    /// Those of the settings, for further addresses.
    pub(crate) backlog: u32,
    pub(crate) reuse_port: bool,
    pub(crate) heartbeat: Option<Heartbeat>,
    pub(crate) authenticate_within: Option<Duration>,
    pub(crate) on_failure: OnFailure,
}

/// How long a connection may be silent, and how often that is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heartbeat {
    pub(crate) idle: Duration,
    pub(crate) sweep: Duration,
}

/// What becomes of it when a callback returns an error or panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The connection ends, all others go on.
    #[default]
    CloseConnection,
    /// The process stops in order, and is replaced.
    StopWorker,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            send_buffer_bytes_max: 1024 * 1024,
            package_bytes_max: 10 * 1024 * 1024,
            connections_max: 100_000,
            requests_max: None,
            backlog: 0,
            reuse_port: false,
            heartbeat: None,
            authenticate_within: None,
            on_failure: OnFailure::default(),
        }
    }
}

impl Worker {
    /// A worker that listens nowhere: it has timers, and connections that it makes itself.
    #[must_use]
    pub fn idle() -> Self {
        Self::new(None)
    }
}

impl<S: Scheme> Worker<S> {
    /// A worker at an address: `PROTOCOL://HOST:PORT`, or with what carries it in place of the protocol:
    /// `tcp://`, `udp://`, `ssl://`, `unix:///PATH`. What is wrong with the address is said when it is to run.
    #[must_use]
    pub fn bind(address: &str) -> Self {
        Self::new(Some(Address::parse(address).and_then(check::<S>)))
    }

    fn new(listen: Option<Result<Address, AddressError>>) -> Self {
        let settings = Settings { listen, ..Settings::default() };
        let (options, handlers) = (Options::default(), Handlers::default());
        Self { settings, options, tls: None, proxies: Proxies::default(), handlers }
    }

    /// Keeps something for each connection, that begins as its default: [`Connection::data`]. To be called before
    /// any callback is set.
    #[must_use]
    pub fn data<D: Default + 'static>(self) -> Worker<S, D> {
        let Self { settings, options, tls, proxies, .. } = self;
        Worker { settings, options, tls, proxies, handlers: Handlers::default() }
    }
}

/// A scheme has to be the protocol's, or leave it open.
pub(crate) fn check<S: Scheme>(address: Address) -> Result<Address, AddressError> {
    let is_open = address.is_bare() && (S::HAS_DATAGRAMS || address.transport != Transport::Udp);
    let over_tls =
        matches!((address.scheme.as_str(), S::NAME), ("https", "http") | ("wss", "websocket"));
    match is_open || over_tls || address.scheme == S::NAME {
        true => Ok(address),
        false => Err(AddressError::OtherProtocol(address.scheme, S::NAME.to_owned())),
    }
}

impl<S: Scheme, D: Default + 'static> Worker<S, D> {
    /// How it is called in logs and lists.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// In how many processes; 1 unless said, and at least.
    #[must_use]
    pub fn count(mut self, count: u16) -> Self {
        self.settings.count = count.max(1);
        self
    }

    /// Whom its processes run as, if they are started by root.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.settings.user = Some(user.into());
        self
    }

    /// The group, if it is not the user's own.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.settings.group = Some(group.into());
        self
    }

    /// Gives each process a socket of its own (`SO_REUSEPORT`), among which the system spreads connections.
    #[must_use]
    pub fn reuse_port(mut self, reuse_port: bool) -> Self {
        self.settings.reuse_port = reuse_port;
        self
    }

    /// Whether a reload replaces its processes; if not, they only hear of it.
    #[must_use]
    pub fn reloadable(mut self, reloadable: bool) -> Self {
        self.settings.reloadable = reloadable;
        self
    }

    /// Speaks TLS below its protocol. The files are read when a process starts, and again when they have changed.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        if let Some(Ok(address)) = &mut self.settings.listen
            && address.transport == Transport::Tcp
        {
            address.transport = Transport::Ssl;
        }
        self.tls = Some(tls);
        self
    }

    /// Who may say on whose behalf they connect. Nobody may unless it is said.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// How many connections may wait to be accepted; the system may have a lower limit (`somaxconn`).
    #[must_use]
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.settings.backlog = backlog;
        self
    }

    /// How long a process may take to stop before it is killed; 2 s unless said.
    #[must_use]
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.settings.stop_timeout = timeout;
        self
    }

    /// How many bytes may wait to be sent on a connection; 1 MiB unless said. A message is taken whole if less than
    /// that waits, so that it may become more by one message.
    #[must_use]
    pub fn send_buffer_bytes_max(mut self, bytes_max: usize) -> Self {
        self.options.send_buffer_bytes_max = bytes_max;
        self
    }

    /// The longest package that is received; 10 MiB unless said. A connection that announces a longer one ends.
    #[must_use]
    pub fn package_bytes_max(mut self, bytes_max: usize) -> Self {
        self.options.package_bytes_max = bytes_max;
        self
    }

    /// How many connections a process has at once; 100 000 unless said. Others wait to be accepted.
    #[must_use]
    pub fn connections_max(mut self, connections_max: usize) -> Self {
        self.options.connections_max = connections_max.max(1);
        self
    }

    /// After so many messages a process stops in order and is replaced.
    #[must_use]
    pub fn requests_max(mut self, requests_max: u64) -> Self {
        self.options.requests_max = Some(requests_max);
        self
    }

    /// Ends connections that have been silent for `idle`; looked at every `sweep`. 55 s and 10 s are usual.
    #[must_use]
    pub fn heartbeat(mut self, idle: Duration, sweep: Duration) -> Self {
        self.options.heartbeat = Some(Heartbeat { idle, sweep });
        self
    }

    /// Ends connections whose peers have not shown in time who they are: of which neither
    /// [`Connection::set_user`] nor [`Connection::set_authenticated`] was called.
    #[must_use]
    pub fn authenticate_within(mut self, timeout: Duration) -> Self {
        self.options.authenticate_within = Some(timeout);
        self
    }

    /// What a callback's failure costs; its connection unless said.
    #[must_use]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.options.on_failure = on_failure;
        self
    }

    /// Called in each process before it accepts connections: the place to open what it needs. If it fails, the
    /// process ends and is started again, later each time.
    #[must_use]
    pub fn on_worker_start<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(WorkerProcess<S, D>) -> O + 'static,
        O: Outcome + 'static,
    {
        self.handlers.worker_start = of(callback);
        self
    }

    /// Called when a reload was ordered: before the process is replaced, or instead if it is not reloadable.
    #[must_use]
    pub fn on_worker_reload<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(WorkerProcess<S, D>) -> O + 'static,
        O: Outcome + 'static,
    {
        self.handlers.worker_reload = of(callback);
        self
    }

    /// Called in each process when it is to stop, before its connections end.
    #[must_use]
    pub fn on_worker_stop<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(WorkerProcess<S, D>) -> O + 'static,
        O: Outcome + 'static,
    {
        self.handlers.worker_stop = of(callback);
        self
    }

    /// Called once for each connection, before its messages. Not for datagrams.
    #[must_use]
    pub fn on_connect<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Connection<S, D>) -> O + 'static,
        O: Outcome + 'static,
    {
        self.handlers.connect = of(callback);
        self
    }

    /// Called for each message.
    #[must_use]
    pub fn on_message<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Connection<S, D>, S::Message) -> O + 'static,
        O: Outcome + 'static,
    {
        self.handlers.message = with(callback);
        self
    }

    /// Called once for each connection when it has ended, however it did. Not for datagrams.
    #[must_use]
    pub fn on_close<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Connection<S, D>) -> O + 'static,
        O: Outcome + 'static,
    {
        self.handlers.close = of(callback);
        self
    }

    /// Called when as much waits to be sent as may ([`Worker::send_buffer_bytes_max`]).
    #[must_use]
    pub fn on_buffer_full<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Connection<S, D>) -> O + 'static,
        O: Outcome + 'static,
    {
        self.handlers.buffer_full = of(callback);
        self
    }

    /// Called when nothing waits any more, after [`Worker::on_buffer_full`].
    #[must_use]
    pub fn on_buffer_drain<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Connection<S, D>) -> O + 'static,
        O: Outcome + 'static,
    {
        self.handlers.buffer_drain = of(callback);
        self
    }

    /// Called when a message was not sent, or a connection cannot go on.
    #[must_use]
    pub fn on_error<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Connection<S, D>, ConnectionError) -> O + 'static,
        O: Outcome + 'static,
    {
        self.handlers.error = with(callback);
        self
    }

    /// Runs a program of this worker alone: does what the command line says. See [`Service::run`].
    #[must_use]
    pub fn run(self) -> ExitCode {
        Service::new().with(self).run()
    }
}

impl<S: Scheme, D> fmt::Debug for Worker<S, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Worker").field("settings", &self.settings).finish_non_exhaustive()
    }
}
