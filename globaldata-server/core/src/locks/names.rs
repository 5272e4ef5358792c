//! Locks by name, and in places that they keep, so that pages find their way.

use super::lock::Lock;
use hashbrown::{DefaultHashBuilder, HashTable};
use slab::Slab;
use std::hash::BuildHasher;
use std::num::NonZeroU32;
use workyard_protocol::LockName;

/// The place of a lock, for as long as it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(u32);

/// All locks. `locks_max` keeps the tables small enough to double without a pause.
#[derive(Default)]
pub(super) struct Names {
    slots: Slab<Lock>,
    by_name: HashTable<u32>,
    /// Other seeds in every store, so that nobody chooses names that collide.
    hasher: DefaultHashBuilder,
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn find(&self, name: LockName<'_>) -> Option<Slot> {
        let name = name.as_bytes();
        let hash = self.hasher.hash_one(name);
        self.by_name.find(hash, |at| *self.slots[*at as usize].name == *name).copied().map(Slot)
    }

    /// The lock in a place, if it is still there.
    pub(super) fn get(&self, slot: Slot) -> Option<&Lock> {
        self.slots.get(slot.0 as usize)
    }

    pub(super) fn lock(&self, slot: Slot) -> &Lock {
        &self.slots[slot.0 as usize]
    }

    pub(super) fn lock_mut(&mut self, slot: Slot) -> &mut Lock {
        &mut self.slots[slot.0 as usize]
    }

    /// Makes a lock that [`Names::find`] does not find.
    pub(super) fn open(&mut self, name: LockName<'_>, permits: NonZeroU32) -> Slot {
        let hash = self.hasher.hash_one(name.as_bytes());
        let at = self.slots.insert(Lock::new(name, permits));
        let at = u32::try_from(at).expect("locks_max is a u32");
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.by_name.insert_unique(hash, at, |at| hasher.hash_one(&*slots[*at as usize].name));
        Slot(at)
    }

    /// Has [`Names::find`] find a lock no more, which may be opened anew then.
    pub(super) fn forget_name(&mut self, Slot(at): Slot) {
        let hash = self.hasher.hash_one(&*self.slots[at as usize].name);
        if let Ok(entry) = self.by_name.find_entry(hash, |other| *other == at) {
            entry.remove();
        }
    }

    /// Forgets a lock.
    pub(super) fn close(&mut self, slot: Slot) {
        self.forget_name(slot);
        self.slots.remove(slot.0 as usize);
    }

    /// What is at a position of a scan; nothing for ever behind [`Names::end`].
    pub(super) fn look(&self, position: u64) -> Option<&Lock> {
        self.slots.get(usize::try_from(position).ok()?)
    }

    /// Behind the last position at which there may be a lock.
    pub(super) fn end(&self) -> u64 {
        // A slab uses no place above its capacity, and gives none back.
        match self.slots.is_empty() {
            true => 0,
            false => self.slots.capacity() as u64,
        }
    }
}
