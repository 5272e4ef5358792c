//! Locks: who holds which, who waits, and how they pass from one to the next.
//!
//! A lock of several permits is a semaphore. Each wish for a lock that is not refused is a *claim*, with
//! a number of its own: it waits, or holds one permit. A lock exists as long as it has a claim. Numbers
//! grow and claims are served in their order, so that of two who held the same lock the later one has
//! the greater number: it is the fencing token.

mod claims;
mod lock;
mod names;
mod page;

use self::claims::Claims;
use self::lock::{Due, Holder, Lock, Waiter};
use self::names::{Names, Slot};
use crate::limits::StoreLimits;
use crate::text::shown_name;
use std::collections::BTreeSet;
use workyard_engine::{Outbox, SessionId, Time};
use workyard_planted::planted;
use workyard_protocol::globaldata::{self, GlobalDataWire, LockReply, Push, RenewLocks, Unlock};
use workyard_protocol::{LockName, Reason, Refusal};

/// All locks.
pub(crate) struct Locks {
    names: Names,
    claims: Claims,
    /// When which lock is to be taken from its first holder: each that is held is in it exactly once.
    deadlines: BTreeSet<(Due, Slot)>,
    /// The number of the latest claim.
    token: u64,
    /// What sessions are to be told, oldest first.
    notices: Vec<(SessionId, Push<'static>)>,
}

impl Locks {
    /// No locks. The first claim gets the number after `token`.
    pub(crate) fn after(token: u64) -> Self {
        Self {
            names: Names::default(),
            claims: Claims::default(),
            deadlines: BTreeSet::new(),
            token,
            notices: Vec::new(),
        }
    }

    /// How many locks are held or waited for.
    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    /// How many permits are held or waited for.
    pub(crate) fn claims(&self) -> usize {
        self.claims.len()
    }

    /// Holds the lock if it is free, waits for it or says that it is busy.
    pub(crate) fn lock(
        &mut self,
        limits: &StoreLimits,
        now: Time,
        session: SessionId,
        wish: globaldata::Lock<'_>,
    ) -> Result<LockReply, Refusal> {
        self.settle(now, wish.name);
        let mut slot = self.names.find(wish.name);
        if let Some(at) = slot
            && let Err(refusal) = self.names.lock(at).check_permits(wish)
        {
            if self.names.lock(at).last_held(now).is_some() {
                return Err(refusal);
            }
            // Nobody holds it. What is left of it is taken away in its time.
            self.names.forget_name(at);
            slot = None;
        }
        let lock = slot.map(|slot| self.names.lock(slot));
        let is_free = lock.is_none_or(Lock::is_free);
        if !is_free && !wish.wait {
            return Ok(LockReply::Busy);
        }
        limits.check_locks(self.names.len() + usize::from(slot.is_none()))?;
        limits.check_claims(self.claims.len() + 1)?;
        limits.check_claims_of_session(self.claims.of(session) + 1)?;
        let slot = slot.unwrap_or_else(|| self.names.open(wish.name, wish.permits));
        if !planted!("token-comes-again") || self.claims.len() > 0 {
            self.token += 1;
        }
        let token = self.token;
        self.claims.insert(session, token, slot);
        let waiter = Waiter { session, ttl: wish.ttl };
        if is_free {
            self.hold(now, slot, token, waiter);
            return Ok(LockReply::Locked { token });
        }
        self.names.lock_mut(slot).waiters.insert(token, waiter);
        Ok(LockReply::Queued { token })
    }

    /// Ends a claim of the session. Whether it had it.
    pub(crate) fn unlock(&mut self, now: Time, session: SessionId, unlock: Unlock<'_>) -> bool {
        let Some(slot) = self.claimed(now, session, unlock.name, unlock.token) else {
            return false;
        };
        self.end(now, slot, unlock.token);
        true
    }

    /// Prolongs what the session holds, and tells what it does not have.
    pub(crate) fn renew(
        &mut self,
        now: Time,
        session: SessionId,
        request: &RenewLocks<'_>,
    ) -> Vec<u64> {
        let mut lost = Vec::new();
        for renewal in &request.renewals {
            match self.claimed(now, session, renewal.name, renewal.token) {
                Some(slot) => self.prolong(slot, renewal.token, now + renewal.ttl.into()),
                None => lost.push(renewal.token),
            }
        }
        lost
    }

    /// Ends every claim of the session. Those that wait go first, so that none of them is served.
    pub(crate) fn close(&mut self, now: Time, session: SessionId) {
        let claims = self.claims.take(session);
        let waits =
            |(token, slot): &(u64, Slot)| self.names.lock(*slot).waiters.contains_key(token);
        let (waiting, holding): (Vec<_>, Vec<_>) = claims.into_iter().partition(waits);
        for (token, slot) in waiting.into_iter().chain(holding) {
            self.remove(now, slot, token);
        }
    }

