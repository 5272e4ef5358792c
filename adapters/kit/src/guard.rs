//! How a call is made: in its turn, in time, again where that is safe, and counted.

mod kept;

pub use kept::Kept;

use crate::breaker::{Admission, Breaker};
use crate::budget::{Allowance, RetryBudget};
use crate::call::Call;
use crate::error::{Error, ErrorKind};
use crate::observer::{CallReport, ConnectionEvent, Observer};
use crate::options::CallOptions;
use crate::places::{Place, Places};
use crate::stats::{Counters, Stats};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{Instrument, Span};

/// Stands between callers and a driver. Cheap to clone; clones are the same guard.
#[derive(Clone)]
pub struct Guard(Arc<Shared>);

struct Shared {
    service: &'static str,
    target: Arc<str>,
    options: CallOptions,
    observer: Option<Arc<dyn Observer>>,
    places: Places,
    breaker: Mutex<Breaker>,
    /// Whether the breaker has to be asked: the last attempt that ended has failed. Changed with its lock held.
    in_doubt: AtomicBool,
    allowance: Option<Allowance>,
    counters: Counters,
}

impl Guard {
    /// A guard for a service, `target` being where it is (without credentials).
    ///
    /// # Errors
    /// When the options cannot work.
    pub fn new(
        service: &'static str,
        target: Arc<str>,
        options: CallOptions,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, Error> {
        Self::with_budget(service, target, options, observer, None)
    }

    /// The same, with a bound on the attempts that are made again.
    ///
    /// # Errors
    /// When the options cannot work.
    pub fn with_budget(
        service: &'static str,
        target: Arc<str>,
        options: CallOptions,
        observer: Option<Arc<dyn Observer>>,
        budget: Option<RetryBudget>,
    ) -> Result<Self, Error> {
        options.check().map_err(|error| error.at(service, &target))?;
        Ok(Self(Arc::new(Shared {
            places: Places::new(options.calls_max, options.waiting_max),
            breaker: Mutex::new(Breaker::new(options.breaker)),
            in_doubt: AtomicBool::new(false),
            allowance: budget.map(Allowance::new),
            counters: Counters::default(),
            service,
            target,
            options,
            observer,
        })))
    }

    /// Makes a call: `attempt` is the request to the driver, and is asked for again where
    /// [`Repeat`](crate::Repeat) allows it. The place among the calls under way is kept until the end.
    ///
    /// Dropping the future gives the call up; what `attempt` holds is dropped with it.
    ///
    /// # Errors
    /// That of the last attempt; [`ErrorKind::Busy`], [`ErrorKind::CircuitOpen`] and
    /// [`ErrorKind::Closed`] when there was none.
    pub async fn call<T, F, A>(&self, call: Call, attempt: F) -> Result<T, Error>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, Error>>,
    {
        self.made(call, attempt).await.map(|(answer, _place)| answer)
    }

    /// As [`Guard::call`], for an answer that goes on when the call has ended, such as a stream: the place
    /// stays taken until [`Kept`] is dropped.
    ///
    /// # Errors
    /// Those of [`Guard::call`].
    pub async fn begin<T, F, A>(&self, call: Call, attempt: F) -> Result<(T, Kept), Error>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, Error>>,
    {
        let (answer, place) = self.made(call, attempt).await?;
        place.keep();
        Ok((answer, Kept::new(self.clone())))
    }

    async fn made<T, F, A>(&self, call: Call, attempt: F) -> Result<(T, Place<'_>), Error>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, Error>>,
    {
        let shared = &*self.0;
        let mut record = Record::new(shared, call.operation);
        let made = shared.make(call, &mut record, attempt).instrument(shared.span(call)).await;
        let result = made.map_err(|error| self.placed(error.during(call.operation)));
        record.end(result.as_ref().map(drop));
        result
    }

    /// What the calls are made by.
    #[must_use]
    pub fn options(&self) -> &CallOptions {
        &self.0.options
    }

    /// Where the service is.
    #[must_use]
    pub fn target(&self) -> &Arc<str> {
        &self.0.target
    }

    /// An error of this service.
    #[must_use]
    pub fn error(&self, kind: ErrorKind, message: impl std::fmt::Display) -> Error {
        self.placed(Error::new(kind, message))
    }

    /// The error, as one of this service.
    #[must_use]
    pub fn placed(&self, error: Error) -> Error {
        error.at(self.0.service, &self.0.target)
    }

    /// A connection was made.
    pub fn connected(&self) {
        let Shared { service, target, observer, counters, .. } = &*self.0;
        counters.connected.fetch_add(1, Relaxed);
        tracing::debug!(target: "workyard_adapter", service, target = &**target, "connected");
        if let Some(observer) = observer {
            observer.connection(&ConnectionEvent::Connected { service, target });
        }
    }

    /// A connection was lost, or could not be made.
    pub fn lost(&self, error: &Error) {
        let Shared { service, target, observer, counters, .. } = &*self.0;
        counters.lost.fetch_add(1, Relaxed);
        let place = &**target;
        tracing::warn!(target: "workyard_adapter", service, target = place, %error, "not connected");
        if let Some(observer) = observer {
            observer.connection(&ConnectionEvent::Lost { service, target, error });
        }
    }

    /// What was done so far, and is being done.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Shared { places, counters, .. } = &*self.0;
        Stats {
            calls: places.taken(),
            waiting: places.waiting(),
            circuit_open: self.0.breaker().is_open(),
            ..counters.snapshot()
        }
    }

    /// Lets no call in any more, sends away those that wait, and waits for those under way, `grace` at
    /// most. Whether all of them ended.
    pub async fn close(&self, grace: Duration) -> bool {
        self.0.places.close();
        timeout(grace, self.0.places.empty()).await.is_ok()
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.places.is_closed()
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("service", &self.0.service)
            .field("target", &self.0.target)
            .finish_non_exhaustive()
    }
}

impl Shared {
    async fn make<T, F, A>(
        &self,
        call: Call,
        record: &mut Record<'_>,
        mut attempt: F,
    ) -> Result<(T, Place<'_>), Error>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, Error>>,
    {
        let CallOptions { request_timeout, call_timeout, retry, .. } = &self.options;
        let usual = *request_timeout;
        let request_timeout = call.request_timeout.unwrap_or(usual);
        let call_timeout = call_timeout.saturating_add(request_timeout.saturating_sub(usual));
        let deadline = far(record.started, call_timeout);
        let mut begun = record.started;
        let place = match self.places.try_take() {
            Some(place) => place,
            None => {
                let place = self.places.wait(deadline).await?;
                begun = Instant::now();
                place
            }
        };
        if let Some(allowance) = &self.allowance {
            allowance.earn();
        }
        let mut waits = None;
        loop {
            record.attempts += 1;
            let until = deadline.min(far(begun, request_timeout));
            let error = match self.attempt(begun, until, &mut attempt).await {
                Ok(answer) => return Ok((answer, place)),
                Err(error) => error,
            };
            if record.attempts >= retry.attempts_max || !call.repeat.allows(&error) {
                return Err(error);
            }
            let wait = waits.get_or_insert_with(|| retry.backoff.waits()).next_wait();
            let wait = error.retry_after().map_or(wait, |asked| asked.max(wait));
            if far(Instant::now(), wait) >= deadline || self.places.is_closed() {
                return Err(error);
            }
            if self.allowance.as_ref().is_some_and(|allowance| !allowance.spend()) {
                return Err(error);
            }
            tracing::debug!(target: "workyard_adapter", %error, ?wait, "trying again");
            sleep(wait).await;
            begun = Instant::now();
        }
    }

    async fn attempt<T, F, A>(
        &self,
        begun: Instant,
        until: Instant,
        attempt: &mut F,
    ) -> Result<T, Error>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, Error>>,
    {
        let trial = self.admit(begun)?;
        let result = answered(begun, until, attempt()).await;
        trial.settle(result.as_ref().err());
        result
    }

    fn span(&self, call: Call) -> Span {
        tracing::debug_span!(
            target: "workyard_adapter",
            "call",
            service = self.service,
            target = &*self.target,
            operation = call.operation
        )
    }

    fn admit(&self, now: Instant) -> Result<Trial<'_>, Error> {
        if !self.in_doubt.load(Acquire) {
            return Ok(Trial { shared: self, admission: Admission::Go, settled: false });
        }
        let admission = self.breaker().admit(now.into_std());
        if let Admission::Stop(wait) = admission {
            let message = format!(
                "the service did not answer {} times in a row, and is left alone for another {wait:?}",
                self.options.breaker.failures_max
            );
            return Err(Error::new(ErrorKind::CircuitOpen, message));
        }
        Ok(Trial { shared: self, admission, settled: false })
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer, if it comes in time.
async fn answered<T>(
    begun: Instant,
    until: Instant,
    attempt: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout_at(until, attempt).await.unwrap_or_else(|_| {
        let after = humantime::format_duration(rounded(until - begun));
        Err(Error::new(ErrorKind::TimedOut, format!("no answer within {after}")))
    })
}

/// An attempt that the breaker knows of.
struct Trial<'a> {
    shared: &'a Shared,
    admission: Admission,
    settled: bool,
}

impl Trial<'_> {
    fn settle(mut self, error: Option<&Error>) {
        let Shared { in_doubt, .. } = self.shared;
        match error.map(Error::kind) {
            Some(kind) if kind.is_outage() => {
                let mut breaker = self.shared.breaker();
                breaker.failed(self.admission, now());
                in_doubt.store(true, Release);
            }
            None | Some(ErrorKind::Server | ErrorKind::Refused) => {
                if in_doubt.load(Acquire) {
                    let mut breaker = self.shared.breaker();
                    breaker.succeeded();
                    in_doubt.store(false, Release);
                }
            }
            // Nothing is known of the service: as if it had been given up.
            Some(_) => return,
        }
        self.settled = true;
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if !self.settled && self.admission == Admission::Trial {
            self.shared.breaker().abandoned(self.admission, now());
        }
    }
}

/// What is known of a call so far. Dropped before its end, it was cancelled.
struct Record<'a> {
    shared: &'a Shared,
    operation: &'static str,
    started: Instant,
    attempts: u32,
    ended: bool,
}

