//! How a client is made.

use crate::client::GlobalDataClient;
use crate::error::Error;
use crate::placement::{Placement, Places};
use crate::session::GlobalDataSession;
use bytes::Bytes;
use futures_util::future::try_join_all;
use std::time::Duration;
use workyard_link::{Address, AddressError, Backoff, Connector, Link, Options};
use workyard_protocol::Encoding;

/// What a client is to be like, before it connects. All of it has defaults.
#[derive(Clone, Debug)]
pub struct Builder {
    addresses: Result<Vec<Address>, AddressError>,
    placement: Placement,
    encoding: Encoding,
    options: Options,
}

impl Builder {
    pub(crate) fn new(addresses: Result<Vec<Address>, AddressError>) -> Self {
        let (placement, encoding) = (Placement::default(), Encoding::Bincode);
        Self { addresses, placement, encoding, options: Options::default() }
    }

    /// How keys are spread over several servers: by rendezvous hashing, unless told otherwise.
    #[must_use]
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// How values with structure are encoded: bincode, unless told otherwise. Numbers, text and byte
    /// strings always travel as themselves.
    #[must_use]
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
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

    /// How long a request waits for its answer, a reconnect included: 5 s.
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

    /// Most requests that wait to be taken by a connection: 4096. Whoever has more waits.
    #[must_use]
    pub fn commands_max(mut self, count: usize) -> Self {
        self.options.commands_max = count;
        self
    }

    /// Longest frame accepted from a server; by default what the server itself accepts.
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

    /// Connects, and returns when every server has welcomed this client.
    ///
    /// # Errors
    /// `InvalidAddress`, `Unreachable`, `Rejected`, `TooLarge`.
    pub async fn connect(self) -> Result<GlobalDataClient, Error> {
        let addresses = self.addresses()?;
        let links = addresses.iter().map(|address| {
            Link::connect(address.clone(), self.options.clone(), GlobalDataSession::default())
        });
        Ok(self.client(&addresses, try_join_all(links).await?))
    }

    /// Returns at once and connects in the background, however often that takes. Calls wait for the
    /// connection as long as their timeout allows.
    ///
    /// # Errors
    /// `InvalidAddress`, `TooLarge`.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn connect_lazy(self) -> Result<GlobalDataClient, Error> {
        let addresses = self.addresses()?;
        let links = addresses.iter().map(|address| {
            Link::connect_lazy(address.clone(), self.options.clone(), GlobalDataSession::default())
        });
        Ok(self.client(&addresses, links.collect::<Result<_, _>>()?))
    }

    fn addresses(&self) -> Result<Vec<Address>, Error> {
        let addresses = self.addresses.clone().map_err(workyard_link::Error::from)?;
        let text = match addresses.as_slice() {
            [] => "no server was named".to_owned(),
            all => match all.iter().enumerate().find(|(index, one)| all[..*index].contains(one)) {
                Some((_, doubled)) => format!("{doubled} was named twice"),
                None => return Ok(addresses),
            },
        };
        Err(Error::InvalidArgument(text))
    }

    fn client(
        &self,
        addresses: &[Address],
        links: Vec<Link<GlobalDataSession>>,
    ) -> GlobalDataClient {
        GlobalDataClient::new(links, Places::new(self.placement, addresses), self.encoding)
    }
}
