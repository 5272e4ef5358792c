//! Notices when the main thread does not turn its loop any more, and in which callback that is.

use crate::activity::{self, Callback};
use crate::messages::Busy;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often the main thread shows that it turns.
const TURN: Duration = Duration::from_millis(500);
/// A thread that has not turned for so long is busy.
const BUSY: Duration = Duration::from_secs(1);

/// When the main thread turned last.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    began: Instant,
    milliseconds: Arc<AtomicU64>,
}

impl Turn {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), milliseconds: Arc::new(AtomicU64::new(0)) }
    }

    /// Turns, as long as the thread's runtime does.
    pub(super) async fn keep_turning(self) {
        loop {
            let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.milliseconds.store(now, Ordering::Relaxed);
            tokio::time::sleep(TURN).await;
        }
    }

    fn ago(&self) -> Duration {
        let last = Duration::from_millis(self.milliseconds.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(last)
    }
}

#[derive(Debug)]
pub(super) struct Watchdog {
    turn: Turn,
    warned: bool,
}

impl Watchdog {
    pub(super) fn new(turn: Turn) -> Self {
        Self { turn, warned: false }
    }

    /// What the main thread does not come back from, if so.
    pub(super) fn look(&mut self) -> Option<Busy> {
        let ago = self.turn.ago();
        if ago < BUSY + TURN {
            self.warned = false;
            return None;
        }
        let busy = describe(activity::present(), ago);
        if !std::mem::replace(&mut self.warned, true) {
            tracing::warn!("busy: {}", busy.text());
        }
        Some(busy)
    }
}

fn describe(present: Option<(Callback, u64)>, ago: Duration) -> Busy {
    Busy {
        callback: present.map(|(callback, _)| callback.name().to_owned()),
        connection: present.map_or(0, |(_, connection)| connection),
        milliseconds: u64::try_from(ago.as_millis()).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_busy_is_said_in_words() {
        let twelve = Duration::from_millis(12_300);
        for (present, expected) in [
            (None, "for 12 s"),
            (Some((Callback::Message, 7)), "on_message of connection 7 for 12 s"),
            (Some((Callback::WorkerStart, 0)), "on_worker_start for 12 s"),
        ] {
            assert_eq!(describe(present, twelve).text(), expected);
        }
    }
}
