//! What is known of a call so far, for counts and observers.

use super::Shared;
use crate::error::Error;
use crate::observer::{CallReport, Cancelled, ConnectionEvent};
use std::sync::atomic::Ordering::Relaxed;
use tokio::time::Instant;

/// What is known of a call so far. Dropped before its end, it was given up by its caller.
pub(super) struct Record<'a> {
    shared: &'a Shared,
    operation: &'static str,
    pub(super) started: Instant,
    pub(super) attempts: u32,
    ended: bool,
}

impl Shared {
    pub(super) fn lost(&self, error: &Error) {
        let Self { service, target, observer, counters, .. } = self;
        counters.lost.fetch_add(1, Relaxed);
        let place = &**target;
        tracing::warn!(target: "workyard_adapter", service, target = place, %error, "not connected");
        if let Some(observer) = observer {
            observer.connection(&ConnectionEvent::Lost { service, target, error });
        }
    }
}

impl<'a> Record<'a> {
    pub(super) fn new(shared: &'a Shared, operation: &'static str) -> Self {
        Self { shared, operation, started: Instant::now(), attempts: 0, ended: false }
    }

    pub(super) fn end(mut self, result: Result<(), &Error>) {
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
        let Shared { service, target, observer, counters, .. } = self.shared;
        if self.attempts > 1 {
            counters.repeated.fetch_add((self.attempts - 1).into(), Relaxed);
        }
        if self.ended {
            return;
        }
        counters.cancelled.fetch_add(1, Relaxed);
        if let Some(observer) = observer {
            let (operation, attempts) = (self.operation, self.attempts);
            let taken = self.started.elapsed();
            observer.call_cancelled(&Cancelled { service, target, operation, attempts, taken });
        }
    }
}
