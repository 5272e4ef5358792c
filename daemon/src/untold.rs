//! Refusals that a dialect has no words for: counted, and logged at most once a second.

use workyard_engine::{SessionId, Time};
use workyard_protocol::Refusal;

/// How long the log is left alone, in milliseconds.
const QUIET_MS: u64 = 1000;

/// What peers were refused without being told.
#[derive(Debug, Default)]
pub struct Untold {
    since_logged: u64,
    total: u64,
    logged: Option<Time>,
}

impl Untold {
    /// Counts a refusal, and logs it with the number of those before that were not.
    pub fn count(&mut self, now: Time, session: SessionId, refusal: &Refusal) {
        self.total += 1;
        self.since_logged += 1;
        if self.logged.is_some_and(|logged| now.millis_since(logged) < QUIET_MS) {
            return;
        }
        self.logged = Some(now);
        let (count, reason, text) =
            (std::mem::take(&mut self.since_logged), refusal.reason, &refusal.text);
        tracing::warn!(%session, %reason, %text, count, "refused, and the peer cannot be told");
    }

    /// How many there have been.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }
}
