//! How a call is made: in its turn, in time, again where that is safe, and counted.

mod attempt;
mod kept;
mod record;
mod trial;

pub use kept::Kept;

use crate::breaker::Breaker;
use crate::budget::{Allowance, RetryBudget};
use crate::call::Call;
use crate::error::{Error, ErrorKind};
use crate::observer::{ConnectionEvent, Observer};
use crate::options::CallOptions;
use crate::places::{Place, Places};
use crate::stats::{Counters, Stats};
use record::Record;
use std::future::ready;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

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
    pub async fn call<T, F, A>(&self, call: Call, mut attempt: F) -> Result<T, Error>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, Error>>,
    {
        self.made(call, || ready(Ok(())), |()| attempt()).await.map(|(answer, _place)| answer)
    }

    /// As [`Guard::call`], where a connection is needed first: `connect` has the time of
    /// `connect_timeout`, and while it has not succeeded the request was certainly not carried out.
    ///
    /// # Errors
    /// Those of [`Guard::call`].
    pub async fn call_over<C, K, O, T, F, A>(
        &self,
        call: Call,
        connect: K,
        attempt: F,
    ) -> Result<T, Error>
    where
        K: FnMut() -> O,
        O: Future<Output = Result<C, Error>>,
        F: FnMut(C) -> A,
        A: Future<Output = Result<T, Error>>,
    {
        self.made(call, connect, attempt).await.map(|(answer, _place)| answer)
    }

    /// As [`Guard::call`], for an answer that goes on when the call has ended, such as a stream: the place
    /// stays taken until [`Kept`] is dropped.
    ///
    /// # Errors
    /// Those of [`Guard::call`].
    pub async fn begin<T, F, A>(&self, call: Call, mut attempt: F) -> Result<(T, Kept), Error>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, Error>>,
    {
        let made = self.made(call, || ready(Ok(())), |()| attempt()).await;
        made.map(|made| self.keep(made))
    }

    /// As [`Guard::begin`], where a connection is needed first.
    ///
    /// # Errors
    /// Those of [`Guard::call`].
    pub async fn begin_over<C, K, O, T, F, A>(
        &self,
        call: Call,
        connect: K,
        attempt: F,
    ) -> Result<(T, Kept), Error>
    where
        K: FnMut() -> O,
        O: Future<Output = Result<C, Error>>,
        F: FnMut(C) -> A,
        A: Future<Output = Result<T, Error>>,
    {
        self.made(call, connect, attempt).await.map(|made| self.keep(made))
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

    /// A connection was lost, or could not be made. Of those that were not made in the time of
    /// [`Guard::call_over`] it is known already.
    pub fn lost(&self, error: &Error) {
        self.0.lost(error);
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

    async fn made<C, K, O, T, F, A>(
        &self,
        call: Call,
        connect: K,
        attempt: F,
    ) -> Result<(T, Place<'_>), Error>
    where
        K: FnMut() -> O,
        O: Future<Output = Result<C, Error>>,
        F: FnMut(C) -> A,
        A: Future<Output = Result<T, Error>>,
    {
        let shared = &*self.0;
        let mut record = Record::new(shared, call.operation);
        let made = {
            let make = pin!(shared.make(call, &mut record, connect, attempt));
            make.instrument(shared.span(call)).await
        };
        let result = made.map_err(|error| self.placed(error.during(call.operation)));
        record.end(result.as_ref().map(drop));
        result
    }

    fn keep<T>(&self, (answer, place): (T, Place<'_>)) -> (T, Kept) {
        place.keep();
        (answer, Kept::new(self.clone()))
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

/// That much later, or as late as can be said.
fn far(now: Instant, wait: Duration) -> Instant {
    const FOREVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);
    now + wait.min(FOREVER)
}

#[cfg(test)]
mod tests;
