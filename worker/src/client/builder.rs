//! What a client connects to, and what it does.

use super::callbacks::Callbacks;
use super::connect::Security;
use super::handle::{Client, Settings};
use super::proxy::Proxy;
use super::{Backoff, Target};
use crate::address::{Address, AddressError, Endpoint, Transport};
use crate::connection::ConnectionError;
use crate::outcome::Outcome;
use crate::protocol::Protocol;
use crate::scheme::{Scheme, WireLimits};
use crate::stream::Stream;
use crate::wire::Framed;
use crate::worker::{Options, check, of};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A protocol that clients can speak. It is implemented for every [`Protocol`].
pub trait ClientScheme: Scheme {
    /// Reads an address that is to be connected to.
    ///
    /// # Errors
    /// It is none, or none of this protocol.
    #[doc(hidden)]
    fn parse(address: &str) -> Result<Address, AddressError> {
        Address::parse(address).and_then(check::<Self>)
    }

    /// Begins on the stream to an address.
    #[doc(hidden)]
    fn wire(stream: Stream, limits: WireLimits, target: &Target) -> Self::Wire;
}

impl<P: Protocol> ClientScheme for P {
    fn wire(stream: Stream, limits: WireLimits, _: &Target) -> Framed<P> {
        <Framed<P> as crate::scheme::Wire<P>>::new(stream, limits)
    }
}

/// A client that is being described; see [`Client::to`].
pub struct ClientBuilder<S: Scheme, D = ()> {
    pub(super) target: Target,
    /// What cannot be connected to or asked for.
    pub(super) wrong: Option<String>,
    proxy: Option<Proxy>,
    trusted: Option<PathBuf>,
    server_name: Option<String>,
    options: Options,
    connect_timeout: Duration,
    backoff: Option<Backoff>,
    callbacks: Callbacks<S, D>,
}

impl<S: ClientScheme> ClientBuilder<S> {
    pub(super) fn new(address: &str) -> Self {
        Self {
            target: Target { address: address.to_owned(), ..Target::default() },
            wrong: None,
            proxy: None,
            trusted: None,
            server_name: None,
            options: Options::default(),
            connect_timeout: Duration::from_secs(10),
            backoff: None,
            callbacks: Callbacks::default(),
        }
    }

    /// Keeps something for the client, that begins as its default: [`Client::data`]. To be called before any
    /// callback is set.
    #[must_use]
    pub fn data<D: Default + 'static>(self) -> ClientBuilder<S, D> {
        let Self { target, wrong, proxy, trusted, server_name, .. } = self;
        let Self { options, connect_timeout, backoff, .. } = self;
        ClientBuilder {
            proxy,
            trusted,
            server_name,
            target,
            wrong,
            options,
            connect_timeout,
            backoff,
            callbacks: Callbacks::default(),
        }
    }
}

