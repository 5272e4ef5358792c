//! The handle: opened, asked how it is, closed.

use crate::SERVICE;
use crate::connection::Plan;
use crate::item::Item;
use crate::key::Key;
use crate::options::{Options, Servers};
use crate::ring::Ring;
use crate::route::Route;
use crate::server::Server;
use futures_util::future::join_all;
use std::fmt;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use workyard_adapter_kit::{Error, ErrorKind, Guard, Stats};

/// Servers of memcached. Cheap to clone; clones share connections and counts.
///
/// ```no_run
/// # use std::time::Duration;
/// # use workyard_memcached::Memcached;
/// # async fn example() -> workyard_memcached::Result<()> {
/// let cache = Memcached::open("memcached://127.0.0.1?request_timeout=200ms")?;
/// cache.set("user:7", "Ann", Duration::from_secs(60)).await?;
/// let item = cache.get("user:7").await?;
/// assert_eq!(item.as_ref().and_then(|item| item.text().ok()), Some("Ann"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Memcached(Arc<Shared>);

struct Shared {
    target: Arc<str>,
    servers: Vec<Server>,
    ring: Ring,
    options: Options,
}

impl Memcached {
    /// Reads the URL. Connections are made when they are needed; within a tokio runtime is not required
    /// yet.
    ///
    /// # Errors
    /// When the URL cannot be understood.
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::with(Options::new(url))
    }

    /// The same, with options.
    ///
    /// # Errors
    /// When they cannot be understood.
    pub fn with(mut options: Options) -> Result<Self, Error> {
        let Servers { addresses, secure, login } = options.read()?;
        let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let tls = match secure {
            true => Some(TlsConnector::from(Arc::new(options.tls.client_config()?))),
            false => None,
        };
        let ring = Ring::new(&addresses);
        let servers = addresses.into_iter().map(|address| {
            let target: Arc<str> = address.to_string().into();
            let (calls, observer) = (options.calls.clone(), options.observer.clone());
            let guard = Guard::new(SERVICE, target, calls, observer)?;
            let (tls, login) = (tls.clone(), login.clone());
            let value_bytes_max = options.value_bytes_max;
            Ok(Server::new(guard, Plan { address, tls, login, value_bytes_max }))
        });
        let servers = servers.collect::<Result<_, Error>>()?;
        Ok(Self(Arc::new(Shared { target: names.join(",").into(), servers, ring, options })))
    }

    /// What was done so far and is being done, by all servers together.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let each = self.servers().iter().map(|server| server.guard.stats());
        each.reduce(Stats::and).unwrap_or_default()
    }

    /// The same by server: `host:port`, in the order of the URL.
    #[must_use]
    pub fn stats_by_server(&self) -> Vec<(Arc<str>, Stats)> {
        let servers = self.servers().iter();
        servers.map(|server| (Arc::clone(server.guard.target()), server.guard.stats())).collect()
    }

    /// Which server has a key, as `host:port`.
    ///
    /// # Errors
    /// When it is no key.
    pub fn server_of(&self, key: impl AsRef<[u8]>) -> Result<Arc<str>, Error> {
        let key = self.key("SERVER_OF", key.as_ref())?;
        let route = Route::new(self, key);
        Ok(Arc::clone(route.server().guard.target()))
    }

    /// Lets no call in any more, waits for those under way, for `request_timeout` at most, and closes the
    /// connections.
    pub async fn close(&self) {
        let grace = self.0.options.calls.request_timeout;
        join_all(self.servers().iter().map(|server| server.close(grace))).await;
    }

    pub(crate) fn servers(&self) -> &[Server] {
        &self.0.servers
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn ring(&self) -> &Ring {
        &self.0.ring
    }

    /// A key that can be sent.
    pub(crate) fn key<'a>(
        &self,
        operation: &'static str,
        bytes: &'a [u8],
    ) -> Result<Key<'a>, Error> {
        Key::new(bytes).map_err(|error| self.refused(operation, error))
    }

    /// An item that can be sent.
    pub(crate) fn item(&self, operation: &'static str, item: Item) -> Result<Item, Error> {
        let (length, limit) = (item.data.len(), self.0.options.value_bytes_max);
        if length <= limit {
            return Ok(item);
        }
        let message = format!(
            "a value of {length} bytes, more than value_bytes_max allows, which is {limit}; a server \
             must allow it, too: its option -I"
        );
        Err(self.refused(operation, Error::new(ErrorKind::TooLarge, message)))
    }

    /// What is wrong with a call that was not sent.
    pub(crate) fn refused(&self, operation: &'static str, error: Error) -> Error {
        error.during(operation).at(SERVICE, &self.0.target)
    }
}

impl fmt::Debug for Memcached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Memcached").field(&self.0.target).finish()
    }
}
