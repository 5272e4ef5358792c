//! The first thing that went wrong in a run.

use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// Where observers report what must not happen.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    first: Mutex<Option<String>>,
    found: Notify,
}

impl Findings {
    /// Something is wrong. What follows from it is of no interest: only the first report counts.
    pub(crate) fn report(&self, what: impl Into<String>) {
        self.lock().get_or_insert_with(|| what.into());
        self.found.notify_one();
    }

    /// Reports unless `holds`.
    pub(crate) fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.report(what());
        }
    }

    pub(crate) fn first(&self) -> Option<String> {
        self.lock().clone()
    }

    /// Returns with the first report.
    pub(crate) async fn found(&self) -> String {
        loop {
            if let Some(first) = self.first() {
                return first;
            }
            self.found.notified().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says what is wrong unless `holds`.
pub(crate) fn expect(holds: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text()) }
}
