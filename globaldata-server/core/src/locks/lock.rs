//! One lock: its holders, and those who wait for one of its permits.

use crate::text::shown_name;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use workyard_engine::{SessionId, Time};
use workyard_planted::planted;
use workyard_protocol::globaldata::Lock as Wish;
use workyard_protocol::{LockName, Reason, Refusal, Ttl};

/// A lock that has a claim. Both tables are in the order of the claims' numbers.
pub(super) struct Lock {
    pub(super) name: Box<[u8]>,
    pub(super) permits: NonZeroU32,
    pub(super) holders: BTreeMap<u64, Holder>,
    /// There only while every permit is held.
    pub(super) waiters: BTreeMap<u64, Waiter>,
}

/// A claim that holds a permit.
pub(super) struct Holder {
    pub(super) session: SessionId,
    /// The first instant at which it does not any more.
    pub(super) deadline: Time,
}

/// A claim that waits for one, or is about to hold it.
pub(super) struct Waiter {
    pub(super) session: SessionId,
    /// How long it holds the permit once it does.
    pub(super) ttl: Ttl,
}

impl Lock {
    pub(super) fn new(name: LockName<'_>, permits: NonZeroU32) -> Self {
        let (holders, waiters) = (BTreeMap::new(), BTreeMap::new());
        Self { name: name.as_bytes().into(), permits, holders, waiters }
    }

    /// Whether there is a permit that nobody holds. Then nobody waits either.
    pub(super) fn is_free(&self) -> bool {
        planted!("lock-is-given-twice") || self.holders.len() < self.permits.get() as usize
    }

    /// Whether this is the lock that was meant.
    pub(super) fn check_permits(&self, wish: Wish<'_>) -> Result<(), Refusal> {
        if wish.permits == self.permits {
            return Ok(());
        }
        let (name, has, wanted) = (shown_name(wish.name.as_bytes()), self.permits, wish.permits);
        let text = format!(
            "the lock {name} has {has} permits while it is in use, and this asks for one of \
             {wanted}: all who share a lock must name the same number"
        );
        Err(Refusal::new(Reason::PermitsDiffer, text))
    }

    /// Takes the one who has waited longest, if there is a permit for it.
    pub(super) fn take_next(&mut self) -> Option<(u64, Waiter)> {
        if planted!("last-in-line-is-first") && self.is_free() {
            return self.waiters.pop_last();
        }
        self.is_free().then(|| self.waiters.pop_first()).flatten()
    }

    /// The claims that hold a permit and whose time is over.
    pub(super) fn lapsed(&self, now: Time) -> Vec<u64> {
        let lapsed = self.holders.iter().filter(|(_, holder)| holder.deadline <= now);
        lapsed.map(|(token, _)| *token).collect()
    }

    /// The latest claim that holds a permit.
    pub(super) fn latest(&self, now: Time) -> Option<u64> {
        let held = self.holders.iter().rev().find(|(_, holder)| holder.deadline > now);
        held.map(|(token, _)| *token)
    }
}
