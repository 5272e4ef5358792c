//! A job on its way to its queue, with what is special about it.

use crate::client::{ChannelClient, unexpected};
use crate::error::Error;
use crate::job::JobId;
use bytes::Bytes;
use serde::Serialize;
use std::time::Duration;
use workyard_protocol::channel::{Enqueue, PublisherId, Reply, Request};
use workyard_protocol::{Delay, QueueName, Value};

/// A job that is not stored yet: [`NewJob::enqueue`] does it.
#[derive(Clone, Debug)]
#[must_use = "it is not stored before it is enqueued"]
pub struct NewJob {
    client: ChannelClient,
    queue: Bytes,
    value: Value,
    delay: Duration,
    priority: u8,
    id: Option<Bytes>,
}

/// What became of a [`NewJob`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// The job's number.
    pub job: JobId,
    /// It was stored before, under the same id: nothing has changed.
    pub duplicate: bool,
}

impl ChannelClient {
    /// A job for a queue, to be stored when it has been said what is special about it.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example(client: workyard_channel::ChannelClient) -> Result<(), workyard_channel::Error> {
    /// let reminder = client
    ///     .new_job("mails", &("alice@example.org", "a day has passed"))?
    ///     .delay(Duration::from_secs(24 * 60 * 60))
    ///     .id("reminder-17")
    ///     .enqueue()
    ///     .await?;
    /// // She has answered.
    /// client.remove_job("mails", reminder.job).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Encode`.
    pub fn new_job<T>(&self, queue: impl AsRef<[u8]>, job: &T) -> Result<NewJob, Error>
    where
        T: Serialize + ?Sized,
    {
        Ok(self.new_job_value(queue, self.encode(job)?))
    }

    /// [`ChannelClient::new_job`] of exactly this value.
    pub fn new_job_value(&self, queue: impl AsRef<[u8]>, job: Value) -> NewJob {
        NewJob {
            client: self.clone(),
            queue: Bytes::copy_from_slice(queue.as_ref()),
            value: job,
            delay: Duration::ZERO,
            priority: 0,
            id: None,
        }
    }
}

impl NewJob {
    /// Nobody shall have it before so much time has passed, up to ten years.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Jobs of a higher priority are handed out before all others; most have 0.
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// What this job is known by, up to 256 bytes. Within the queue's window, five minutes unless it is set
    /// otherwise, a job of an id is stored once: whoever does not know whether it is stores it again.
    pub fn id(mut self, id: impl AsRef<[u8]>) -> Self {
        self.id = Some(Bytes::copy_from_slice(id.as_ref()));
        self
    }

    /// Stores it until a consumer has acknowledged it.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them. After `TimedOut` and `Disconnected` the job may be
    /// stored; storing it again doubles it, unless it has an id.
    pub async fn enqueue(&self) -> Result<Enqueued, Error> {
        let request = Request::Enqueue(Enqueue {
            queue: QueueName::new(&self.queue)?,
            delay: Delay::try_from(self.delay)?,
            priority: self.priority,
            id: self.id.as_ref().map(PublisherId::new).transpose()?,
            value: self.value.as_ref(),
        });
        let received = self.client.link.request(&request).await?;
        match received.decode()? {
            Reply::Enqueued { job, duplicate } => Ok(Enqueued { job, duplicate }),
            other => Err(unexpected(&other)),
        }
    }
}
