//! What a program holds: one handle for everything that Redis does.

use crate::backend::Backend;
use crate::blocking::{Blocking, PopStats};
use crate::command::Request;
use crate::connector::Connector;
use crate::dedicated::Dedicated;
use crate::error::{from_driver, to_driver};
use crate::options::Options;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, FromRedisValue, Pipeline, RedisFuture, Value};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use workyard_adapter_kit::{Call, Error, ErrorKind, Guard, Stats};

/// Redis, as one server, behind sentinels or as a cluster. Cheap to clone; clones are the same one.
///
/// Commands go through [`Redis::query`], with errors of this crate, or through the driver's
/// [`AsyncCommands`](redis::AsyncCommands), with errors of the driver. Both are made the same way: with
/// bounds, safe repeats and counts, over one connection that heals itself; commands that block go over
/// connections of their own.
#[derive(Clone)]
pub struct Redis(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) guard: Guard,
    pub(crate) backend: Backend,
    pub(crate) pool: Arc<Dedicated>,
    pub(crate) blocking: Blocking,
    pub(crate) options: Options,
    pub(crate) subscriptions: Arc<Semaphore>,
    /// Whether it is being closed.
    pub(crate) closing: watch::Sender<bool>,
}

impl Redis {
    /// The Redis at this URL: see [`Options::url`]. Nothing is connected yet.
    ///
    /// # Errors
    /// When the URL makes no sense.
    pub fn open(url: impl Into<String>) -> Result<Self, Error> {
        Self::with(Options::new(url))
    }

    /// The same, with options.
    ///
    /// # Errors
    /// When the options make no sense.
    pub fn with(options: Options) -> Result<Self, Error> {
        let settings = options.settle().map_err(unplaced)?;
        let options = settings.options.clone();
        let target = Arc::clone(&settings.target);
        let guard = Guard::new("redis", target, options.calls.clone(), options.observer.clone())?;
        let connector = Connector::new(settings).map_err(|error| guard.placed(error))?;
        let backend = Backend::new(connector, &guard).map_err(|error| guard.placed(error))?;
        let pool = Dedicated::new(backend.clone(), options.blocking_max);
        let subscriptions = options.subscriptions_max.min(Semaphore::MAX_PERMITS);
        Ok(Self(Arc::new(Inner {
            blocking: Blocking::new(Arc::clone(&pool)),
            subscriptions: Arc::new(Semaphore::new(subscriptions)),
            closing: watch::Sender::new(false),
            guard,
            backend,
            pool,
            options,
        })))
    }

