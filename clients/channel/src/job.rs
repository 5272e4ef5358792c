//! A job, from its arrival to its acknowledgement.

use crate::client::unexpected;
use crate::error::Error;
use crate::session::{ChannelSession, HeldJob};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::sync::atomic::Ordering;
use workyard_link::Link;
use workyard_protocol::channel::{Ack, Nack, Reply, Request};
use workyard_protocol::{Reason, Value, from_value};

/// The number of a job, unique as long as the server runs.
pub type JobId = u64;

/// A job that this client holds. It is not done before [`Job::ack`] has returned `Ok`, and goes back to
/// its queue with [`Job::nack`]; dropped without either, when the connection ends and not sooner.
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

    /// The job is done and may be forgotten.
    ///
    /// # Errors
    /// `LeaseLost` when the connection that it came by is gone, and the job with it. `TimedOut` or
    /// `Disconnected` when it is not known whether the server heard of it; asking again is safe.
    pub async fn ack(&self) -> Result<(), Error> {
        self.settle(Request::Ack(Ack { job: self.held.job })).await
    }

    /// The job is not done, and somebody shall have it again: it goes back to the head of its queue, to
    /// whoever is next there, which may be this consumer. After `job_attempts_max` attempts (10 unless
    /// the server is told otherwise) it goes to the queue of the same name with `.dead` behind it.
    ///
    /// # Errors
    /// As for [`Job::ack`].
    pub async fn nack(&self) -> Result<(), Error> {
        self.settle(Request::Nack(Nack { job: self.held.job })).await
    }

    async fn settle(&self, request: Request<'_>) -> Result<(), Error> {
        match self.link.request_on(self.held.connection, &request).await {
            Ok(received) => match received.decode()? {
                Reply::Done => {
                    self.held.held.fetch_sub(1, Ordering::Relaxed);
                    Ok(())
                }
                other => Err(unexpected(&other)),
            },
            Err(workyard_link::Error::ConnectionReplaced) => Err(self.lost()),
            Err(workyard_link::Error::Refused(refusal)) if refusal.reason == Reason::UnknownJob => {
                Err(self.lost())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn lost(&self) -> Error {
        Error::LeaseLost { job: self.held.job }
    }
}