impl<S: ClientScheme, D: Default + 'static> ClientBuilder<S, D> {
    /// How long it may take to be connected, names looked up included; 10 s unless said.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Connects through a proxy, which also looks the host's name up: `socks5://HOST:PORT` or `http://HOST:PORT`
    /// (CONNECT), with `USER:PASSWORD@` before the host if it wants that. One that cannot be read is an error of
    /// [`ClientBuilder::connect`].
    #[must_use]
    pub fn proxy(mut self, proxy: &str) -> Self {
        match Proxy::parse(proxy) {
            Ok(proxy) => self.proxy = Some(proxy),
            Err(wrong) => self.wrong = Some(wrong),
        }
        self
    }

    /// Whom to trust in an address with TLS (`ssl://`, `wss://`), which needs this: the certificates of a PEM file, as
    /// the `/etc/ssl/certs/ca-certificates.crt` of many systems.
    #[must_use]
    pub fn trust(mut self, certificates: impl Into<PathBuf>) -> Self {
        self.trusted = Some(certificates.into());
        self
    }

    /// The name that the peer's certificate has to be for, if it is not the address's host.
    #[must_use]
    pub fn server_name(mut self, name: &str) -> Self {
        self.server_name = Some(name.to_owned());
        self
    }

    /// Connects again by itself whenever the connection has ended, or could not be made, unless the program has
    /// ended it. Callbacks are called as for the first one.
    #[must_use]
    pub fn reconnect(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// How many bytes may wait to be sent, also while it is being connected; 1 MiB unless said. A message is taken
    /// whole if less than that waits.
    #[must_use]
    pub fn send_buffer_bytes_max(mut self, bytes_max: usize) -> Self {
        self.options.send_buffer_bytes_max = bytes_max;
        self
    }

    /// The longest package that is received; 10 MiB unless said. The connection ends when a longer one is announced.
    #[must_use]
    pub fn package_bytes_max(mut self, bytes_max: usize) -> Self {
        self.options.package_bytes_max = bytes_max;
        self
    }

    /// Called when it is connected, each time.
    #[must_use]
    pub fn on_connect<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Client<S, D>) -> O + 'static,
        O: Outcome + 'static,
    {
        self.callbacks.connect = of(callback);
        self
    }

    /// Called for each message.
    #[must_use]
    pub fn on_message<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Client<S, D>, S::Message) -> O + 'static,
        O: Outcome + 'static,
    {
        self.callbacks.message = of(async move |(client, message)| callback(client, message).await);
        self
    }

    /// Called when a connection has ended, or could not be made: the place for [`Client::reconnect`].
    #[must_use]
    pub fn on_close<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Client<S, D>) -> O + 'static,
        O: Outcome + 'static,
    {
        self.callbacks.close = of(callback);
        self
    }

    /// Called when as much waits to be sent as may ([`ClientBuilder::send_buffer_bytes_max`]).
    #[must_use]
    pub fn on_buffer_full<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Client<S, D>) -> O + 'static,
        O: Outcome + 'static,
    {
        self.callbacks.buffer_full = of(callback);
        self
    }

    /// Called when nothing waits any more, after [`ClientBuilder::on_buffer_full`].
    #[must_use]
    pub fn on_buffer_drain<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Client<S, D>) -> O + 'static,
        O: Outcome + 'static,
    {
        self.callbacks.buffer_drain = of(callback);
        self
    }

    /// Called when a message was not sent, or the connection could not be made or cannot go on.
    #[must_use]
    pub fn on_error<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(Client<S, D>, ConnectionError) -> O + 'static,
        O: Outcome + 'static,
    {
        self.callbacks.error = of(async move |(client, error)| callback(client, error).await);
        self
    }

    /// Begins to connect, and returns at once. What is sent before it is connected waits for that.
    ///
    /// # Errors
    /// It is no address for this protocol, or what TLS needs is not there (`InvalidInput`).
    ///
    /// # Panics
    /// Outside of a worker process.
    pub fn connect(self) -> io::Result<Client<S, D>> {
        let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
        let parsed = S::parse(&self.target.address).map_err(|error| invalid(error.to_string()))?;
        if let Some(wrong) = self.wrong {
            return Err(invalid(wrong));
        }
        let security = match (parsed.transport, &parsed.endpoint, &self.trusted) {
            (Transport::Udp, ..) => return Err(invalid("datagrams need UdpClient".to_owned())),
            (Transport::Ssl, Endpoint::Inet(host, _), Some(trusted)) => {
                let name = self.server_name.as_ref().unwrap_or(host);
                Some(Security::new(trusted, name).map_err(invalid)?)
            }
            (Transport::Ssl, ..) => {
                return Err(invalid("TLS needs whom to trust: .trust(..)".to_owned()));
            }
            _ => None,
        };
        let settings = Settings {
            target: self.target,
            address: parsed,
            proxy: self.proxy,
            security,
            connect_timeout: self.connect_timeout,
        };
        Ok(Client::begin(settings, self.options, self.backoff, self.callbacks))
    }
}

impl<S: Scheme, D> fmt::Debug for ClientBuilder<S, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("to", &self.target.address)
            .finish_non_exhaustive()
    }
}
