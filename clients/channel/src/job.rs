//! A job, from its arrival to its acknowledgement.

use crate::client::{settle, unexpected};
use crate::error::Error;
use crate::session::{ChannelSession, HeldJob};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::time::Duration;
use workyard_link::Link;
use workyard_protocol::channel::{Ack, Nack, NackReason, Renew, Reply, Request};
use workyard_protocol::{Delay, Reason, Value, from_value};

/// The number of a job, unique as long as the server runs.
pub type JobId = u64;

/// A job that this client holds, by a lease. It is not done before [`Job::ack`] has returned `Ok`, and goes
/// back to its queue with [`Job::nack`].
///
/// The lease is prolonged by the connection's task for as long as this value exists, however long the work
/// takes and whether or not it awaits anything. Dropped without a word, the job is given back when the lease
/// would have to be prolonged, a third of its time after it came; within ten seconds if leases of the queue
/// last as long as the connection.
///
/// That task needs a thread of the runtime: code that blocks every thread, as it does on a current-thread
/// runtime, keeps it from working, and the lease runs out. Such work belongs into `spawn_blocking`.
#[derive(Debug)]
#[must_use = "a job that is not acknowledged is done again by somebody else"]
pub struct Job {
    link: Link<ChannelSession>,
    held: HeldJob,
}

impl Job {
    pub(crate) fn new(link: Link<ChannelSession>, held: HeldJob) -> Self {
        Self { link, held }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.held.job
    }

    /// The number of the lease: higher than those of all hand-outs before, of this job and others, as long
    /// as the server runs. Whatever a job writes to can refuse a lower number than the highest it has seen,
    /// and with it a worker that does not know yet that its job is somebody else's.
    #[must_use]
    pub fn lease(&self) -> u64 {
        self.held.lease.number()
    }

    /// The queue that it comes from: any bytes.
    #[must_use]
    pub fn queue(&self) -> &[u8] {
        &self.held.queue
    }

    /// The queue as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn queue_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.held.queue)
    }

    /// How often it has been handed out: 1 at first. More means that somebody had it and did not
    /// acknowledge it, or not in time.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.held.attempt
    }

    /// What was stored.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.held.value
    }

    /// What was stored, as a Rust value.
    ///
    /// # Errors
    /// `Decode` when it is not of that type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_value(self.held.value.as_ref()).map_err(Error::Decode)
    }

    /// Whether the job is known to be somebody else's by now: its lease ran out, or the connection that it
    /// came by is gone.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.held.lease.is_lost()
    }

    /// Returns when the job is known to be somebody else's, to stop work on it; never, if that does not
    /// happen.
    ///
    /// ```no_run
    /// # async fn work(job: &workyard_channel::Job) -> Result<(), workyard_channel::Error> { Ok(()) }
    /// # async fn example(job: workyard_channel::Job) -> Result<(), workyard_channel::Error> {
    /// tokio::select! {
    ///     done = work(&job) => done?,
    ///     () = job.lost() => return Ok(()),
    /// }
    /// job.ack().await
    /// # }
    /// ```
    pub async fn lost(&self) {
        self.held.lease.lost().await;
    }

    /// The job is done and may be forgotten.
    ///
    /// # Errors
    /// `LeaseLost` when the lease is over or the connection that it came by is gone, and the job with it.
    /// `TimedOut` or `Disconnected` when it is not known whether the server heard of it; asking again is
    /// safe.
    pub async fn ack(&self) -> Result<(), Error> {
        self.settle(Request::Ack(Ack { lease: self.lease() })).await
    }

    /// The job is not done, and somebody shall have it again: it goes back to its place in the queue, to
    /// whoever is next there, which may be this consumer, when the queue's backoff says so. After
    /// `job_attempts_max` attempts (10 unless the server or the queue is told otherwise) it goes to the
    /// queue of the same name with `.dead` behind it.
    ///
    /// # Errors
    /// As for [`Job::ack`].
    pub async fn nack(&self) -> Result<(), Error> {
        self.nack_with(None, None).await
    }

    /// [`Job::nack`], and nobody shall have the job before so much time has passed.
    ///
    /// # Errors
    /// As for [`Job::ack`]; `InvalidArgument` for more than ten years.
    pub async fn nack_after(&self, delay: Duration) -> Result<(), Error> {
        self.nack_with(Some(delay), None).await
    }

    /// [`Job::nack`], and why, for people: it is kept with the job, and shown with the dead letters.
    ///
    /// # Errors
    /// As for [`Job::ack`]; `InvalidArgument` for more than 1024 bytes.
    pub async fn nack_because(&self, reason: &str) -> Result<(), Error> {
        self.nack_with(None, Some(reason)).await
    }

    /// [`Job::nack`] with a delay, a reason, both or none.
    ///
    /// # Errors
    /// As for [`Job::nack_after`] and [`Job::nack_because`].
    pub async fn nack_with(
        &self,
        delay: Option<Duration>,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let delay = delay.map(Delay::try_from).transpose()?;
        let reason = reason.map(NackReason::new).transpose()?;
        self.settle(Request::Nack(Nack { lease: self.lease(), delay, reason })).await
    }

    /// Prolongs the lease now: before something that keeps the connection's task from doing so.
    ///
    /// # Errors
    /// As for [`Job::ack`].
    pub async fn renew(&self) -> Result<(), Error> {
        let request = Request::Renew(Renew { leases: vec![self.lease()] });
        let received = match self.link.request_on(self.held.connection, &request).await {
            Err(workyard_link::Error::ConnectionReplaced) => return Err(self.lose()),
            received => received?,
        };
        match received.decode()? {
            Reply::Renewed { lost } if lost.is_empty() => Ok(()),
            Reply::Renewed { .. } => Err(self.lose()),
            other => Err(unexpected(&other)),
        }
    }

    async fn settle(&self, request: Request<'_>) -> Result<(), Error> {
        if self.is_lost() {
            return Err(self.lose());
        }
        if !settle(&self.link, self.held.connection, request, Reason::UnknownJob).await? {
            return Err(self.lose());
        }
        self.held.lease.settle();
        self.held.held.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    }

    fn lose(&self) -> Error {
        self.held.lease.lose();
        Error::LeaseLost { job: self.held.job }
    }
}
