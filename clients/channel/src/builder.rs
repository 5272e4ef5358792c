//! How a client is made.

use crate::client::ChannelClient;
use crate::error::Error;
use crate::limits::{SUBSCRIPTION_BYTES_MAX, SUBSCRIPTION_MESSAGES_MAX};
use crate::session::ChannelSession;
use bytes::Bytes;
use std::time::Duration;
use workyard_link::{Address, AddressError, Backoff, Connector, Link, Options};
use workyard_protocol::Encoding;

/// What a client is to be like, before it connects. All of it has defaults.
#[derive(Clone, Debug)]
pub struct Builder {
    address: Result<Address, AddressError>,
    options: Options,
    settings: Settings,
}

/// What all handles of a client share beyond the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) encoding: Encoding,
    pub(crate) subscription_messages_max: usize,
    pub(crate) subscription_bytes_max: usize,
    pub(crate) repeatable_requests: bool,
}

impl Builder {
    pub(crate) fn new(address: Result<Address, AddressError>) -> Self {
        let settings = Settings {
            encoding: Encoding::Bincode,
            subscription_messages_max: SUBSCRIPTION_MESSAGES_MAX,
            subscription_bytes_max: SUBSCRIPTION_BYTES_MAX,
            repeatable_requests: false,
        };
        Self { address, options: Options::default(), settings }
    }

    /// How values with structure are encoded: bincode, unless told otherwise. Numbers, text and byte
    /// strings always travel as themselves.
    #[must_use]
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.settings.encoding = encoding;
        self
    }

    /// Most messages that a subscription keeps for a slow receiver: 8192. What becomes of
    /// further ones says [`Subscribing::when_slow`](crate::Subscribing::when_slow).
    #[must_use]
    pub fn subscription_messages_max(mut self, count: usize) -> Self {
        self.settings.subscription_messages_max = count;
        self
    }

    /// Most bytes that a subscription keeps for a slow receiver: 64 MiB.
    #[must_use]
    pub fn subscription_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.subscription_bytes_max = bytes;
        self
    }

    /// What the client calls itself in the server's logs.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.options.name = name.into();
        self
    }

    /// What proves who the client is.
    #[must_use]
    pub fn credentials(mut self, credentials: impl Into<Bytes>) -> Self {
        self.options.credentials = Some(credentials.into());
        self
    }

    /// How long one attempt to connect may take, the hello included: 5 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// How long a call waits for its answer, a reconnect included: 5 s.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.options.call_timeout = timeout;
        self
    }

    /// The wait between two attempts to connect: up to 50 ms, doubling to 5 s.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.options.backoff = backoff;
        self
    }

    /// Most requests that wait to be taken by the connection: 4096. Whoever has more waits.
    #[must_use]
    pub fn commands_max(mut self, count: usize) -> Self {
        self.options.commands_max = count;
        self
    }

    /// Longest frame accepted from the server; by default what the server itself accepts.
    #[must_use]
    pub fn frame_bytes_max(mut self, bytes: usize) -> Self {
        self.options.frame_bytes_max = Some(bytes);
        self
    }

    /// How the server is reached, when it is not by a socket of the client's own: through a tunnel or a
    /// proxy, or within the process.
    #[must_use]
    pub fn connector(mut self, connector: Connector) -> Self {
        self.options.connector = Some(connector);
        self
    }

    /// Connects, and returns when the server has welcomed this client.
    ///
    /// # Errors
    /// `InvalidAddress`, `Unreachable`, `Rejected`, `TooLarge`.
    pub async fn connect(self) -> Result<ChannelClient, Error> {
        let address = self.address.map_err(workyard_link::Error::from)?;
        let link = Link::connect(address, self.options, ChannelSession::default()).await?;
        Ok(ChannelClient::new(link, self.settings))
    }

    /// Returns at once and connects in the background, however often that takes. Calls wait for the
    /// connection as long as their timeout allows.
    ///
    /// # Errors
    /// `InvalidAddress`, `TooLarge`.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn connect_lazy(self) -> Result<ChannelClient, Error> {
        let address = self.address.map_err(workyard_link::Error::from)?;
        let link = Link::connect_lazy(address, self.options, ChannelSession::default())?;
        Ok(ChannelClient::new(link, self.settings))
    }
}
