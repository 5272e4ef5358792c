//! Transactions that hold only if nobody has changed the keys that they were decided by.

use crate::command::Request;
use crate::dedicated::Lease;
use crate::error::from_driver;
use crate::handle::Redis;
use crate::limits::TRANSACTION_ATTEMPTS_MAX;
use redis::{Cmd, FromRedisValue, Pipeline, ToRedisArgs, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use workyard_adapter_kit::{Call, Error, ErrorKind, Guard, Repeat};

/// The keys as they are, on the connection that watches them. Clones are the same one.
#[derive(Clone)]
pub struct Watched(Arc<Inner>);

struct Inner {
    lease: Lease,
    guard: Guard,
}

impl Watched {
    /// Sends a command on the connection that watches the keys: for reading what to decide by. What it
    /// writes is written at once.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        let request = Request::of(command)?;
        if request.blocks.is_some() {
            let message = "it would hold up the transaction";
            return Err(self.0.guard.error(ErrorKind::InvalidRequest, message));
        }
        let call = Call::new(request.name).repeat(Repeat::Never);
        let value = self.0.guard.call(call, || self.0.lease.send(command)).await;
        let value = value.inspect_err(|error| self.0.lease.hear(error))?;
        redis::from_redis_value(value).map_err(|error| from_driver(error.into()).not_carried_out())
    }

    /// Watches nothing any more.
    async fn forget(self) -> Result<(), Error> {
        let call = Call::new("UNWATCH").repeat(Repeat::Never);
        let command = redis::cmd("UNWATCH");
        self.0.guard.call(call, || self.0.lease.send(&command)).await?;
        self.give_back();
        Ok(())
    }

    /// Keeps the connection, unless somebody still holds it.
    fn give_back(self) {
        if let Some(inner) = Arc::into_inner(self.0) {
            inner.lease.give_back();
        }
    }

    /// The answers; nothing when somebody has changed a key.
    async fn commit<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<Option<T>, Error> {
        let call = Call::new("EXEC").repeat(Repeat::Never);
        let sent = || async {
            pipeline.query_async(&mut self.0.lease.driver()).await.map_err(from_driver)
        };
        self.0.guard.call(call, sent).await.inspect_err(|error| self.0.lease.hear(error))
    }
}

impl Redis {
    /// Carries out a transaction that was decided by what `keys` hold, and decides again when somebody
    /// has changed them meanwhile, 16 times at most. `decide` reads by [`Watched::query`] and returns the
    /// commands; when there are none, nothing is done, and the answer is that of an empty pipeline.
    ///
    /// ```no_run
    /// # async fn example(redis: workyard_redis::Redis) -> workyard_redis::Result<()> {
    /// use workyard_redis::redis::{self, Cmd};
    /// let (left,): (i64,) = redis
    ///     .transaction(&["stock"], async |watched| {
    ///         let stock: i64 = watched.query(&Cmd::get("stock")).await?;
    ///         Ok(redis::pipe().set("stock", stock - 1).ignore().get("stock").clone())
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// That of `decide`, or what went wrong; `CONFLICT` of kind [`ErrorKind::Server`] when others were
    /// always faster.
    pub async fn transaction<T, D, F>(&self, keys: &[&str], mut decide: D) -> Result<T, Error>
    where
        T: FromRedisValue,
        D: FnMut(Watched) -> F,
        F: Future<Output = Result<Pipeline, Error>>,
    {
        let guard = &self.0.guard;
        for attempt in 1..=TRANSACTION_ATTEMPTS_MAX {
            let watched =
                Watched(Arc::new(Inner { lease: self.watch(keys).await?, guard: guard.clone() }));
            // Nothing was sent that would have been carried out with the rest.
            let mut pipeline = decide(watched.clone()).await.map_err(Error::not_carried_out)?;
            if pipeline.is_empty() {
                watched.forget().await?;
                return redis::from_redis_value(Value::Array(Vec::new()))
                    .map_err(|error| guard.placed(from_driver(error.into()).not_carried_out()));
            }
            self.checked(Request::of_pipeline(pipeline.atomic()))?;
            let answers = watched.commit(&pipeline).await?;
            watched.give_back();
            if let Some(answers) = answers {
                return Ok(answers);
            }
            // Who was faster is probably done; who waits as well does so for another time.
            sleep(Duration::from_micros(fastrand::u64(..1000 << attempt.min(6)))).await;
        }
        let message = format!("others changed the keys {TRANSACTION_ATTEMPTS_MAX} times in a row");
        let error = guard.error(ErrorKind::Server, message).with_code("CONFLICT");
        Err(error.transient(true))
    }

    /// A connection that watches the keys.
    async fn watch(&self, keys: &[&str]) -> Result<Lease, Error> {
        let first = keys.first().map(|key| key.as_bytes());
        let mut command = redis::cmd("WATCH");
        command.arg(keys.to_redis_args());
        let call = Call::new("WATCH").repeat(Repeat::Freely);
        let watched = || async {
            let lease = self.0.pool.take(first).await?;
            if !keys.is_empty() {
                let answer = lease.send(&command).await;
                if let Err(error) = answer {
                    lease.settle(Some(&error));
                    return Err(error);
                }
            }
            Ok(lease)
        };
        self.0.guard.call(call, watched).await
    }
}
