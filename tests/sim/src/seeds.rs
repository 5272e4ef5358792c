//! Many seeds, several at a time; of one that fails, the shortest beginning that fails too.

use crate::run::{Plan, Run};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A seed that fails.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed, and as few steps as it takes.
    pub plan: Plan,
    /// What was wrong after so many.
    pub text: String,
}

impl Failure {
    /// What to show of it, with the command that shows more. `what` was simulated.
    #[must_use]
    pub fn report(&self, what: &str) -> String {
        let Self { plan: Plan { seed, steps_max, .. }, text } = self;
        format!(
            "{what}: seed {seed} fails: {text}\nto see how: \
             cargo xtask simulate --what {what} --seed {seed} --steps {steps_max} --trace"
        )
    }
}

/// Runs seeds from `first` on, as many as `count`, on all processors. Returns the failure of the least
/// seed that fails, and how much happened in all.
pub fn run_all(
    simulate: &(impl Fn(&Plan) -> Run + Sync),
    first: u64,
    count: u64,
) -> (Option<Failure>, u64) {
    let (next, events) = (AtomicU64::new(first), AtomicU64::new(0));
    let end = first.saturating_add(count);
    let failed = Mutex::new(None::<u64>);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let run = simulate(&whole(seed));
            events.fetch_add(run.events, Ordering::Relaxed);
            if run.failure.is_some() {
                let mut failed = failed.lock().expect("nobody panics under it");
                *failed = Some(failed.map_or(seed, |known| known.min(seed)));
                // The seeds before this one are still finished.
                next.fetch_max(end, Ordering::Relaxed);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    let failed = failed.into_inner().expect("nobody panics under it");
    (failed.map(|seed| shrink(simulate, seed)), events.into_inner())
}

/// A seed with all of its steps.
#[must_use]
pub fn whole(seed: u64) -> Plan {
    Plan { seed, steps_max: u32::MAX, has_lines: false }
}

/// Looks for the fewest steps after which a seed that fails does so.
fn shrink(simulate: &impl Fn(&Plan) -> Run, seed: u64) -> Failure {
    let failure = |steps_max| simulate(&Plan { steps_max, ..whole(seed) }).failure;
    let mut best = (u32::MAX, failure(u32::MAX).unwrap_or_else(|| NOT_AGAIN.to_owned()));
    // Fewer steps are another run after the last of them, so all are tried: there are not many.
    for steps_max in 0..crate::run::STEPS_MAX {
        if let Some(text) = failure(steps_max) {
            best = (steps_max, text);
            break;
        }
    }
    let (steps_max, text) = best;
    Failure { plan: Plan { steps_max, ..whole(seed) }, text }
}

/// Chance has come in from elsewhere.
const NOT_AGAIN: &str = "it failed, and did not when it was run again";
