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
        let next = self.revision + 1;
        let key = self.table.hashed(key);
        let slot = self.table.find(key);
        let current = slot.and_then(|slot| self.table.current(slot));
        let revision = current.map_or(0, |entry| entry.revision);
        let before = current.map(|entry| entry::cost(key.length(), entry.value));
        match (decide(current)?, slot) {
            (Change::Store(value), slot) => {
                self.admit(before, entry::cost(key.length(), value))?;
                match slot {
                    Some(slot) => self.table.replace(slot, value, next),
                    None => self.table.insert(key, value, next),
                }
            }
            (Change::Delete, Some(slot)) if before.is_some() => self.table.remove(slot),
            (Change::Keep | Change::Delete, _) => return Ok(Updated { changed: false, revision }),
        }
        Ok(Updated { changed: true, revision: next })
    }

    /// Whether a variable may be counted with `after` bytes that is with `before`, if it exists.
    fn admit(&self, before: Option<u64>, after: u64) -> Result<(), Refusal> {
        if before.is_none() {
            self.limits.check_keys(self.table.keys() + 1)?;
        }
        let before = before.unwrap_or(0);
        if after > before {
            self.limits.check_bytes(self.table.bytes() - before + after)?;
        }
        Ok(())
    }
}
