//! One lock: its holders, and those who wait for one of its permits.

use crate::text::shown_name;
use std::collections::{BTreeMap, BTreeSet};
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
    /// When which holder's time is over: each is in it exactly once.
    deadlines: BTreeSet<Due>,
    /// There only while every permit is held.
    pub(super) waiters: BTreeMap<u64, Waiter>,
}

/// A deadline, and the number of the claim that holds a permit until then.
pub(super) type Due = (Time, u64);

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
        let deadlines = BTreeSet::new();
        Self { name: name.as_bytes().into(), permits, holders, deadlines, waiters }
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

    /// Which holder's time is over first, and when.
    pub(super) fn first_due(&self) -> Option<Due> {
        self.deadlines.first().copied()
    }

    /// A claim whose time is not over, the one that may hold its permit longest, if there is one.
    pub(super) fn last_held(&self, now: Time) -> Option<u64> {
        self.deadlines.last().filter(|(deadline, _)| *deadline > now).map(|(_, token)| *token)
    }

    /// A claim holds a permit until then, one that it has or another.
    pub(super) fn hold(&mut self, token: u64, holder: Holder) {
        let deadline = holder.deadline;
        if let Some(before) = self.holders.insert(token, holder) {
            self.deadlines.remove(&(before.deadline, token));
        }
        self.deadlines.insert((deadline, token));
    }

    /// Takes a claim away. Whose it was.
    pub(super) fn remove(&mut self, token: u64) -> SessionId {
        if let Some(waiter) = self.waiters.remove(&token) {
            return waiter.session;
        }
        let holder = self.holders.remove(&token).expect("a claim waits or holds");
        self.deadlines.remove(&(holder.deadline, token));
        holder.session
    }
}
