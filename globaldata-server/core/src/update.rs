//! `update`: the one way in which a variable changes. It is looked at and decided on in one step.

use crate::arena::Slot;
use crate::entry;
use crate::store::Store;
use crate::table::Hashed;
use workyard_engine::Time;
use workyard_planted::planted;
use workyard_protocol::globaldata::{Entry, Expiry};
use workyard_protocol::{Key, Refusal, Ttl, ValueRef};

/// What shall become of a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change<'v> {
    /// It stays as it is.
    Keep,
    /// It takes this value, exists from now on if it did not, and expires then.
    Store(ValueRef<'v>, Expiry),
    /// It lives so long from now on, or for ever, and is the same in all else; one that does not
    /// exist stays as it is.
    Touch(Option<Ttl>),
    /// It is gone; one that does not exist stays as it is.
    Delete,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Updated {
    /// Whether it was stored, touched or deleted.
    pub changed: bool,
    /// The number of that write; for a variable that was kept or touched, the revision that it has, 0
    /// when it does not exist.
    pub revision: u64,
}

impl Store {
    /// Shows a variable as it stands at this instant to `decide`, and does what it says before anybody
    /// else sees the variable. [`Store::announce`] tells those who watch it.
    ///
    /// # Errors
    /// What `decide` refuses with, or `LimitReached`. The variable is as it was.
    pub fn update<'v>(
        &mut self,
        now: Time,
        key: Key<'_>,
        decide: impl FnOnce(Option<Entry<'_>>) -> Result<Change<'v>, Refusal>,
    ) -> Result<Updated, Refusal> {
        self.settle(now, key);
        let updated = self.change(now, key, decide)?;
        if updated.revision > self.revision {
            self.revision = updated.revision;
            if self.watches.is_on() {
                self.note_write(key);
            }
        }
        Ok(updated)
    }

    /// The same as a step of a batch: every write takes the next revision, and none uses it up. What
    /// has expired is settled before.
    pub(crate) fn change<'v>(
        &mut self,
        now: Time,
        key: Key<'_>,
        decide: impl FnOnce(Option<Entry<'_>>) -> Result<Change<'v>, Refusal>,
    ) -> Result<Updated, Refusal> {
        let key = self.table.hashed(key);
        let slot = self.table.find(key);
        let current = slot.and_then(|slot| self.table.current(now, slot));
        let revision = current.map_or(0, |entry| entry.revision);
        let place = Place { slot, existing: current.and(slot) };
        match (decide(current)?, place.existing) {
            (Change::Store(value, expiry), _) => self.put(now, key, place, value, expiry),
            (Change::Touch(ttl), Some(slot)) => {
                let deadline = ttl.map(|ttl| now + ttl.into());
                let (before, after) = self.table.costs_of_touch(slot, deadline);
                self.admit(now, Some(before), after)?;
                self.table.touch(slot, deadline);
                Ok(Updated { changed: true, revision })
            }
            (Change::Delete, Some(slot)) => {
                self.table.remove(slot);
                if planted!("delete-takes-no-revision") {
                    return Ok(Updated { changed: true, revision: self.revision });
                }
                Ok(Updated { changed: true, revision: self.revision + 1 })
            }
            (Change::Keep | Change::Touch(_) | Change::Delete, _) => {
                Ok(Updated { changed: false, revision })
            }
        }
    }

    fn put(
        &mut self,
        now: Time,
        key: Hashed<'_>,
        place: Place,
        value: ValueRef<'_>,
        expiry: Expiry,
    ) -> Result<Updated, Refusal> {
        let deadline = self.deadline(now, expiry, place.existing);
        let before = place.existing.map(|slot| self.table.cost(slot));
        self.admit(now, before, entry::cost(key.length(), value, deadline.is_some()))?;
        // Not before: what is freed to make room takes revisions too.
        let revision = self.revision + 1;
        match place.slot {
            Some(slot) => self.table.replace(slot, value, revision, deadline),
            None => self.table.insert(key, value, revision, deadline),
        }
        Ok(Updated { changed: true, revision })
    }

    /// When a variable expires that is written now.
    fn deadline(&self, now: Time, expiry: Expiry, existing: Option<Slot>) -> Option<Time> {
        let kept = existing.and_then(|slot| self.table.deadline(slot));
        match expiry {
            Expiry::Never if planted!("set-keeps-the-ttl") => kept,
            Expiry::Never => None,
            Expiry::Keep => kept,
            Expiry::AfterIfNew(_) if existing.is_some() => kept,
            Expiry::After(ttl) | Expiry::AfterIfNew(ttl) => Some(now + ttl.into()),
        }
    }

    /// Whether a variable may be counted with `after` bytes that is with `before`, if it exists. What
    /// has expired does not stand in the way; for a batch it was freed before.
    fn admit(&mut self, now: Time, before: Option<u64>, after: u64) -> Result<(), Refusal> {
        let new = before.is_none();
        let growth = after.saturating_sub(before.unwrap_or(0));
        if growth == 0 {
            return Ok(());
        }
        if !self.table.has_begun() {
            self.make_room(now, u64::from(new), growth);
        }
        if new {
            self.limits.check_keys(self.table.keys() + 1)?;
        }
        self.limits.check_bytes(self.table.bytes() + growth)
    }
}

/// Where a variable is put.
#[derive(Clone, Copy)]
struct Place {
    /// What the index has, which may have been deleted by the batch that runs.
    slot: Option<Slot>,
    /// The same if the variable exists.
    existing: Option<Slot>,
}
