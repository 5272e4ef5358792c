//! The tasks of a consumer: fetching jobs, doing them, and looking after what might be lost.

use super::consumer::{Callback, ConsumerBuilder, Counters, OnFailure};
use super::job::{Failure, Job, Package, Verdict};
use super::{Inner, Queue};
use crate::blocking::Blocking;
use crate::dedicated::Dedicated;
use crate::limits::DUE_JOBS_MAX;
use futures_util::FutureExt;
use std::any::Any;
use std::collections::HashMap;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use workyard_adapter_kit::{Error, ErrorKind};

/// How often a consumer says that it is there, and looks for what is due.
const TICK: Duration = Duration::from_secs(1);
/// How long the server waits for a job before it answers that there is none.
const FETCH_SECONDS: u32 = 1;

/// A consumer at work.
#[derive(Clone)]
pub(super) struct Work {
    queue: Queue,
    name: Arc<str>,
    id: Arc<str>,
    callback: Arc<Callback>,
    on_failure: Option<Arc<OnFailure>>,
    jobs_max: usize,
    counters: Arc<Counters>,
    /// What was received and is not settled: how often each.
    under_way: Arc<Mutex<HashMap<Vec<u8>, usize>>>,
    /// When the server has last heard of this consumer.
    heard: Arc<watch::Sender<Option<Instant>>>,
}

