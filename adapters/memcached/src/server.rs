//! One server: its calls, bounded and guarded, and its connections.

use crate::connection::{Connection, Plan, Read};
use crate::decoder::Found;
use crate::request::{Lookup, Request};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use workyard_adapter_kit::{Call, Error, ErrorKind, Guard};

/// There are no more connections than calls under way, of which the guard lets in `calls_max`.
pub(crate) struct Server {
    pub(crate) guard: Guard,
    plan: Plan,
    /// Those that nobody uses, the one used last at the back.
    idle: Mutex<VecDeque<(Connection, Instant)>>,
}

impl Server {
    pub(crate) fn new(guard: Guard, plan: Plan) -> Self {
        Self { guard, plan, idle: Mutex::default() }
    }

    /// A request with one answer, of which `read` makes what it means.
    pub(crate) async fn single<T>(
        &self,
        call: Call,
        request: &Request,
        read: Read<T>,
    ) -> Result<T, Error> {
        let exchange = async || {
            let mut connection = self.connection().await?;
            let answer = connection.single(request, read).await;
            self.settled(connection, answer)
        };
        self.guard.call(call, exchange).await
    }

    /// The values under many keys, of so many bytes in all.
    pub(crate) async fn values(
        &self,
        call: Call,
        lookups: &[Lookup<'_>],
        bytes_max: usize,
    ) -> Result<Vec<Found>, Error> {
        let exchange = async || {
            let mut connection = self.connection().await?;
            let values = connection.values(lookups, bytes_max).await;
            self.settled(connection, values)
        };
        self.guard.call(call, exchange).await
    }

    /// A request with a list of names and values.
    pub(crate) async fn list(
        &self,
        call: Call,
        request: &Request,
    ) -> Result<BTreeMap<String, String>, Error> {
        let exchange = async || {
            let mut connection = self.connection().await?;
            let list = connection.list(request).await;
            self.settled(connection, list)
        };
        self.guard.call(call, exchange).await
    }

    /// Closes what nobody uses, and what is used when it comes back.
    pub(crate) async fn close(&self, grace: Duration) {
        self.guard.close(grace).await;
        self.idle().clear();
    }

    /// One that was used lately, or a new one.
    async fn connection(&self) -> Result<Connection, Error> {
        while let Some((mut connection, since)) = self.take_idle() {
            if since.elapsed() <= self.guard.options().idle_timeout && connection.is_silent() {
                return Ok(connection);
            }
        }
        let made = timeout(self.guard.options().connect_timeout, Connection::open(&self.plan));
        let made = made.await.unwrap_or_else(|_| {
            let limit = self.guard.options().connect_timeout;
            let message = format!("no connection within {limit:?}");
            Err(Error::new(ErrorKind::Unreachable, message))
        });
        match &made {
            Ok(_) => self.guard.connected(),
            Err(error) => self.guard.lost(&self.guard.placed(error.clone())),
        }
        made
    }

    /// The connection is kept if its exchange came to its end, and dropped otherwise.
    fn settled<T>(&self, connection: Connection, result: Result<T, Error>) -> Result<T, Error> {
        match &result {
            Ok(_) => self.keep(connection),
            Err(error) if error.kind() == ErrorKind::Disconnected => {
                self.guard.lost(&self.guard.placed(error.clone()));
            }
            Err(_) => {}
        }
        result
    }

    fn keep(&self, connection: Connection) {
        let (now, idle_timeout) = (Instant::now(), self.guard.options().idle_timeout);
        let mut idle = self.idle();
        while idle.front().is_some_and(|(_, since)| now - *since > idle_timeout) {
            idle.pop_front();
        }
        if !self.guard.is_closed() {
            idle.push_back((connection, now));
        }
    }

    fn take_idle(&self) -> Option<(Connection, Instant)> {
        self.idle().pop_back()
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
