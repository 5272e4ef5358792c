//! Jobs that were given up, and jobs that shall not be done any more.

use crate::client::{ChannelClient, unexpected};
use crate::error::Error;
use crate::job::JobId;
use crate::session::ChannelSession;
use bytes::Bytes;
use std::time::Duration;
use workyard_link::{Link, Pages, listing};
use workyard_protocol::QueueName;
use workyard_protocol::channel::{self, Dead, NackReason, Redrive, Remove, Reply, Request};
use workyard_protocol::limits::{PAGE_ITEMS_MAX, REDRIVE_JOBS_MAX};

pub use workyard_protocol::channel::Cause;

/// A job that came back too often. It waits in the queue of the same name with `.dead` behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadJob {
    /// Its number.
    pub job: JobId,
    /// How often it was handed out.
    pub attempts: u32,
    /// How it came back the last time.
    pub cause: Cause,
    /// What a consumer said last when it gave the job back.
    pub reason: Option<String>,
    /// How long ago it was given up.
    pub age: Duration,
    /// The bytes of its value.
    pub size: u32,
}

/// A stream of dead letters, asked for page by page. It ends after the first error.
pub type DeadJobs = Pages<DeadJob, Error>;

impl ChannelClient {
    /// The dead letters of a queue that wait, by their numbers, and why they are dead.
    ///
    /// ```no_run
    /// # async fn example(client: workyard_channel::ChannelClient) -> Result<(), workyard_channel::Error> {
    /// let mut dead = client.dead_jobs("mails");
    /// while let Some(dead) = dead.next().await.transpose()? {
    ///     println!("{}: {:?} {}", dead.job, dead.cause, dead.reason.unwrap_or_default());
    /// }
    /// client.redrive("mails").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn dead_jobs(&self, queue: impl AsRef<[u8]>) -> DeadJobs {
        listing(&self.link, queue.as_ref(), page)
    }

    /// Moves all dead letters of a queue back to it, as if they had never been handed out; each once, also
    /// if it dies again meanwhile. Returns how many.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Refused` with the reason `LimitReached` when the
    /// queue has no more room. What was moved before stays there, and calling again goes on.
    pub async fn redrive(&self, queue: impl AsRef<[u8]>) -> Result<u64, Error> {
        let queue = QueueName::new(queue.as_ref())?;
        let (mut moved, mut cursor) = (0, 0);
        loop {
            let request = Redrive { queue, cursor, limit: REDRIVE_JOBS_MAX };
            let (jobs, next) = self.counted(Request::Redrive(request)).await?;
            moved += jobs;
            if next == 0 {
                return Ok(moved);
            }
            cursor = next;
        }
    }

    /// Removes a job that nobody holds, ready or delayed. Returns whether it was there. A dead letter is in
    /// the queue with `.dead` behind its name.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Refused` with the reason `JobLeased` while a consumer
    /// holds the job.
    pub async fn remove_job(&self, queue: impl AsRef<[u8]>, job: JobId) -> Result<bool, Error> {
        let queue = QueueName::new(queue.as_ref())?;
        let (jobs, _) = self.counted(Request::Remove(Remove { queue, job })).await?;
        Ok(jobs > 0)
    }

    async fn counted(&self, request: Request<'_>) -> Result<(u64, u64), Error> {
        let received = self.link.request(&request).await?;
        match received.decode()? {
            Reply::Counted { jobs, cursor } => Ok((jobs, cursor)),
            other => Err(unexpected(&other)),
        }
    }
}

async fn page(
    link: Link<ChannelSession>,
    queue: Bytes,
    cursor: u64,
) -> Result<(u64, Vec<DeadJob>), Error> {
    let queue = QueueName::new(&queue)?;
    let request = Request::Dead(Dead { queue, cursor, limit: PAGE_ITEMS_MAX });
    let received = link.request(&request).await?;
    match received.decode()? {
        Reply::Dead { cursor, jobs } => Ok((cursor, jobs.into_iter().map(dead_job).collect())),
        other => Err(unexpected(&other)),
    }
}

fn dead_job(dead: channel::DeadJob<'_>) -> DeadJob {
    DeadJob {
        job: dead.job,
        attempts: dead.attempts,
        cause: dead.cause,
        reason: dead.reason.map(NackReason::as_str).map(str::to_owned),
        age: Duration::from_millis(dead.age_ms),
        size: dead.size,
    }
}