impl<'a> Record<'a> {
    fn new(shared: &'a Shared, operation: &'static str) -> Self {
        Self { shared, operation, started: Instant::now(), attempts: 0, ended: false }
    }

    fn end(mut self, result: Result<(), &Error>) {
        self.ended = true;
        let taken = self.started.elapsed();
        let Shared { service, target, observer, counters, .. } = self.shared;
        counters.ended(result, taken);
        if let Err(error) = result {
            tracing::debug!(target: "workyard_adapter", %error, attempts = self.attempts, "failed");
        }
        if let Some(observer) = observer {
            let (operation, attempts) = (self.operation, self.attempts);
            observer.call_ended(&CallReport {
                service,
                target,
                operation,
                attempts,
                taken,
                result,
            });
        }
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let counters = &self.shared.counters;
        counters.repeated.fetch_add(self.attempts.saturating_sub(1).into(), Relaxed);
        if !self.ended {
            counters.cancelled.fetch_add(1, Relaxed);
        }
    }
}

/// The breaker's clock is the timers': it stands still where tests stop it.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// That much later, or as late as can be said.
fn far(now: Instant, wait: Duration) -> Instant {
    const FOREVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);
    now + wait.min(FOREVER)
}

/// In whole milliseconds, as people read it.
fn rounded(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
