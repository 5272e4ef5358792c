//! A work queue with delays, attempts and a list of failures, as `workerman/redis-queue` has it.

mod consumer;
mod failed;
mod job;
mod keys;
mod scripts;
mod work;

pub use consumer::{Consumer, ConsumerBuilder, ConsumerStats};
pub use failed::FailedJob;
pub use job::{FailedAttempt, Failure, Job};

use crate::handle::Redis;
use job::Package;
use keys::Keys;
use redis::Cmd;
use scripts::Scripts;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use workyard_adapter_kit::{Error, ErrorKind};

/// What sender and consumers of a queue agree on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct QueueOptions {
    /// What all keys begin with: nothing.
    pub prefix: String,
    /// How many seconds after its first failed attempt a job is tried again; twice as many after the
    /// second, and so on: 5.
    pub retry_seconds: u32,
    /// How often a job is tried again before it has failed for good: 5, so that it is tried 6 times.
    pub max_attempts: u32,
    /// How many seconds a consumer may be silent before others take over its jobs: 30.
    pub lease_seconds: u32,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self { prefix: String::new(), retry_seconds: 5, max_attempts: 5, lease_seconds: 30 }
    }
}

/// Queues in Redis. Keys and jobs are those of `workerman/redis-queue`, so that its programs and these can
/// send to each other. What it lacks is that a job is not lost with the process that was given it: it
/// stays in a list of its consumer until it is done, and others take it over from there.
#[derive(Clone, Debug)]
pub struct Queue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    redis: Redis,
    options: QueueOptions,
    keys: Keys,
    scripts: Scripts,
}

/// How much there is in a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueCounts {
    /// Jobs that wait for a consumer.
    pub waiting: u64,
    /// Jobs of this queue that are with consumers.
    pub under_way: u64,
    /// Jobs of all queues that are not due yet.
    pub delayed: u64,
    /// Jobs of all queues that have failed for good.
    pub failed: u64,
}

impl Queue {
    /// Queues in this Redis.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self::built(redis, QueueOptions::default())
    }

    /// The same, with options.
    ///
    /// # Errors
    /// When the options make no sense.
    pub fn with(redis: &Redis, options: QueueOptions) -> Result<Self, Error> {
        if options.lease_seconds < 2 {
            let message = "lease_seconds is less than 2: it is renewed every second";
            return Err(Error::new(ErrorKind::InvalidOptions, message));
        }
        Ok(Self::built(redis, options))
    }

    fn built(redis: &Redis, options: QueueOptions) -> Self {
        let keys = Keys::new(&options.prefix);
        Self(Arc::new(Inner { redis: redis.clone(), options, keys, scripts: Scripts::new() }))
    }

    /// Sends a job, to be done after `delay` (in whole seconds; less than one is none). Returns its id.
    ///
    /// # Errors
    /// What went wrong: when its outcome is unknown, the job may have been sent.
    pub async fn send(
        &self,
        queue: &str,
        data: impl Serialize,
        delay: Duration,
    ) -> Result<String, Error> {
        let data = serde_json::to_value(data).map_err(|error| {
            let message = format!("the data of the job is no JSON: {error}");
            Error::new(ErrorKind::InvalidRequest, message)
        })?;
        let package = Package::new(queue, data, delay.as_secs());
        let Inner { redis, keys, scripts, .. } = &*self.0;
        if delay.as_secs() == 0 {
            redis.query::<()>(&Cmd::lpush(keys.waiting(queue), package.text())).await?;
        } else {
            let arguments = (package.text(), delay.as_secs());
            redis.run::<()>(&scripts.delay, &[&keys.delayed()], arguments).await?;
        }
        Ok(package.id())
    }

    /// A consumer of one queue, which is yet to be told what to do.
    #[must_use]
    pub fn consumer(&self, queue: &str) -> ConsumerBuilder {
        ConsumerBuilder::new(self.clone(), queue)
    }

    /// How much there is in a queue.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn counts(&self, queue: &str) -> Result<QueueCounts, Error> {
        let Inner { redis, keys, scripts, .. } = &*self.0;
        let (waiting, delayed, failed) = (keys.waiting(queue), keys.delayed(), keys.failed());
        let consumers = keys.consumers();
        let counted = [waiting.as_str(), &delayed, &failed, &consumers];
        let (waiting, delayed, failed, under_way) =
            redis.run(&scripts.count, &counted, (keys.processing(""), queue)).await?;
        Ok(QueueCounts { waiting, under_way, delayed, failed })
    }
}