    /// Sends a command: one of the driver's (`Cmd::get("key")`) or any other
    /// (`redis::cmd("GET").arg("key")`).
    ///
    /// # Errors
    /// What went wrong; also when the answer is no `T`.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        let value = self.send(command).await?;
        self.converted(value)
    }

    /// Sends a pipeline; an atomic one is carried out as a whole or not at all. Made again only if the
    /// server has carried out nothing of it.
    ///
    /// # Errors
    /// What went wrong; of commands that failed, the first.
    pub async fn pipeline<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, Error> {
        let answers = pipeline.query_async(&mut self.clone()).await;
        answers.map_err(|error| self.0.guard.placed(from_driver(error)))
    }

    /// Checks that the server answers, and lets us in.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<(), Error> {
        let patience = self.0.options.calls.connect_timeout;
        let asked = tokio::time::timeout(patience, self.query::<()>(&redis::cmd("PING"))).await;
        asked.unwrap_or_else(|_| {
            let message = format!("not ready within {patience:?}");
            Err(self.0.guard.error(ErrorKind::TimedOut, message))
        })
    }

    /// What was done so far, and is being done.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.guard.stats()
    }

    /// What became of elements that were popped for callers who had gone.
    #[must_use]
    pub fn pop_stats(&self) -> PopStats {
        self.0.blocking.stats()
    }

    /// Closes everything: no call is let in any more, those that block are answered with
    /// [`ErrorKind::Closed`], others get `request_timeout` to end, subscriptions end. As long is there for
    /// putting back what was popped for callers who have gone. Whether all that ended in time. Stop consumers
    /// of queues before.
    pub async fn close(&self) -> bool {
        let grace = self.0.options.calls.request_timeout;
        self.0.closing.send_replace(true);
        self.0.blocking.close();
        let over = Instant::now() + grace;
        let ended = self.0.guard.close(grace).await;
        let ended = timeout_at(over, self.0.blocking.ended()).await.is_ok() && ended;
        self.0.pool.close();
        self.0.backend.close().await;
        ended
    }

    /// The driver's own connection, for what this adapter does not do. It is made by no guard, and
    /// what changes it changes it for everybody.
    ///
    /// # Errors
    /// When there is no connection; with a cluster, which has many.
    pub async fn connection(&self) -> Result<MultiplexedConnection, Error> {
        let connection =
            self.0.backend.driver().await.map_err(|error| self.0.guard.placed(error))?;
        connection.ok_or_else(|| {
            self.0.guard.error(ErrorKind::InvalidRequest, "a cluster has no connection of its own")
        })
    }

    pub(crate) async fn send(&self, command: &Cmd) -> Result<Value, Error> {
        let Inner { guard, backend, blocking, .. } = &*self.0;
        let request = self.checked(Request::of(command))?;
        let call = Call::new(request.name).repeat(request.repeat);
        let Some(blocks) = request.blocks else {
            return guard.call(call, || backend.send(command, &request)).await;
        };
        Box::pin(self.send_over(blocking, command, &request, blocks)).await
    }

    /// Sends a command that blocks, over connections that are not those of all.
    pub(crate) async fn query_over<T: FromRedisValue>(
        &self,
        blocking: &Blocking,
        command: &Cmd,
    ) -> Result<T, Error> {
        let request = self.checked(Request::of(command))?;
        let blocks = request.blocks.unwrap_or_default();
        let value = self.send_over(blocking, command, &request, blocks).await?;
        self.converted(value)
    }

    async fn send_over(
        &self,
        blocking: &Blocking,
        command: &Cmd,
        request: &Request,
        blocks: Duration,
    ) -> Result<Value, Error> {
        let guard = &self.0.guard;
        // Before that, it may wait for a connection.
        let within = blocks.saturating_add(guard.options().request_timeout * 2);
        let call = Call::new(request.name).repeat(request.repeat).within(within);
        guard.call(call, || blocking.send(command, request)).await
    }

    fn converted<T: FromRedisValue>(&self, value: Value) -> Result<T, Error> {
        redis::from_redis_value(value).map_err(|error| {
            // The server has done what it was asked for.
            self.0.guard.placed(from_driver(error.into()).not_carried_out())
        })
    }

    async fn send_pipeline(
        &self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        let Inner { guard, backend, blocking, .. } = &*self.0;
        let request = self.checked(Request::of_pipeline(pipeline))?;
        let call = Call::new(request.name).repeat(request.repeat);
        let Some(blocks) = request.blocks else {
            return guard.call(call, || backend.send_pipeline(pipeline, offset, count)).await;
        };
        // Before that, it may wait for a connection.
        let within = blocks.saturating_add(guard.options().request_timeout * 2);
        let send = || blocking.send_pipeline(pipeline, offset, count);
        Box::pin(guard.call(call.within(within), send)).await
    }

    pub(crate) fn checked(&self, request: Result<Request, Error>) -> Result<Request, Error> {
        let request = request.map_err(|error| self.0.guard.placed(error))?;
        let max = self.0.options.request_bytes_max;
        if request.bytes > max {
            let message = format!(
                "a request of {} bytes is above the {max} of request_bytes_max; send less at once, or \
                 raise the limit",
                request.bytes
            );
            let error = Error::new(ErrorKind::TooLarge, message).during(request.name);
            return Err(self.0.guard.placed(error));
        }
        Ok(request)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redis").field(self.0.guard.target()).finish()
    }
}

/// So that everything that the driver can send goes through the guard.
impl ConnectionLike for Redis {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move { self.send(command).await.map_err(to_driver) })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(
            async move { self.send_pipeline(pipeline, offset, count).await.map_err(to_driver) },
        )
    }

    fn get_db(&self) -> i64 {
        self.0.options.database.into()
    }
}

/// Where it would have been is not known.
fn unplaced(error: Error) -> Error {
    error.at("redis", &Arc::from("(options)"))
}
