//! A connection of the pool for what this adapter has no words for.

use crate::lease::abandon;
use crate::shared::Shared;
use mysql_async::Conn;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::time::timeout;
use workyard_adapter_kit::Kept;

/// A connection of the driver, for `LOCK TABLES`, temporary tables, or what else belongs to one connection. It has a
/// place among the calls under way; nothing on it is bounded in time, made again or counted.
///
/// When it is dropped, it forgets everything that was set on it before somebody else gets it.
pub struct Connection {
    /// Taken out only at the end.
    conn: Option<Conn>,
    shared: Arc<Shared>,
    kept: Option<Kept>,
}

impl Connection {
    pub(crate) fn new(conn: Conn, shared: Arc<Shared>, kept: Kept) -> Self {
        Self { conn: Some(conn), shared, kept: Some(kept) }
    }
}

impl Deref for Connection {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("it is there until the end")
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn.as_mut().expect("it is there until the end")
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        let (shared, kept) = (Arc::clone(&self.shared), self.kept.take());
        match Handle::try_current() {
            Ok(runtime) if !std::thread::panicking() => {
                runtime.spawn(give_back(conn, shared, kept));
            }
            _ => abandon(conn),
        }
    }
}

/// Has it forget everything. The place is kept until then.
async fn give_back(mut conn: Conn, shared: Arc<Shared>, kept: Option<Kept>) {
    let reset = timeout(shared.options.calls.request_timeout, conn.reset()).await;
    match reset {
        Ok(Ok(true)) => {
            shared.idle.returned(conn.id(), Instant::now());
            drop(conn);
        }
        _ => abandon(conn),
    }
    drop(kept);
}