impl Work {
    pub(super) fn new(
        builder: ConsumerBuilder,
        callback: Arc<Callback>,
        counters: Arc<Counters>,
    ) -> Self {
        let ConsumerBuilder { queue, name, jobs_max, on_failure } = builder;
        let id = format!("{:016x}", fastrand::u64(..));
        Self {
            queue,
            name: name.into(),
            id: id.into(),
            callback,
            on_failure,
            jobs_max: jobs_max.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize),
            counters,
            under_way: Arc::default(),
            heard: Arc::new(watch::Sender::new(None)),
        }
    }

    /// Works until it is told to stop, and until what it has is done.
    pub(super) async fn run(self, stopping: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(self.jobs_max));
        let is_clear = tokio::select! {
            is_clear = self.fetch(&places, stopping) => is_clear,
            never = self.look_after() => match never {},
        };
        let done = async {
            let all = u32::try_from(self.jobs_max).expect("it was bounded");
            // The places are never closed.
            let _ = places.acquire_many(all).await;
        };
        tokio::select! {
            () = done => {}
            never = self.look_after() => match never {},
        }
        // What may still arrive has to be found by others, who look where a consumer has not left.
        if is_clear {
            self.leave().await;
        }
    }

    /// Fetches jobs until it is told to stop. Whether nothing can arrive any more.
    async fn fetch(&self, places: &Arc<Semaphore>, mut stopping: watch::Receiver<bool>) -> bool {
        let Inner { redis, .. } = &*self.queue.0;
        let blocking = Blocking::new(Dedicated::new(redis.0.backend.clone(), 1));
        let mut waits = redis.0.options.calls.retry.backoff.waits();
        let mut is_clear = true;
        let mut stopped = std::pin::pin!(async move {
            // An error says that the handle is gone, which is a stop as well.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        });
        loop {
            let place = tokio::select! {
                biased;
                () = &mut stopped => return is_clear,
                place = self.place(places) => place,
            };
            let mut fetched = std::pin::pin!(self.fetch_one(&blocking));
            let (result, is_last) = tokio::select! {
                result = &mut fetched => (result, false),
                () = &mut stopped => {
                    blocking.close();
                    (fetched.await, true)
                }
            };
            match result {
                Ok(Some(stored)) => {
                    waits.reset();
                    self.begin(stored, place);
                }
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::Closed => return is_clear,
                Err(error) => {
                    is_clear &= !error.outcome_unknown();
                    tracing::warn!(target: "workyard_adapter", service = "redis", %error, "no job");
                    if !is_last {
                        sleep(waits.next_wait()).await;
                    }
                }
            }
            if is_last {
                return is_clear;
            }
        }
    }

    /// A place for a job, once others would find that job if this consumer came to its end.
    async fn place(&self, places: &Arc<Semaphore>) -> OwnedSemaphorePermit {
        let place = Arc::clone(places).acquire_owned().await.expect("it is never closed");
        let half = Duration::from_secs(self.queue.0.options.lease_seconds.into()) / 2;
        let is_known = |heard: &Option<Instant>| heard.is_some_and(|heard| heard.elapsed() < half);
        self.heard.subscribe().wait_for(is_known).await.expect("the sender is ours");
        place
    }

    async fn fetch_one(&self, blocking: &Blocking) -> Result<Option<Vec<u8>>, Error> {
        let Inner { redis, keys, scripts, .. } = &*self.queue.0;
        let (waiting, processing) = (keys.waiting(&self.name), keys.processing(&self.id));
        let mut command = redis::cmd("BLMOVE");
        command.arg(&waiting).arg(&processing).arg("RIGHT").arg("LEFT").arg(FETCH_SECONDS);
        let fetched = redis.query_over(blocking, &command).await;
        if !matches!(&fetched, Err(error) if error.code() == Some("OOM")) {
            return fetched;
        }
        // Nothing else would make room.
        let places = [waiting.as_str(), &processing];
        let fetched: Option<Vec<u8>> = redis.run(&scripts.fetch, &places, None::<&str>).await?;
        if fetched.is_none() {
            sleep(Duration::from_secs(FETCH_SECONDS.into())).await;
        }
        Ok(fetched)
    }

    /// Has a job done, beside the others.
    fn begin(&self, stored: Vec<u8>, place: OwnedSemaphorePermit) {
        *self.under_way().entry(stored.clone()).or_default() += 1;
        self.counters.under_way.fetch_add(1, Relaxed);
        let work = self.clone();
        tokio::spawn(async move {
            work.work_on(&stored).await;
            let mut under_way = work.under_way();
            if let Some(count) = under_way.get_mut(&stored) {
                *count -= 1;
                if *count == 0 {
                    under_way.remove(&stored);
                }
            }
            drop(under_way);
            work.counters.under_way.fetch_sub(1, Relaxed);
            drop(place);
        });
    }

    /// Does a job, and puts it where it then belongs.
    async fn work_on(&self, stored: &[u8]) {
        let (target, counter) = match Package::read(stored) {
            None => (self.unreadable(stored), &self.counters.failed),
            Some(package) => match self.call(Job::new(package.clone())).await {
                Ok(()) => (self.nowhere(), &self.counters.succeeded),
                Err(failure) => {
                    let verdict = self.judged(package, failure);
                    let again = matches!(verdict, Verdict::Again { .. });
                    let counter =
                        if again { &self.counters.retried } else { &self.counters.failed };
                    (self.target(verdict), counter)
                }
            },
        };
        let counter = match self.settle(&self.id, stored, &target).await {
            true => counter,
            false => &self.counters.taken_over,
        };
        counter.fetch_add(1, Relaxed);
    }

    async fn call(&self, job: Job) -> Result<(), Failure> {
        let called = AssertUnwindSafe(async { (self.callback)(job).await }).catch_unwind();
        called.await.unwrap_or_else(|panic| Err(Failure::retry(said(&*panic))))
    }

    fn judged(&self, package: Package, failure: Failure) -> Verdict {
        package.judge(failure, &self.queue.0.options, |attempt| {
            if let Some(on_failure) = &self.on_failure {
                let mut changed = attempt.clone();
                let told = std::panic::catch_unwind(AssertUnwindSafe(|| on_failure(&mut changed)));
                if told.is_ok() {
                    *attempt = changed;
                }
            }
        })
    }

    /// Moves a job out of a consumer's list, however long it takes until the server does that: until then
    /// the job is under way, as it would be done again otherwise. Whether it was still there.
    async fn settle(&self, consumer: &str, stored: &[u8], target: &Target) -> bool {
        let Inner { redis, .. } = &*self.queue.0;
        let mut waits = redis.0.options.calls.retry.backoff.waits();
        let mut is_first = true;
        loop {
            match self.transfer(consumer, stored, target).await {
                // When it was not there at a later attempt, an earlier one has moved it.
                Ok(was_there) => return was_there || !is_first,
                Err(error) if error.kind() == ErrorKind::Closed => return false,
                Err(error) => {
                    is_first &= !error.outcome_unknown();
                    tracing::warn!(
                        target: "workyard_adapter", service = "redis", %error, "a job is done, and not settled"
                    );
                    sleep(waits.next_wait()).await;
                }
            }
        }
    }

    async fn transfer(&self, consumer: &str, stored: &[u8], to: &Target) -> Result<bool, Error> {
        let Inner { redis, keys, scripts, .. } = &*self.queue.0;
        let processing = keys.processing(consumer);
        let arguments = (stored, to.stored.as_slice(), to.place, to.seconds);
        redis.run_unbounded(&scripts.transfer, &[&processing, &to.key], arguments).await
    }

    fn target(&self, verdict: Verdict) -> Target {
        let keys = &self.queue.0.keys;
        match verdict {
            Verdict::Again { package, seconds } => Target {
                key: keys.delayed(),
                stored: package.text().into_bytes(),
                place: "delayed",
                seconds,
            },
            Verdict::Failed(package) => Target {
                key: keys.failed(),
                stored: package.text().into_bytes(),
                place: "last",
                seconds: 0,
            },
        }
    }

    /// The script names a second key all the same: one that is ours, and on the same node of a cluster.
    fn nowhere(&self) -> Target {
        let key = self.queue.0.keys.processing(&self.id);
        Target { key, stored: Vec::new(), place: "nowhere", seconds: 0 }
    }

    /// What is no job goes to the failed ones as it is.
    fn unreadable(&self, stored: &[u8]) -> Target {
        let key = self.queue.0.keys.failed();
        Target { key, stored: stored.to_vec(), place: "last", seconds: 0 }
    }

    /// Says every second that this consumer is there, and looks for what is due, what others have left
    /// behind, and what never arrived.
    async fn look_after(&self) -> Infallible {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut missing: HashMap<Vec<u8>, Instant> = HashMap::new();
        loop {
            ticks.tick().await;
            let asked = Instant::now();
            match self.tick().await {
                Ok((due, listed, gone)) => {
                    self.heard.send_replace(Some(asked));
                    self.counters.due.fetch_add(due, Relaxed);
                    if due == DUE_JOBS_MAX {
                        ticks.reset_immediately();
                    }
                    for consumer in gone {
                        self.take_over(&consumer).await;
                    }
                    if listed > self.under_way().values().map(|count| *count as u64).sum() {
                        self.look_for_missing(&mut missing).await;
                    } else {
                        missing.clear();
                    }
                }
                Err(error) if error.kind() == ErrorKind::Closed => std::future::pending().await,
                Err(error) => {
                    tracing::warn!(target: "workyard_adapter", service = "redis", %error, "no tick");
                }
            }
        }
    }

    /// How much was due, how much this consumer has been given, and which consumers are gone.
    async fn tick(&self) -> Result<(u64, u64, Vec<String>), Error> {
        let Inner { redis, keys, scripts, options } = &*self.queue.0;
        let places = [
            keys.delayed(),
            keys.failed(),
            keys.consumers(),
            keys.lease(&self.id),
            keys.processing(&self.id),
        ];
        let places = places.each_ref().map(String::as_str);
        let arguments = (
            keys.waiting(""),
            keys.lease(""),
            &*self.id,
            &*self.name,
            options.lease_seconds,
            DUE_JOBS_MAX,
        );
        redis.run(&scripts.tick, &places, arguments).await
    }

    /// Takes over the jobs of a consumer that is gone. That counts as an attempt: a job that kills its
    /// process is not done for ever.
    async fn take_over(&self, consumer: &str) {
        let Inner { redis, keys, scripts, .. } = &*self.queue.0;
        let left = self.listed(consumer).await.unwrap_or_default();
        for stored in left {
            let target = match Package::read(&stored) {
                None => self.unreadable(&stored),
                Some(package) => {
                    let failure = Failure::retry("its consumer ended, or was silent for too long");
                    self.target(package.judge(failure, &self.queue.0.options, |_| {}))
                }
            };
            if matches!(self.transfer(consumer, &stored, &target).await, Ok(true)) {
                self.counters.recovered.fetch_add(1, Relaxed);
            }
        }
        let (lease, processing) = (keys.lease(consumer), keys.processing(consumer));
        let places = [lease.as_str(), &processing, &keys.consumers()];
        // When that fails, the next tick finds it again.
        let _ = redis.run::<()>(&scripts.forget, &places, consumer).await;
    }

    /// Puts back jobs that the server has given to this consumer, and that did not arrive in all the time
    /// in which they could have.
    async fn look_for_missing(&self, missing: &mut HashMap<Vec<u8>, Instant>) {
        let Inner { redis, keys, .. } = &*self.queue.0;
        let Ok(listed) = self.listed(&self.id).await else { return };
        let mut spare = self.under_way().clone();
        let mut absent = HashMap::new();
        for stored in listed {
            match spare.get_mut(&stored) {
                Some(count) if *count > 0 => *count -= 1,
                _ => {
                    let since = missing.get(&stored).copied().unwrap_or_else(Instant::now);
                    absent.insert(stored, since);
                }
            }
        }
        let fetch = Duration::from_secs(FETCH_SECONDS.into());
        let patience = redis.0.options.calls.request_timeout * 2 + fetch + TICK;
        for (stored, _) in absent.iter().filter(|(_, since)| since.elapsed() > patience) {
            let key = keys.waiting(&self.name);
            let target = Target { key, stored: stored.clone(), place: "first", seconds: 0 };
            if matches!(self.transfer(&self.id, stored, &target).await, Ok(true)) {
                self.counters.returned.fetch_add(1, Relaxed);
            }
        }
        *missing = absent;
    }

    async fn listed(&self, consumer: &str) -> Result<Vec<Vec<u8>>, Error> {
        let Inner { redis, keys, .. } = &*self.queue.0;
        redis.query(&redis::Cmd::lrange(keys.processing(consumer), 0, -1)).await
    }

    /// Puts back what was not begun, and is no consumer any more.
    async fn leave(&self) {
        let Inner { redis, keys, scripts, .. } = &*self.queue.0;
        let places = [
            keys.processing(&self.id),
            keys.waiting(&self.name),
            keys.lease(&self.id),
            keys.consumers(),
        ];
        let places = places.each_ref().map(String::as_str);
        match redis.run::<u64>(&scripts.leave, &places, &*self.id).await {
            Ok(returned) => {
                self.counters.returned.fetch_add(returned, Relaxed);
            }
            // Others take over what is left when the lease has ended.
            Err(error) => {
                tracing::warn!(target: "workyard_adapter", service = "redis", %error, "not left");
            }
        }
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<Vec<u8>, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a job goes, and as what.
struct Target {
    key: String,
    stored: Vec<u8>,
    place: &'static str,
    seconds: u64,
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the callback panicked: {}", text.unwrap_or_else(|| "it does not say why".to_owned()))
}
