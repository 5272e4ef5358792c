//! Timers of a worker process.

use crate::activity::Callback;
use crate::outcome::{Outcome, Running};
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{MissedTickBehavior, interval_at, sleep};

/// The shortest time between two runs.
const PERIOD_MIN: Duration = Duration::from_millis(1);

thread_local! {
    static TIMERS: RefCell<Timers> = RefCell::default();
}

#[derive(Default)]
struct Timers {
    last: u64,
    by_id: HashMap<u64, AbortHandle>,
}

/// A timer of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timer(u64);

impl Timer {
    /// Runs a function every `period`, at least a millisecond, first after one `period`. Time is that of the
    /// system's monotonic clock. A run that takes longer than `period` delays the next one, and nothing is made
    /// up for. One that fails or panics is logged, and does not end the timer.
    ///
    /// # Panics
    /// Outside of a worker process.
    pub fn every<F, O>(period: Duration, run: F) -> Self
    where
        F: AsyncFn() -> O + 'static,
        O: Outcome + 'static,
    {
        let period = period.max(PERIOD_MIN);
        let run = std::rc::Rc::new(run);
        Self::spawn(async move |_| {
            let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let run = std::rc::Rc::clone(&run);
                finish(Running::new(async move { run().await })).await;
            }
        })
    }

    /// Runs a function once, after `delay`.
    ///
    /// # Panics
    /// Outside of a worker process.
    pub fn once<F, O>(delay: Duration, run: F) -> Self
    where
        F: AsyncFnOnce() -> O + 'static,
        O: Outcome + 'static,
    {
        Self::spawn(async move |timer: Self| {
            sleep(delay).await;
            timer.forget();
            finish(Running::new(async move { run().await })).await;
        })
    }

    /// Ends a timer, also from within its own run, which then goes on to its next `await`. Returns whether it
    /// was running.
    #[expect(clippy::must_use_candidate, reason = "most callers do not care")]
    pub fn cancel(self) -> bool {
        let handle = self.forget();
        if let Some(handle) = &handle {
            handle.abort();
        }
        handle.is_some()
    }

    fn spawn<F: Future<Output = ()> + 'static>(task: impl FnOnce(Self) -> F) -> Self {
        TIMERS.with_borrow_mut(|timers| {
            timers.last += 1;
            let timer = Self(timers.last);
            let handle = spawn_local(task(timer)).abort_handle();
            timers.by_id.insert(timer.0, handle);
            timer
        })
    }

    fn forget(self) -> Option<AbortHandle> {
        TIMERS.with_borrow_mut(|timers| timers.by_id.remove(&self.0))
    }
}

async fn finish(running: Running) {
    if let Err(failure) = running.of(Callback::Timer, 0).await {
        tracing::error!("timer failed: {failure}");
    }
}

/// How many timers this process has.
pub(crate) fn count() -> u64 {
    TIMERS.with_borrow(|timers| timers.by_id.len() as u64)
}

/// Ends all timers of this thread.
pub(crate) fn end_all() {
    let timers = TIMERS.with_borrow_mut(|timers| std::mem::take(&mut timers.by_id));
    timers.into_values().for_each(|timer| timer.abort());
}
