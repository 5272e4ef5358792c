//! Connections of one's own: few, borrowed one at a time, and kept for the next who needs one.

use crate::backend::Backend;
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::error::is_demoted;
use crate::link::closed;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use workyard_adapter_kit::{Error, ErrorKind};

/// The connections, and the right to use so many at once.
pub(crate) struct Dedicated {
    backend: Backend,
    places: Arc<Semaphore>,
    max: usize,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection that is borrowed. Dropped, it is closed; [`Lease::give_back`] keeps it.
pub(crate) struct Lease {
    pool: Arc<Dedicated>,
    connection: Connection,
    _place: OwnedSemaphorePermit,
}

impl Dedicated {
    pub(crate) fn new(backend: Backend, max: usize) -> Arc<Self> {
        let max = max.min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(max));
        Arc::new(Self { backend, places, max, idle: Mutex::new(Vec::new()) })
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Borrows a connection to the node that has this key, and waits for one as long as for an answer.
    pub(crate) async fn take(self: &Arc<Self>, key: Option<&[u8]>) -> Result<Lease, Error> {
        let patience = self.backend.guard().options().request_timeout * 9 / 10;
        let place = timeout(patience, Arc::clone(&self.places).acquire_owned()).await;
        let place = match place {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(closed()),
            Err(_) => return Err(self.busy()),
        };
        let node = self.backend.node_of(key).await?;
        let connection = match self.kept(node.as_ref()) {
            Some(connection) => connection,
            None => self.backend.connect(node.as_ref()).await?,
        };
        Ok(Lease { pool: Arc::clone(self), connection, _place: place })
    }

    /// Nothing is lent any more.
    pub(crate) fn close(&self) {
        self.places.close();
        self.idle().clear();
    }

    fn kept(&self, node: Option<&Endpoint>) -> Option<Connection> {
        let keep = self.backend.guard().options().idle_timeout;
        let mut idle = self.idle();
        idle.retain(|idle| !idle.connection.is_ended() && idle.since.elapsed() < keep);
        let fits = |idle: &Idle| node.is_none_or(|node| idle.connection.endpoint() == node);
        let place = idle.iter().rposition(fits)?;
        Some(idle.swap_remove(place).connection)
    }

    fn busy(&self) -> Error {
        let message = format!(
            "{} connections are blocked or in a transaction, as many as blocking_max allows, and none \
             was free in time; raise blocking_max, or block for a shorter time",
            self.max
        );
        Error::new(ErrorKind::Busy, message)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Keeps the connection for the next one. What was sent has to be answered, and nothing watched.
    pub(crate) fn give_back(self) {
        let Self { pool, connection, .. } = self;
        if !connection.is_ended() && !pool.places.is_closed() {
            pool.idle().push(Idle { connection, since: Instant::now() });
        }
    }

    /// Hears whether a key is with another node.
    pub(crate) fn hear(&self, error: &Error) {
        if has_moved(error) {
            self.pool.backend.forget_nodes();
        }
    }

    /// Keeps the connection if this answer says that it is as before.
    pub(crate) fn settle(self, error: Option<&Error>) {
        match error {
            None => self.give_back(),
            Some(error) if has_moved(error) => self.hear(error),
            Some(error) if error.kind() == ErrorKind::Server && !is_demoted(error) => {
                self.give_back();
            }
            Some(_) => {}
        }
    }
}

fn has_moved(error: &Error) -> bool {
    matches!(error.code(), Some("MOVED" | "ASK"))
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}
