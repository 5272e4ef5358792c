//! `update`: the one way in which a variable changes. It is looked at and decided on in one step.

use crate::entry;
use crate::store::Store;
use workyard_protocol::globaldata::Entry;
use workyard_protocol::{Key, Refusal, ValueRef};

/// What shall become of a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change<'v> {
    /// It stays as it is.
    Keep,
    /// It takes this value, and exists from now on if it did not.
    Store(ValueRef<'v>),
    /// It is gone; one that does not exist stays as it is.
    Delete,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Updated {
    /// Whether it was stored or deleted.
    pub changed: bool,
    /// The number of that write; for a variable that was kept, the revision that it has, 0 when it
    /// does not exist.
    pub revision: u64,
}

impl Store {
    /// Shows a variable to `decide`, and does what it says before anybody else sees the variable.
    ///
    /// # Errors
    /// What `decide` refuses with, or `LimitReached`. The variable is as it was.
    pub fn update<'v>(
        &mut self,
        key: Key<'_>,
        decide: impl FnOnce(Option<Entry<'_>>) -> Result<Change<'v>, Refusal>,
    ) -> Result<Updated, Refusal> {
        let updated = self.change(key, decide)?;
        if updated.changed {
            self.revision = updated.revision;
        }
        Ok(updated)
    }

    /// The same as a step of a batch: every write takes the next revision, and none uses it up.
    pub(crate) fn change<'v>(
        &mut self,
        key: Key<'_>,
        decide: impl FnOnce(Option<Entry<'_>>) -> Result<Change<'v>, Refusal>,
    ) -> Result<Updated, Refusal> {
        let revision = self.revision + 1;
        let key = self.table.hashed(key);
        let slot = self.table.find(key);
        let current = slot.map(|slot| self.table.entry(slot).view());
        match (decide(current)?, slot) {
            (Change::Store(value), Some(slot)) => {
                let before = self.table.entry(slot).cost();
                self.check_growth(before, entry::cost(key.length(), value))?;
                self.table.replace(slot, value, revision);
            }
            (Change::Store(value), None) => {
                self.limits.check_keys(self.table.keys() + 1)?;
                self.check_growth(0, entry::cost(key.length(), value))?;
                self.table.insert(key, value, revision);
            }
            (Change::Delete, Some(slot)) => self.table.remove(slot),
            (Change::Keep, _) | (Change::Delete, None) => {
                let revision = current.map_or(0, |entry| entry.revision);
                return Ok(Updated { changed: false, revision });
            }
        }
        Ok(Updated { changed: true, revision })
    }

    /// Whether a variable that was counted with `before` bytes may be with `after`.
    fn check_growth(&self, before: u64, after: u64) -> Result<(), Refusal> {
        if after <= before {
            return Ok(());
        }
        self.limits.check_bytes(self.table.bytes() - before + after)
    }
}
