//! Jobs that have failed for good: seen, sent again, or forgotten.

use super::job::{Job, Package};
use super::{Inner, Queue};
use redis::Cmd;
use workyard_adapter_kit::Error;

/// How many are looked at in one journey.
const PAGE: u64 = 128;

/// A job that has failed for good.
#[derive(Clone, Debug)]
pub struct FailedJob {
    stored: Vec<u8>,
    package: Option<Package>,
}

impl FailedJob {
    fn new(stored: Vec<u8>) -> Self {
        let package = Package::read(&stored);
        Self { stored, package }
    }

    /// The job; nothing when what was sent is none.
    #[must_use]
    pub fn job(&self) -> Option<Job> {
        self.package.clone().map(Job::new)
    }

    /// What went wrong at last.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.package.as_ref().and_then(Package::error)
    }

    /// What is stored.
    #[must_use]
    pub fn stored(&self) -> &[u8] {
        &self.stored
    }
}

impl Queue {
    /// Jobs of all queues that have failed for good, the last first: `count` after the first `skip`.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn failed(&self, skip: u64, count: u64) -> Result<Vec<FailedJob>, Error> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let Inner { redis, keys, .. } = &*self.0;
        let mut command = redis::cmd("LRANGE");
        command.arg(keys.failed()).arg(skip).arg(skip.saturating_add(count - 1));
        let stored: Vec<Vec<u8>> = redis.query(&command).await?;
        Ok(stored.into_iter().map(FailedJob::new).collect())
    }

    /// Sends a job that had failed once more, with all its attempts. Whether it was there, and is a job.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn redrive(&self, failed: &FailedJob) -> Result<bool, Error> {
        let Inner { redis, keys, scripts, .. } = &*self.0;
        let Some(package) = failed.package.clone() else { return Ok(false) };
        let Some(queue) = package.queue() else { return Ok(false) };
        let places = [keys.failed(), keys.waiting(&queue)];
        let arguments = (failed.stored.as_slice(), package.fresh().text(), "last");
        redis.run(&scripts.transfer, &[&places[0], &places[1]], arguments).await
    }

    /// Sends all jobs of a queue that had failed once more, the first one first. How many.
    ///
    /// # Errors
    /// What went wrong; some may have been sent by then.
    pub async fn redrive_all(&self, queue: &str) -> Result<u64, Error> {
        let Inner { redis, keys, .. } = &*self.0;
        let mut left: u64 = redis.query(&Cmd::llen(keys.failed())).await?;
        let mut sent = 0;
        while left > 0 {
            let count = left.min(PAGE);
            left -= count;
            for failed in self.failed(left, count).await?.iter().rev() {
                let of_queue = failed.package.as_ref().and_then(Package::queue);
                if of_queue.as_deref() == Some(queue) && self.redrive(failed).await? {
                    sent += 1;
                }
            }
        }
        Ok(sent)
    }

    /// Forgets a job that had failed. Whether it was there.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn discard(&self, failed: &FailedJob) -> Result<bool, Error> {
        let Inner { redis, keys, .. } = &*self.0;
        redis.query(&Cmd::lrem(keys.failed(), 1, failed.stored.as_slice())).await
    }
}
