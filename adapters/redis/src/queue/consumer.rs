//! Who does the jobs of a queue: a callback, many jobs at once, an orderly end.

use super::Queue;
use super::job::{FailedAttempt, Failure, Job};
use super::work::Work;
use serde::Serialize;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

pub(super) type Callback =
    dyn Fn(Job) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>> + Send + Sync;
pub(super) type OnFailure = dyn Fn(&mut FailedAttempt) + Send + Sync;

/// A consumer that is yet to be told what to do.
pub struct ConsumerBuilder {
    pub(super) queue: Queue,
    pub(super) name: String,
    pub(super) jobs_max: usize,
    pub(super) on_failure: Option<Arc<OnFailure>>,
}

impl ConsumerBuilder {
    pub(super) fn new(queue: Queue, name: &str) -> Self {
        Self { queue, name: name.to_owned(), jobs_max: 1, on_failure: None }
    }

    /// Most jobs at the same time: 1.
    #[must_use]
    pub fn jobs_max(mut self, jobs_max: usize) -> Self {
        self.jobs_max = jobs_max.max(1);
        self
    }

    /// Is told of every attempt that failed, before it is decided what becomes of the job, and may change
    /// what it is decided by. Not called for [`Failure::give_up`].
    #[must_use]
    pub fn on_failure(
        mut self,
        on_failure: impl Fn(&mut FailedAttempt) + Send + Sync + 'static,
    ) -> Self {
        self.on_failure = Some(Arc::new(on_failure));
        self
    }

    /// Begins. Each job is given to `callback`; when that returns an error or panics, it is tried again
    /// later, by whichever consumer. Now and then a job may be done twice (when its consumer cannot say in
    /// time that it is done), and never not at all.
    ///
    /// A callback that keeps its thread to itself for longer than `lease_seconds` keeps its consumer from
    /// saying that it is there.
    pub fn start<C, F>(self, callback: C) -> Consumer
    where
        C: Fn(Job) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let callback: Arc<Callback> = Arc::new(move |job| Box::pin(callback(job)));
        let counters = Arc::new(Counters::default());
        let (stop, stopping) = watch::channel(false);
        let work = Work::new(self, callback, Arc::clone(&counters));
        let (end, ended) = watch::channel(());
        tokio::spawn(async move {
            work.run(stopping).await;
            drop(end);
        });
        Consumer { stop, ended, counters }
    }
}

impl fmt::Debug for ConsumerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerBuilder").field("queue", &self.name).finish_non_exhaustive()
    }
}

/// A consumer at work. When it is dropped, it takes no more jobs, and finishes those that it has.
#[derive(Debug)]
pub struct Consumer {
    stop: watch::Sender<bool>,
    /// Whose other end goes away when all is done.
    ended: watch::Receiver<()>,
    counters: Arc<Counters>,
}

impl Consumer {
    /// Takes no more jobs, lets those under way end, and puts back what was not begun. Whether all of
    /// that was done within `grace`: if not, it goes on for as long as the process does.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.stop.send_replace(true);
        let mut ended = self.ended.clone();
        timeout(grace, ended.changed()).await.is_ok()
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> ConsumerStats {
        self.counters.snapshot()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// What a consumer did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConsumerStats {
    /// Jobs that were done.
    pub succeeded: u64,
    /// Attempts that failed and are made again.
    pub retried: u64,
    /// Jobs that failed for good.
    pub failed: u64,
    /// Jobs taken over from consumers that were gone.
    pub recovered: u64,
    /// Jobs put back that were given to this consumer and never arrived, or were not begun at its end.
    pub returned: u64,
    /// Delayed jobs, of whichever queue, that this consumer has found to be due.
    pub due: u64,
    /// Jobs that somebody else had taken over while this consumer did them.
    pub taken_over: u64,
    /// Jobs under way now.
    pub under_way: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) succeeded: AtomicU64,
    pub(super) retried: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) recovered: AtomicU64,
    pub(super) returned: AtomicU64,
    pub(super) due: AtomicU64,
    pub(super) taken_over: AtomicU64,
    pub(super) under_way: AtomicU64,
}

impl Counters {
    fn snapshot(&self) -> ConsumerStats {
        ConsumerStats {
            succeeded: self.succeeded.load(Relaxed),
            retried: self.retried.load(Relaxed),
            failed: self.failed.load(Relaxed),
            recovered: self.recovered.load(Relaxed),
            returned: self.returned.load(Relaxed),
            due: self.due.load(Relaxed),
            taken_over: self.taken_over.load(Relaxed),
            under_way: self.under_way.load(Relaxed),
        }
    }
}
