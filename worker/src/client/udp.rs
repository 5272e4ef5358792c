//! Datagrams to one address, and those that come back.

use super::clients::{self, AnyClient};
use crate::activity::Callback;
use crate::address::{Address, Endpoint, Transport};
use crate::connection::ConnectionState;
use crate::orders::{ConnectionStatus, WorkerStatus};
use crate::outcome::{Outcome, Running};
use crate::payload::Payload;
use crate::worker::{Of, next_connection_id, of};
use bytes::Bytes;
use std::cell::Cell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::Notify;
use tokio::task::spawn_local;

/// The longest datagram that can arrive.
const DATAGRAM_BYTES: usize = 65_535;

/// A socket that sends datagrams to one address, and hears what comes from there. Clones are the same; it belongs to
/// the thread of its process.
///
/// ```no_run
/// # async fn ask() -> std::io::Result<()> {
/// use workyard_worker::UdpClient;
///
/// let client = UdpClient::to("udp://127.0.0.1:2358")
///     .on_message(async |client, bytes| client.close())
///     .connect()
///     .await?;
/// client.send("hello")
/// # }
/// ```
#[derive(Clone)]
pub struct UdpClient(Rc<Inner>);

struct Inner {
    id: u64,
    socket: UdpSocket,
    local: SocketAddr,
    remote: SocketAddr,
    message: Of<(UdpClient, Bytes)>,
    close: Of<UdpClient>,
    is_closed: Cell<bool>,
    closing: Notify,
    messages: Cell<u64>,
    send_fail: Cell<u64>,
    read: Cell<u64>,
    written: Cell<u64>,
}

/// A client of datagrams that is being described; see [`UdpClient::to`].
pub struct UdpClientBuilder {
    address: String,
    message: Of<(UdpClient, Bytes)>,
    close: Of<UdpClient>,
}

impl UdpClient {
    /// A client of an address: `udp://HOST:PORT`.
    #[must_use]
    pub fn to(address: &str) -> UdpClientBuilder {
        UdpClientBuilder { address: address.to_owned(), message: None, close: None }
    }

    /// Sends a datagram. That it was sent does not say that it arrives.
    ///
    /// # Errors
    /// The operating system's: it is too long (65 507 bytes are not), there is no room for it at the moment
    /// (`WouldBlock`), or nobody listens there, as the answer to one before said. `NotConnected` once it is closed.
    pub fn send(&self, bytes: impl Into<Payload>) -> io::Result<()> {
        let sent = match self.0.is_closed.get() {
            true => Err(io::ErrorKind::NotConnected.into()),
            false => self.0.socket.try_send(&bytes.into()),
        };
        let counter = if sent.is_ok() { &self.0.written } else { &self.0.send_fail };
        counter.set(counter.get() + sent.as_ref().map_or(1, |bytes| *bytes as u64));
        sent.map(drop)
    }

    /// Ends. Nothing more is sent or heard.
    pub fn close(&self) {
        self.0.is_closed.set(true);
        self.0.closing.notify_one();
    }

    /// The address there.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        self.0.remote
    }

    /// The address here.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.0.local
    }

    async fn live(self) {
        let id = clients::remember(Rc::clone(&self.0) as Rc<dyn AnyClient>);
        let mut buffer = vec![0; DATAGRAM_BYTES];
        while !self.0.is_closed.get() {
            tokio::select! {
                received = self.0.socket.recv(&mut buffer) => self.received(received, &buffer).await,
                () = self.0.closing.notified() => {}
            }
        }
        let close = self.0.close.as_ref().map(|callback| callback(self.clone()));
        self.run(close, Callback::Close).await;
        clients::forget(id, &AnyClient::status(&*self.0));
    }

    async fn received(&self, received: io::Result<usize>, buffer: &[u8]) {
        match received {
            Ok(length) => {
                self.0.read.set(self.0.read.get() + length as u64);
                self.0.messages.set(self.0.messages.get() + 1);
                let bytes = Bytes::copy_from_slice(&buffer[..length]);
                let message = self.0.message.as_ref();
                let running = message.map(|callback| callback((self.clone(), bytes)));
                self.run(running, Callback::Message).await;
            }
            // Nobody listens there, or not yet.
            Err(error) => tracing::debug!(client = ?self, %error, "no datagram"),
        }
    }

    /// A callback that fails ends the client.
    async fn run(&self, running: Option<Running>, callback: Callback) {
        let Some(running) = running else { return };
        if let Err(failure) = running.of(callback, self.0.id).await {
            tracing::error!(client = ?self, callback = callback.name(), "callback failed: {failure}");
            self.close();
        }
    }
}

impl UdpClientBuilder {
    /// Called for each datagram, one after the other.
    #[must_use]
    pub fn on_message<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(UdpClient, Bytes) -> O + 'static,
        O: Outcome + 'static,
    {
        self.message = of(async move |(client, bytes)| callback(client, bytes).await);
        self
    }

    /// Called when it has ended.
    #[must_use]
    pub fn on_close<F, O>(mut self, callback: F) -> Self
    where
        F: AsyncFn(UdpClient) -> O + 'static,
        O: Outcome + 'static,
    {
        self.close = of(callback);
        self
    }

    /// Looks the name up and opens a socket. No datagram is sent by that.
    ///
    /// # Errors
    /// It is no address for datagrams (`InvalidInput`), or the operating system's.
    ///
    /// # Panics
    /// Outside of a worker process.
    pub async fn connect(self) -> io::Result<UdpClient> {
        let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
        let address = Address::parse(&self.address).map_err(|error| invalid(error.to_string()))?;
        let (Endpoint::Inet(host, port), Transport::Udp) = (&address.endpoint, address.transport)
        else {
            return Err(invalid(format!("{address} is not for datagrams; write udp://HOST:PORT")));
        };
        let remote = lookup_host((host.as_str(), *port)).await?.next();
        let remote = remote.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let any = if remote.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(remote).await?;
        // Only then is there room for the first.
        socket.writable().await?;
        let client = UdpClient(Rc::new(Inner {
            id: next_connection_id(),
            local: socket.local_addr()?,
            remote,
            socket,
            message: self.message,
            close: self.close,
            is_closed: Cell::new(false),
            closing: Notify::new(),
            messages: Cell::new(0),
            send_fail: Cell::new(0),
            read: Cell::new(0),
            written: Cell::new(0),
        }));
        spawn_local(client.clone().live());
        Ok(client)
    }
}

impl AnyClient for Inner {
    fn leave(&self) {
        self.is_closed.set(true);
        self.closing.notify_one();
    }

    fn status(&self) -> WorkerStatus {
        let (send_fail, total_request) = (self.send_fail.get(), self.messages.get());
        WorkerStatus { connections: 1, send_fail, total_request, timers: 0 }
    }

    fn connections(&self) -> Vec<ConnectionStatus> {
        vec![ConnectionStatus {
            id: self.id,
            transport: Transport::Udp.name().to_owned(),
            protocol: Transport::Udp.name().to_owned(),
            receive_queue: 0,
            send_queue: 0,
            bytes_read: self.read.get(),
            bytes_written: self.written.get(),
            state: ConnectionState::Established.to_string(),
            local: self.local.to_string(),
            remote: self.remote.to_string(),
        }]
    }
}

impl fmt::Debug for UdpClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "client {} of udp://{}", self.0.id, self.0.remote)
    }
}

impl fmt::Debug for UdpClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UdpClientBuilder")
            .field("to", &self.address)
            .finish_non_exhaustive()
    }
}
