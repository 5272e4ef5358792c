//! A place that stays taken: for answers that go on, and for calls that belong together.

use super::attempt::answered;
use super::record::Record;
use super::{Guard, far};
use crate::call::Call;
use crate::error::Error;
use std::pin::pin;
use tracing::Instrument;

/// The place of a call whose answer goes on: taken until this is dropped.
pub struct Kept(Guard);

impl Kept {
    pub(super) fn new(guard: Guard) -> Self {
        Self(guard)
    }

    /// Makes a call in this place, such as one of a transaction: once, whatever its rule, with its
    /// timeout, counted, and whether the service counts as down or not.
    ///
    /// # Errors
    /// That of the attempt.
    pub async fn call<T>(
        &self,
        call: Call,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let shared = &*self.0.0;
        let mut record = Record::new(shared, call.operation);
        record.attempts = 1;
        let wait = call.request_timeout.unwrap_or(shared.options.request_timeout);
        let (begun, until) = (record.started, far(record.started, wait));
        let attempt = pin!(attempt);
        let made = answered(begun, until, attempt).instrument(shared.span(call)).await;
        let result = made.map_err(|error| self.0.placed(error.during(call.operation)));
        record.end(result.as_ref().map(drop));
        result
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.0.places.give_back();
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Kept").field(&self.0).finish()
    }
}
