//! What is due when: leases that end, delays that are over, ids to be forgotten.
//!
//! A tree, for the reasons that the store's deadlines have: everything is in it exactly once, and no
//! operation touches more than one path of it.

use std::collections::BTreeSet;
use workyard_engine::{SessionId, Time};

/// Everything that waits for its time.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Time, Timer)>,
}

/// What happens at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A session has not renewed a lease.
    Lease { session: SessionId, lease: u64 },
    /// A job is ready.
    Job { queue: u32, job: u64 },
    /// A job's id may come again as another one's.
    Id { queue: u32, job: u64 },
}

impl Timers {
    pub(crate) fn set(&mut self, at: Time, timer: Timer) {
        let is_new = self.due.insert((at, timer));
        assert!(is_new, "everything is due once");
    }

    pub(crate) fn unset(&mut self, at: Time, timer: Timer) {
        let was_there = self.due.remove(&(at, timer));
        assert!(was_there, "what is due is known by its time");
    }

    /// When the first one is due.
    pub(crate) fn next(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the first one that is due.
    pub(crate) fn pop(&mut self, now: Time) -> Option<Timer> {
        let first = self.due.first().filter(|(at, _)| *at <= now).copied()?;
        self.due.remove(&first);
        Some(first.1)
    }
}
