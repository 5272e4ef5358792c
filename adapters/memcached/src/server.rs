//! One server: its calls, bounded and guarded, and its connections.

use crate::connection::{Connection, Plan, Read};
use crate::decoder::Found;
use crate::request::{Lookup, Request};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
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
        let exchange = async |mut connection: Connection| {
            let answer = connection.single(request, read).await;
            self.settled(connection, answer)
        };
        self.guard.call_over(call, || self.connection(), exchange).await
    }

    /// The values under many keys, of so many bytes in all.
    pub(crate) async fn values(
        &self,
        call: Call,
        lookups: &[Lookup<'_>],
        bytes_max: usize,
    ) -> Result<Vec<Found>, Error> {
        let exchange = async |mut connection: Connection| {
            let values = connection.values(lookups, bytes_max).await;
            self.settled(connection, values)
        };
        self.guard.call_over(call, || self.connection(), exchange).await
    }

    /// A request with a list of names and values.
    pub(crate) async fn list(
        &self,
        call: Call,
        request: &Request,
    ) -> Result<BTreeMap<String, String>, Error> {
        let exchange = async |mut connection: Connection| {
            let list = connection.list(request).await;
            self.settled(connection, list)
        };
        self.guard.call_over(call, || self.connection(), exchange).await
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
        let made = Box::pin(Connection::open(&self.plan)).await;
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
