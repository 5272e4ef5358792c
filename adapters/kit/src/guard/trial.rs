//! An attempt that the breaker knows of.

use super::Shared;
use crate::breaker::{Admission, Breaker};
use crate::call::Call;
use crate::error::{Error, ErrorKind};
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// An attempt that was let through. Dropped before it is settled, it was given up.
pub(super) struct Trial<'a> {
    shared: &'a Shared,
    admission: Admission,
    /// How long it has to be without an answer to say something of the service.
    telling: Option<(Instant, Duration)>,
    settled: bool,
}

impl Shared {
    pub(super) fn admit(&self, now: Instant) -> Result<Trial<'_>, Error> {
        if !self.in_doubt.load(Acquire) {
            return Ok(Trial::new(self, Admission::Go));
        }
        let admission = self.breaker().admit(now.into_std());
        if let Admission::Stop(wait) = admission {
            let message = format!(
                "the service did not answer {} times in a row, and is left alone for another {wait:?}",
                self.options.breaker.failures_max
            );
            return Err(Error::new(ErrorKind::CircuitOpen, message).with_retry_after(Some(wait)));
        }
        Ok(Trial::new(self, admission))
    }

    pub(super) fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Trial<'a> {
    fn new(shared: &'a Shared, admission: Admission) -> Self {
        Self { shared, admission, telling: None, settled: false }
    }

    /// The request begins. Without an answer for half of its time it tells that the service is down, but
    /// not where it has less time than is usual.
    pub(super) fn begins(&mut self, call: Call, begun: Instant, until: Instant) {
        let options = &self.shared.options;
        let usual = options.request_timeout.min(options.call_timeout) / 2;
        let own = call.request_timeout.unwrap_or(options.request_timeout) / 2;
        self.telling = (until - begun >= usual).then_some((begun, own.max(usual)));
    }

    pub(super) fn settle(mut self, error: Option<&Error>) {
        self.settled = match error.map(Error::kind) {
            Some(ErrorKind::TimedOut) => self.tells() && self.failed(),
            Some(kind) if kind.is_outage() => self.failed(),
            None | Some(ErrorKind::Server | ErrorKind::Refused | ErrorKind::TooLarge) => {
                self.answered()
            }
            // Nothing is known of the service: as if it had been given up.
            Some(_) => false,
        };
    }

    fn failed(&self) -> bool {
        let mut breaker = self.shared.breaker();
        breaker.failed(self.admission, now());
        self.shared.in_doubt.store(true, Release);
        true
    }

    fn answered(&self) -> bool {
        if self.shared.in_doubt.load(Acquire) {
            let mut breaker = self.shared.breaker();
            breaker.succeeded();
            self.shared.in_doubt.store(false, Release);
        }
        true
    }

    fn tells(&self) -> bool {
        self.telling.is_some_and(|(begun, enough)| begun.elapsed() >= enough)
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        // Callers who wrap calls in timeouts of their own are often the first to see an outage.
        if self.tells() {
            self.failed();
        } else if self.admission == Admission::Trial {
            self.shared.breaker().abandoned(self.admission, now());
        }
    }
}

/// The breaker's clock is the timers': it stands still where tests stop it.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}
