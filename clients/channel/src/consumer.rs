//! Work queues: storing jobs, and the stream of those to be done here.

use crate::client::{ChannelClient, unexpected};
use crate::error::Error;
use crate::job::{Job, JobId};
use crate::session::{ChannelSession, Command, HeldJob, LocalId};
use crate::subscription::next_id;
use bytes::Bytes;
use futures_util::stream::Stream;
use serde::Serialize;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;
use workyard_link::{Link, Mailbox};
use workyard_protocol::channel::{Enqueue, Reply, Request};
use workyard_protocol::limits::PREFETCH_JOBS_MAX;
use workyard_protocol::{QueueName, Value};

/// A stream of jobs. It survives reconnects and ends when it is cancelled, when the client is closed,
/// or when the server refuses to restore it.
///
/// A job is leased to this client from its arrival, in the buffer of the consumer or in the hands of the
/// program, and the lease prolonged, until [`Job::ack`] or [`Job::nack`] or until the connection ends; then
/// it goes back to its queue. Dropping a job acknowledges nothing: it is given back a while later.
///
/// Consumers of one queue in one client share the sum of their prefetches. Dropping one cancels it in
/// the background; the jobs in its buffer go to the others, or to the next one made for that queue if it is
/// made soon, else back to the queue.
#[derive(Debug)]
#[must_use = "dropping a consumer cancels it"]
pub struct Consumer {
    link: Link<ChannelSession>,
    id: LocalId,
    mailbox: Arc<Mailbox<HeldJob>>,
}

impl ChannelClient {
    /// Stores a job until a consumer has acknowledged it. Returns its number.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them. After `TimedOut` and `Disconnected` the job may
    /// be stored; storing it again may double it.
    pub async fn enqueue<T>(&self, queue: impl AsRef<[u8]>, job: &T) -> Result<JobId, Error>
    where
        T: Serialize + ?Sized,
    {
        self.enqueue_value(queue, &self.encode(job)?).await
    }

    /// [`ChannelClient::enqueue`] of exactly this value.
    ///
    /// # Errors
    /// As [`ChannelClient::enqueue`].
    pub async fn enqueue_value(
        &self,
        queue: impl AsRef<[u8]>,
        job: &Value,
    ) -> Result<JobId, Error> {
        let queue = QueueName::new(queue.as_ref())?;
        let request = Request::Enqueue(Enqueue::new(queue, job.as_ref()));
        let received = self.link.request(&request).await?;
        match received.decode()? {
            Reply::Enqueued { job, .. } => Ok(job),
            other => Err(unexpected(&other)),
        }
    }

    /// Asks for the jobs of a queue, `prefetch` at a time: so many may be held unacknowledged.
    ///
    /// With 1 the next job comes when the one before is acknowledged; more keeps a fast consumer
    /// busy.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` for a prefetch that is not in
    /// 1 to 65 535.
    pub async fn consume(&self, queue: impl AsRef<[u8]>, prefetch: u32) -> Result<Consumer, Error> {
        let queue = QueueName::new(queue.as_ref())?;
        if !(1..=PREFETCH_JOBS_MAX).contains(&prefetch) {
            let text = format!("prefetch {prefetch} is not in 1 to {PREFETCH_JOBS_MAX}");
            return Err(Error::InvalidArgument(text));
        }
        let queue = Bytes::copy_from_slice(queue.as_bytes());
        let mailbox = Arc::new(Mailbox::new(PREFETCH_JOBS_MAX as usize, usize::MAX));
        let (done, answer) = oneshot::channel();
        // As with subscriptions, a dropped future closes the answer before it releases the consumer.
        let consumer =
            Consumer { link: self.link.clone(), id: next_id(), mailbox: Arc::clone(&mailbox) };
        let command = Command::Consume { id: consumer.id, queue, prefetch, mailbox, done };
        self.link.ask(command, answer).await?;
        Ok(consumer)
    }
}

impl Consumer {
    /// The next job; nothing when the consumer has ended. Dropping this future loses nothing.
    pub async fn next(&mut self) -> Option<Job> {
        poll_fn(|cx| self.poll_job(cx)).await
    }

    /// Asks for no more jobs, and returns when none can follow. Those that were handed out before can
    /// still be taken and acknowledged, then the stream ends. While this client has other consumers of
    /// the queue, what is still on its way goes to them.
    ///
    /// # Errors
    /// `TimedOut`, `Unreachable`, `Closed`. Dropping the consumer cancels it all the same.
    pub async fn cancel(&mut self) -> Result<(), Error> {
        let (done, answer) = oneshot::channel();
        let command = Command::Cancel { id: self.id, done };
        Ok(self.link.ask(command, answer).await?)
    }

    fn poll_job(&self, cx: &mut Context<'_>) -> Poll<Option<Job>> {
        loop {
            match ready!(self.mailbox.poll_take(cx)) {
                // While it waited here, it became somebody else's.
                Some(held) if held.lease.is_lost() => {}
                held => return Poll::Ready(held.map(|held| Job::new(self.link.clone(), held))),
            }
        }
    }
}

impl Stream for Consumer {
    type Item = Job;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Job>> {
        self.poll_job(cx)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.mailbox.close();
        let left = self.mailbox.drain();
        self.link.release(Command::Released { id: self.id, left });
    }
}
