//! When gathered hints are acted upon: after quiet, at a bound at the latest, one action at a time.

use crate::limits::{BACKOFF_MAX, RETRY_WAIT, SUSPECTS_MAX};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use workyard_planted::planted;

/// A moment, as time since the monitor was made.
pub(crate) type Moment = Duration;

/// How far a hint reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reach {
    /// The path itself.
    Path,
    /// The path and all below it.
    Below,
}

/// The times that a debouncer goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// How long it must be quiet.
    pub(crate) settle: Duration,
    /// When it is enough without quiet, counted from the first hint, but not while nobody waits.
    pub(crate) settle_max: Duration,
    /// The least time from one action to the next.
    pub(crate) interval: Duration,
    /// The wait after a failed action; twice as long after each further one.
    pub(crate) backoff: Duration,
}

/// What is to be looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Suspects {
    /// By path.
    pub(crate) paths: BTreeMap<PathBuf, Reach>,
    /// Whether there were too many to remember, or some were lost.
    pub(crate) everything: bool,
}

impl Suspects {
    /// Whether `path` is one, or lies below one that reaches there.
    pub(crate) fn covers(&self, path: &Path) -> bool {
        self.paths.contains_key(path) || self.reaches(path)
    }

    /// Whether `path` lies below one that reaches there.
    pub(crate) fn reaches(&self, path: &Path) -> bool {
        let mut above = path.ancestors().skip(1);
        above.any(|above| self.paths.get(above) == Some(&Reach::Below))
    }
}

/// Gathers hints, and says when they are due.
#[derive(Debug)]
pub(crate) struct Debouncer {
    timing: Timing,
    suspects: Suspects,
    /// The first and the last hint since the last batch.
    burst: Option<(Moment, Moment)>,
    /// Whether an action runs.
    acting: bool,
    /// No batch before.
    not_before: Moment,
    /// Since when a batch is waited for.
    wanted_since: Moment,
    failures: u32,
}

impl Debouncer {
    pub(crate) fn new(timing: Timing) -> Self {
        Self {
            timing,
            suspects: Suspects::default(),
            burst: None,
            acting: false,
            not_before: Moment::ZERO,
            wanted_since: Moment::ZERO,
            failures: 0,
        }
    }

    /// Something may have happened to `path`.
    pub(crate) fn hint(&mut self, now: Moment, path: &Path, reach: Reach) {
        self.stir(now);
        if self.suspects.everything {
            return;
        }
        if let Some(before) = self.suspects.paths.get_mut(path) {
            *before = reach.max(*before);
        } else if self.suspects.paths.len() >= SUSPECTS_MAX {
            self.hint_everything(now);
        } else {
            self.suspects.paths.insert(path.to_owned(), reach);
        }
    }

    /// Anything may have happened anywhere.
    pub(crate) fn hint_everything(&mut self, now: Moment) {
        self.stir(now);
        self.suspects.everything = true;
        self.suspects.paths.clear();
    }

    /// It is not quiet yet, whatever is suspect.
    pub(crate) fn stir(&mut self, now: Moment) {
        let (first, last) = self.burst.unwrap_or((now, now));
        let last = if planted!("window-does-not-wait-for-quiet") { first } else { last.max(now) };
        self.burst = Some((first, last));
    }

    /// There is more to be heard: if anything has happened, it is not quiet yet.
    pub(crate) fn goes_on(&mut self, now: Moment) {
        if self.burst.is_some() {
            self.stir(now);
        }
    }

    /// What was due has not settled: it is due again, but not at once, however short the window is.
    pub(crate) fn put_off(&mut self, now: Moment) {
        self.stir(now + RETRY_WAIT.saturating_sub(self.timing.settle));
    }

    /// When there will have been quiet, or enough of waiting for it; `None` without a hint.
    pub(crate) fn settled_at(&self) -> Option<Moment> {
        let (first, last) = self.burst?;
        Some((last + self.timing.settle).min(self.patient_until(first)))
    }

    /// When the batch is due, unless more hints come; `None` if there is none, or an action runs.
    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        let settled = self.settled_at()?;
        (!self.acting).then(|| settled.max(self.not_before))
    }

    /// Whether it has waited for quiet for as long as it may.
    pub(crate) fn is_impatient(&self, now: Moment) -> bool {
        self.burst.is_some_and(|(first, _)| self.patient_until(first) <= now)
    }

    /// From now on somebody waits for a batch.
    pub(crate) fn wanted(&mut self, now: Moment) {
        self.wanted_since = now;
    }

    /// The batch and when its first hint came, whether it is due or not.
    pub(crate) fn take(&mut self) -> Option<(Suspects, Moment)> {
        let (first, _) = self.burst.take()?;
        Some((std::mem::take(&mut self.suspects), first))
    }

    /// What came of a batch was not all: the wait goes on as one that began at `first`.
    pub(crate) fn resume(&mut self, now: Moment, first: Moment) {
        self.put_off(now);
        self.burst = self.burst.map(|(later, last)| (later.min(first), last));
    }

    /// An action begins: hints are gathered until it is over.
    pub(crate) fn acting(&mut self) {
        self.acting = !planted!("action-does-not-hold-back");
    }

    /// The action is over.
    pub(crate) fn acted(&mut self, now: Moment, well: bool) {
        if std::mem::take(&mut self.acting) {
            self.failures = if well { 0 } else { self.failures.saturating_add(1) };
            self.not_before = now + self.timing.interval.max(self.backoff());
        }
        self.wanted(now.max(self.not_before));
    }

    /// What was gathered while nobody waited has not been waited for: at the end of a long action
    /// it may just have begun.
    fn patient_until(&self, first: Moment) -> Moment {
        first.max(self.wanted_since) + self.timing.settle_max
    }

    fn backoff(&self) -> Duration {
        match self.failures {
            0 => Duration::ZERO,
            failures => {
                let times = 2u32.saturating_pow(failures.min(16) - 1);
                self.timing.backoff.saturating_mul(times).min(BACKOFF_MAX)
            }
        }
    }
}