    /// Whether the lock is held with this number, by whomever.
    ///
    /// # Errors
    /// `Fenced`, with the number that it is held with now.
    pub(crate) fn check_held(
        &self,
        now: Time,
        name: LockName<'_>,
        token: u64,
    ) -> Result<(), Refusal> {
        let lock = self.names.find(name).map(|slot| self.names.lock(slot));
        let held = lock.and_then(|lock| lock.holders.get(&token));
        if held.is_some_and(|holder| holder.deadline > now) {
            return Ok(());
        }
        let present = lock.and_then(|lock| lock.last_held(now)).map_or_else(
            || "nobody holds it now".to_owned(),
            |present| format!("it is held with token {present} now"),
        );
        let name = shown_name(name.as_bytes());
        let text = format!("the lock {name} is not held with token {token}: {present}");
        Err(Refusal::new(Reason::Fenced, text))
    }

    /// When the first permit is to be taken from its holder.
    pub(crate) fn first_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|((deadline, _), _)| *deadline)
    }

    /// Takes a portion of the permits whose time is over from their holders.
    pub(crate) fn expire(&mut self, now: Time, portion: usize) {
        for _ in 0..portion {
            match self.deadlines.first() {
                Some(&((deadline, token), slot)) if deadline <= now => self.lapse(now, slot, token),
                _ => return,
            }
        }
    }

    /// Whether there is something to tell.
    pub(crate) fn has_notices(&self) -> bool {
        !self.notices.is_empty()
    }

    /// Tells the sessions what has become of their claims. Their number bounds what a session that does
    /// not read can be told, so nobody has to wait for room.
    pub(crate) fn tell(&mut self, outbox: &mut impl Outbox<GlobalDataWire>) {
        for (session, push) in self.notices.drain(..) {
            outbox.push(session, push);
        }
    }

    /// Takes permits of this lock whose time is over from their holders, as many as those who wait need and
    /// one more. What is left of them makes no difference to whoever asks: a permit is free then.
    fn settle(&mut self, now: Time, name: LockName<'_>) {
        if self.first_deadline().is_none_or(|first| first > now) {
            return;
        }
        let Some(slot) = self.names.find(name) else { return };
        for _ in 0..=self.names.lock(slot).waiters.len() {
            // When the last claim has lapsed, the lock is no more.
            match self.names.get(slot).and_then(Lock::first_due) {
                Some((deadline, token)) if deadline <= now => self.lapse(now, slot, token),
                _ => return,
            }
        }
    }

    /// The lock of which the session has this claim. It has none whose time is over.
    fn claimed(
        &mut self,
        now: Time,
        session: SessionId,
        name: LockName<'_>,
        token: u64,
    ) -> Option<Slot> {
        let slot = self.names.find(name)?;
        let lock = self.names.lock(slot);
        if let Some(waiter) = lock.waiters.get(&token) {
            return (waiter.session == session).then_some(slot);
        }
        let holder = lock.holders.get(&token).filter(|holder| holder.session == session)?;
        if holder.deadline <= now && !planted!("lock-outlives-its-time") {
            self.lapse(now, slot, token);
            return None;
        }
        Some(slot)
    }

    fn hold(&mut self, now: Time, slot: Slot, token: u64, Waiter { session, ttl }: Waiter) {
        let deadline = now + ttl.into();
        self.change(slot, |lock| lock.hold(token, Holder { session, deadline }));
    }

    /// A claim that waits has no deadline yet, and needs none.
    fn prolong(&mut self, slot: Slot, token: u64, deadline: Time) {
        let holder = self.names.lock(slot).holders.get(&token);
        if let Some(&Holder { session, .. }) = holder {
            self.change(slot, |lock| lock.hold(token, Holder { session, deadline }));
        }
    }

    /// Changes who holds a lock and until when, which may be another one first.
    fn change<T>(&mut self, slot: Slot, change: impl FnOnce(&mut Lock) -> T) -> T {
        let lock = self.names.lock_mut(slot);
        let before = lock.first_due();
        let changed = change(lock);
        let after = lock.first_due();
        if before != after {
            if let Some(before) = before {
                self.deadlines.remove(&(before, slot));
            }
            self.deadlines.extend(after.map(|after| (after, slot)));
        }
        changed
    }

    /// Ends a claim whose time is over, and tells its session.
    fn lapse(&mut self, now: Time, slot: Slot, token: u64) {
        let session = self.names.lock(slot).holders[&token].session;
        self.notices.push((session, Push::LockLost { token }));
        self.end(now, slot, token);
    }

    fn end(&mut self, now: Time, slot: Slot, token: u64) {
        let session = self.remove(now, slot, token);
        self.claims.remove(session, token);
    }

    /// Takes a claim out of its lock, which passes on then. Whose it was.
    fn remove(&mut self, now: Time, slot: Slot, token: u64) -> SessionId {
        let session = self.change(slot, |lock| lock.remove(token));
        self.pass_on(now, slot);
        session
    }

    /// Gives free permits to those who have waited longest; a lock without claims is no more.
    fn pass_on(&mut self, now: Time, slot: Slot) {
        while let Some((token, waiter)) = self.names.lock_mut(slot).take_next() {
            let session = waiter.session;
            self.hold(now, slot, token, waiter);
            self.notices.push((session, Push::LockGranted { token }));
        }
        if self.names.lock(slot).holders.is_empty() {
            self.names.close(slot);
        }
    }
}
