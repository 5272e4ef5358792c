//! The handle of a client: its connections, and which of them has a key.

use crate::builder::Builder;
use crate::error::Error;
use crate::expiry::Expiry;
use crate::placement::Places;
use crate::session::GlobalDataSession;
use futures_util::future::{join_all, try_join_all};
use serde::Serialize;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use workyard_link::{Address, AddressError, Events, Link, Received, Server};
use workyard_protocol::globaldata::{Found, Looked, Reply, Request};
use workyard_protocol::{DecodeError, Encoding, Key, Value, to_value};

/// A client of globaldata-server: cheap to clone, usable from any task.
///
/// The connections live as long as any handle does. When the last one is dropped, they end.
#[derive(Clone, Debug)]
pub struct GlobalDataClient {
    links: Arc<[Link<GlobalDataSession>]>,
    places: Arc<Places>,
    /// The number of the latest claim of a lock, or watcher.
    ids: Arc<AtomicU64>,
    encoding: Encoding,
    /// What writes say of the lifetime, if this handle was told.
    pub(crate) expiry: Option<Expiry>,
}

impl GlobalDataClient {
    /// Connects to one server with default settings: `host:port`, `tcp://host:port` or
    /// `unix:///path`.
    ///
    /// # Errors
    /// `InvalidAddress`, `Unreachable`, `Rejected`.
    pub async fn connect<A>(address: A) -> Result<Self, Error>
    where
        A: TryInto<Address>,
        AddressError: From<A::Error>,
    {
        Self::builder(address).connect().await
    }

    /// A client of one server to be, for other settings.
    pub fn builder<A>(address: A) -> Builder
    where
        A: TryInto<Address>,
        AddressError: From<A::Error>,
    {
        Self::sharded([address])
    }

    /// A client to be of several servers that share the keys.
    ///
    /// All clients must name the same servers by the same addresses. With [`Placement::Crc32`] their
    /// order matters too, and keys lie where `workerman/globaldata` expects them.
    ///
    /// ```no_run
    /// # use workyard_globaldata::{GlobalDataClient, Placement};
    /// # async fn example() -> Result<(), workyard_globaldata::Error> {
    /// let client = GlobalDataClient::sharded(["10.0.0.1:2207", "10.0.0.2:2207"])
    ///     .placement(Placement::Crc32)
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`Placement::Crc32`]: crate::Placement::Crc32
    pub fn sharded<A>(addresses: impl IntoIterator<Item = A>) -> Builder
    where
        A: TryInto<Address>,
        AddressError: From<A::Error>,
    {
        let addresses = addresses.into_iter().map(|one| one.try_into().map_err(AddressError::from));
        Builder::new(addresses.collect())
    }

    pub(crate) fn new(
        links: Vec<Link<GlobalDataSession>>,
        places: Places,
        encoding: Encoding,
    ) -> Self {
        let (places, ids) = (Arc::new(places), Arc::default());
        Self { links: links.into(), places, ids, encoding, expiry: None }
    }

    /// The same client with another timeout for the requests made through this handle.
    #[must_use]
    pub fn with_call_timeout(&self, timeout: Duration) -> Self {
        let links = self.links.iter().map(|link| link.with_call_timeout(timeout)).collect();
        Self { links, ..self.clone() }
    }

    /// How long the slowest of the servers takes to answer.
    ///
    /// # Errors
    /// `Unreachable`, `TimedOut`, `Disconnected`, `Closed`.
    pub async fn ping(&self) -> Result<Duration, Error> {
        let pongs = try_join_all(self.links.iter().map(Link::ping)).await?;
        Ok(pongs.into_iter().max().unwrap_or_default())
    }

    /// What happens to the connections from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::merge(self.links.iter().map(Link::events))
    }

    /// The servers connected to, in the order in which they were named; nothing for those without
    /// a connection.
    #[must_use]
    pub fn servers(&self) -> Vec<Option<Arc<Server>>> {
        self.links.iter().map(Link::server).collect()
    }

    /// The number of the server that holds a key, in the order in which they were named, from 0.
    #[must_use]
    pub fn shard_of(&self, key: impl AsRef<[u8]>) -> usize {
        self.places.of(key.as_ref())
    }

    /// Ends the connections when all that is queued is sent and answered, or after `within`. Other
    /// handles find the client closed.
    ///
    /// # Errors
    /// `TimedOut` or `Disconnected` when something was left undone.
    pub async fn close(&self, within: Duration) -> Result<(), Error> {
        let ends = join_all(self.links.iter().map(|link| link.close(within))).await;
        Ok(ends.into_iter().collect::<Result<_, _>>()?)
    }

    pub(crate) fn encode<T: Serialize + ?Sized>(&self, value: &T) -> Result<Value, Error> {
        to_value(value, self.encoding).map_err(Error::Encode)
    }

    /// A number that no other claim or watcher of this client has.
    pub(crate) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn links(&self) -> &[Link<GlobalDataSession>] {
        &self.links
    }

    pub(crate) fn link(&self, shard: usize) -> &Link<GlobalDataSession> {
        &self.links[shard]
    }

    /// Asks the server that holds a key.
    pub(crate) async fn ask(&self, key: Key<'_>, request: Request<'_>) -> Result<Received, Error> {
        Ok(self.link(self.places.of(key.as_bytes())).request(&request).await?)
    }
}

/// The error for what was found of another question.
pub(crate) fn unexpected_found(found: &Found<'_>) -> Error {
    unexpected(&Reply::Looked(Looked { revision: 0, found: found.clone() }))
}

/// The error for a reply that answers another question.
pub(crate) fn unexpected(reply: &impl Debug) -> Error {
    DecodeError::Malformed(format!("{reply:?} is no answer to this request")).into()
}
