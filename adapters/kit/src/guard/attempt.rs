//! The attempts of a call: each in its time, the next where that is safe.

use super::record::Record;
use super::trial::Trial;
use super::{Shared, far};
use crate::backoff::Waits;
use crate::call::Call;
use crate::error::{Error, ErrorKind};
use crate::options::CallOptions;
use crate::places::Place;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Span;

/// A place that is had this late is of no use: this part of the time for an attempt is not left.
const LATE_PART: u32 = 10;

/// The bounds of a call.
#[derive(Clone, Copy)]
struct Bounds {
    /// Of one attempt.
    request: Duration,
    /// Of the call.
    call: Duration,
    deadline: Instant,
}

/// What a call has come to.
enum Next {
    Again(Duration),
    Stop,
}

impl Shared {
    pub(super) async fn make<C, K, O, T, F, A>(
        &self,
        call: Call,
        record: &mut Record<'_>,
        mut connect: K,
        mut attempt: F,
    ) -> Result<(T, Place<'_>), Error>
    where
        K: FnMut() -> O,
        O: Future<Output = Result<C, Error>>,
        F: FnMut(C) -> A,
        A: Future<Output = Result<T, Error>>,
    {
        let bounds = self.bounds(call, record.started);
        let (place, mut begun) = self.place(record.started, bounds).await?;
        if let Some(allowance) = &self.allowance {
            allowance.earn();
        }
        let mut waits = None;
        let mut failed: Option<Error> = None;
        loop {
            let mut trial = match self.admit(begun) {
                Ok(trial) => trial,
                // Why it came to this says more than that it is not tried again.
                Err(refused) => return Err(failed.unwrap_or(refused)),
            };
            record.attempts += 1;
            let result =
                self.attempt(call, &mut trial, begun, bounds, &mut connect, &mut attempt).await;
            trial.settle(result.as_ref().err());
            let error = match result {
                Ok(answer) => return Ok((answer, place)),
                Err(error) => after(failed.as_ref(), error),
            };
            let Next::Again(wait) = self.next(call, record.attempts, &error, bounds, &mut waits)
            else {
                return Err(error);
            };
            tracing::debug!(target: "workyard_adapter", %error, ?wait, "trying again");
            if Box::pin(self.pause(wait)).await.is_break() {
                return Err(error);
            }
            failed = Some(error);
            begun = Instant::now();
        }
    }

    /// A place, and when it was had.
    async fn place(&self, started: Instant, bounds: Bounds) -> Result<(Place<'_>, Instant), Error> {
        match self.places.try_take() {
            Some(place) => Ok((place, started)),
            None => Box::pin(self.late_place(bounds)).await,
        }
    }

    async fn late_place(&self, bounds: Bounds) -> Result<(Place<'_>, Instant), Error> {
        let place = self.places.wait(bounds.deadline).await?;
        let now = Instant::now();
        let least = bounds.request.min(bounds.call) / LATE_PART;
        // What is sent without the time to be answered is only more load.
        if bounds.deadline.saturating_duration_since(now) < least {
            return Err(self.places.late());
        }
        Ok((place, now))
    }

    /// Waits before the next attempt; not to the end where the guard is closed meanwhile.
    async fn pause(&self, wait: Duration) -> ControlFlow<()> {
        tokio::select! {
            () = sleep(wait) => ControlFlow::Continue(()),
            () = self.places.closing() => ControlFlow::Break(()),
        }
    }

    async fn attempt<C, K, O, T, F, A>(
        &self,
        call: Call,
        trial: &mut Trial<'_>,
        begun: Instant,
        bounds: Bounds,
        connect: &mut K,
        attempt: &mut F,
    ) -> Result<T, Error>
    where
        K: FnMut() -> O,
        O: Future<Output = Result<C, Error>>,
        F: FnMut(C) -> A,
        A: Future<Output = Result<T, Error>>,
    {
        let (connection, begun) = self.connected(begun, bounds, pin!(connect())).await?;
        let until = bounds.deadline.min(far(begun, bounds.request));
        trial.begins(call, begun, until);
        answered(begun, until, pin!(attempt(connection))).await
    }

    /// A connection, and when it was had.
    async fn connected<C>(
        &self,
        begun: Instant,
        bounds: Bounds,
        mut connecting: Pin<&mut impl Future<Output = Result<C, Error>>>,
    ) -> Result<(C, Instant), Error> {
        let at_once = poll_fn(|cx| Poll::Ready(connecting.as_mut().poll(cx)));
        // What is there already takes neither a timer nor a look at the clock.
        if let Poll::Ready(connected) = at_once.await {
            return Ok((connected.map_err(Error::not_carried_out)?, begun));
        }
        let until = bounds.deadline.min(far(begun, self.options.connect_timeout));
        let connected = Box::pin(timeout_at(until, connecting)).await.unwrap_or_else(|_| {
            let message = format!("no connection within {}", spelled(until - begun));
            let error = Error::new(ErrorKind::Unreachable, message).at(self.service, &self.target);
            self.lost(&error);
            Err(error)
        });
        Ok((connected.map_err(Error::not_carried_out)?, Instant::now()))
    }

    fn bounds(&self, call: Call, started: Instant) -> Bounds {
        let CallOptions { request_timeout, call_timeout, .. } = &self.options;
        let request = call.request_timeout.unwrap_or(*request_timeout);
        let moved = call_timeout.saturating_add(request).saturating_sub(*request_timeout);
        let call = moved.max(request.min(*call_timeout));
        Bounds { request, call, deadline: far(started, call) }
    }

    fn next(
        &self,
        call: Call,
        attempts: u32,
        error: &Error,
        bounds: Bounds,
        waits: &mut Option<Box<Waits>>,
    ) -> Next {
        let retry = &self.options.retry;
        if attempts >= retry.attempts_max || !call.repeat.allows(error) {
            return Next::Stop;
        }
        let wait = waits.get_or_insert_with(|| Box::new(retry.backoff.waits())).next_wait();
        let wait = error.retry_after().map_or(wait, |asked| asked.max(wait));
        let in_time = far(Instant::now(), wait) < bounds.deadline;
        let allowed = || self.allowance.as_ref().is_none_or(|allowance| allowance.spend());
        if in_time && !self.places.is_closed() && allowed() {
            Next::Again(wait)
        } else {
            Next::Stop
        }
    }

    pub(super) fn span(&self, call: Call) -> Span {
        tracing::debug_span!(
            target: "workyard_adapter",
            "call",
            service = self.service,
            target = &*self.target,
            operation = call.operation
        )
    }
}

/// The answer, if it comes in time. What is awaited stays where it is: a future that is handed over is there
/// twice, and large ones are slow to move.
pub(super) async fn answered<T>(
    begun: Instant,
    until: Instant,
    attempt: Pin<&mut impl Future<Output = Result<T, Error>>>,
) -> Result<T, Error> {
    timeout_at(until, attempt).await.unwrap_or_else(|_| {
        let message = format!("no answer within {}", spelled(until - begun));
        Err(Error::new(ErrorKind::TimedOut, message))
    })
}

/// What an earlier attempt may have done is not undone by one that certainly did nothing.
fn after(earlier: Option<&Error>, error: Error) -> Error {
    if earlier.is_some_and(Error::outcome_unknown) { error.outcome_open() } else { error }
}

/// As people read it, in whole milliseconds where there are any.
fn spelled(duration: Duration) -> String {
    let millis = Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    humantime::format_duration(if millis.is_zero() { duration } else { millis }).to_string()
}
