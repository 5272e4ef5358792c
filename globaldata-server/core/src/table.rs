//! All variables: entries, their index, their deadlines and their count in bytes kept in step, with
//! undo for batches.

use crate::arena::{Arena, Seen, Slot};
use crate::deadlines::Deadlines;
use crate::entry::{Entry, cost};
use crate::index::Index;
use crate::journal::Undo;
use hashbrown::HashMap;
use workyard_engine::Time;
use workyard_planted::planted;
use workyard_protocol::{Key, ValueRef, globaldata};

/// All variables.
#[derive(Default)]
pub(crate) struct Table {
    index: Index,
    arena: Arena,
    /// Of all that are counted and expire.
    deadlines: Deadlines,
    keys: u64,
    bytes: u64,
    /// There while a batch runs.
    journal: Option<Vec<Undo>>,
}

/// A key with its hash, so that it is hashed once per request.
#[derive(Clone, Copy)]
pub(crate) struct Hashed<'a> {
    key: Key<'a>,
    hash: u32,
}

impl Hashed<'_> {
    /// How long the key is.
    pub(crate) fn length(self) -> usize {
        self.key.as_bytes().len()
    }
}

impl Table {
    /// How many variables there are.
    pub(crate) fn keys(&self) -> u64 {
        self.keys
    }

    /// What they are counted with together.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn hashed<'a>(&self, key: Key<'a>) -> Hashed<'a> {
        Hashed { key, hash: self.index.hash(key.as_bytes()) }
    }

    /// The place of this key's variable, or of one that is gone.
    pub(crate) fn find(&self, Hashed { key, hash }: Hashed<'_>) -> Option<Slot> {
        let bytes = key.as_bytes();
        self.index.find(hash, |slot| {
            let entry = self.arena.entry(slot);
            entry.hash == hash && entry.key() == bytes
        })
    }

    /// Reads what [`Table::find`] would, and the value, for no other purpose than to have it read.
    pub(crate) fn fetch(&self, key: &[u8]) {
        let hash = self.index.hash(key);
        let slot = self.index.find(hash, |slot| self.arena.entry(slot).hash == hash);
        std::hint::black_box(slot.map(|slot| self.arena.entry(slot).ends()));
    }

    /// The variable in this place, if it exists.
    pub(crate) fn current(&self, now: Time, slot: Slot) -> Option<globaldata::Entry<'_>> {
        self.arena.entry(slot).view(now)
    }

    /// What lies in this place, be it gone or not.
    pub(crate) fn entry(&self, slot: Slot) -> &Entry {
        self.arena.entry(slot)
    }

    /// The deadline of the variable in this place.
    pub(crate) fn deadline(&self, slot: Slot) -> Option<Time> {
        self.arena.entry(slot).deadline()
    }

    /// What the variable in this place is counted with.
    pub(crate) fn cost(&self, slot: Slot) -> u64 {
        self.arena.entry(slot).cost()
    }

    /// The same, and what it would be counted with if it had this deadline.
    pub(crate) fn costs_of_touch(&self, slot: Slot, deadline: Option<Time>) -> (u64, u64) {
        let entry = self.arena.entry(slot);
        (entry.cost(), cost(entry.key().len(), entry.value(), deadline.is_some()))
    }

    /// The variable that expires first, and when.
    pub(crate) fn first_deadline(&self) -> Option<(Time, Slot)> {
        self.deadlines.first()
    }

    /// The place of this key's variable, if that has expired.
    pub(crate) fn lapsed(&self, now: Time, key: Key<'_>) -> Option<Slot> {
        let (first, _) = self.first_deadline()?;
        let slot = (first <= now).then(|| self.find(self.hashed(key))).flatten()?;
        self.arena.entry(slot).has_lapsed(now).then_some(slot)
    }

    /// The variable of this name.
    pub(crate) fn lookup(&self, now: Time, key: Key<'_>) -> Option<globaldata::Entry<'_>> {
        self.find(self.hashed(key)).and_then(|slot| self.current(now, slot))
    }

    /// What stands at a position of a scan.
    pub(crate) fn look(&self, position: u64) -> Seen<'_> {
        self.arena.look(position)
    }

    /// Adds a variable that [`Table::find`] does not find.
    pub(crate) fn insert(
        &mut self,
        new: Hashed<'_>,
        value: ValueRef<'_>,
        revision: u64,
        deadline: Option<Time>,
    ) {
        let slot = self.arena.insert(Entry::new(new.key, new.hash, value, revision, deadline));
        self.index.insert(new.hash, slot, |slot| self.arena.entry(slot).hash);
        let after = self.count(slot);
        self.deadlines.set(slot, None, after);
        if let Some(journal) = &mut self.journal {
            journal.push(Undo::Inserted(slot));
        }
    }

    /// Gives the variable in this place another value; one that is gone is back then.
    pub(crate) fn replace(
        &mut self,
        slot: Slot,
        value: ValueRef<'_>,
        revision: u64,
        deadline: Option<Time>,
    ) {
        if self.journal.is_none() {
            return self.overwrite(slot, value, revision, deadline);
        }
        let before = self.discount(slot);
        let entry = self.arena.entry_mut(slot);
        let successor = entry.successor(value, revision, deadline);
        let old = std::mem::replace(entry, successor);
        if let Some(journal) = &mut self.journal {
            journal.push(Undo::Replaced(slot, old));
        }
        let after = self.count(slot);
        self.deadlines.set(slot, before, after);
    }

    /// The same while no batch runs: then whatever has a place exists.
    fn overwrite(
        &mut self,
        slot: Slot,
        value: ValueRef<'_>,
        revision: u64,
        deadline: Option<Time>,
    ) {
        let entry = self.arena.entry_mut(slot);
        let (before, cost) = (entry.deadline(), entry.cost());
        entry.overwrite(value, revision, deadline);
        self.bytes = self.bytes - cost + entry.cost();
        self.deadlines.set(slot, before, deadline);
    }

    /// Gives the variable in this place another deadline, or none. No batch does.
    pub(crate) fn touch(&mut self, slot: Slot, deadline: Option<Time>) {
        assert!(self.journal.is_none(), "a batch could not undo it");
        let before = self.discount(slot);
        self.arena.entry_mut(slot).set_deadline(deadline);
        let after = self.count(slot);
        self.deadlines.set(slot, before, after);
    }

    /// Removes the variable in this place. While a batch runs it only is marked as gone, so that it
    /// has the same slot if it comes back: to everybody else it has never been away.
    pub(crate) fn remove(&mut self, slot: Slot) {
        let before = self.discount(slot);
        self.deadlines.set(slot, before, None);
        match &mut self.journal {
            None => self.free(slot),
            Some(journal) => {
                self.arena.entry_mut(slot).set_gone(true);
                journal.push(Undo::Removed(slot));
            }
        }
    }

    /// Whether a batch runs.
    pub(crate) fn has_begun(&self) -> bool {
        self.journal.is_some()
    }

    /// From now on, changes can be undone.
    pub(crate) fn begin(&mut self) {
        self.journal = Some(Vec::new());
    }

    /// The places that are not as they were at [`Table::begin`], in the order of their first change.
    /// What a batch made and deleted again is not among them: nobody has seen it.
    pub(crate) fn net_changes(&self) -> Vec<Slot> {
        let mut was_there = HashMap::new();
        let mut changed = Vec::new();
        for undo in self.journal.iter().flatten() {
            let (slot, existed) = match undo {
                Undo::Inserted(slot) => (*slot, false),
                Undo::Replaced(slot, _) | Undo::Removed(slot) => (*slot, true),
            };
            was_there.entry(slot).or_insert_with(|| {
                changed.push(slot);
                existed
            });
        }
        changed.retain(|slot| was_there[slot] || !self.arena.entry(*slot).is_gone());
        changed
    }

    /// Keeps every change since [`Table::begin`]. Whether there was one.
    pub(crate) fn commit(&mut self) -> bool {
        let journal = self.journal.take().expect("a batch has begun");
        let wrote = !journal.is_empty();
        for undo in journal {
            match undo {
                Undo::Removed(slot) if self.arena.holds_gone(slot) => self.free(slot),
                Undo::Removed(_) | Undo::Inserted(_) | Undo::Replaced(..) => {}
            }
        }
        wrote
    }

    /// Undoes every change since [`Table::begin`].
    pub(crate) fn roll_back(&mut self) {
        let journal = self.journal.take().expect("a batch has begun");
        let undone = journal.len().saturating_sub(usize::from(planted!("batch-is-half-undone")));
        for undo in journal.into_iter().rev().take(undone) {
            self.undo(undo);
        }
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Inserted(slot) => {
                let before = self.discount(slot);
                self.deadlines.set(slot, before, None);
                self.free(slot);
            }
            Undo::Replaced(slot, old) => {
                let before = self.discount(slot);
                *self.arena.entry_mut(slot) = old;
                let after = self.count(slot);
                self.deadlines.set(slot, before, after);
            }
            Undo::Removed(slot) => {
                self.arena.entry_mut(slot).set_gone(false);
                let after = self.count(slot);
                self.deadlines.set(slot, None, after);
            }
        }
    }

    /// Makes a place free again that is no longer counted.
    fn free(&mut self, slot: Slot) {
        let hash = self.arena.entry(slot).hash;
        self.index.remove(hash, slot, |slot| self.arena.entry(slot).hash);
        self.arena.remove(slot);
    }

    /// Counts the variable in this place, if it exists, and returns the deadline that it then has.
    fn count(&mut self, slot: Slot) -> Option<Time> {
        let entry = self.arena.entry(slot);
        if entry.is_gone() {
            return None;
        }
        self.keys += 1;
        self.bytes += entry.cost();
        entry.deadline()
    }

    /// Takes the variable in this place out of the count, if it exists, and returns the deadline that
    /// it then had.
    fn discount(&mut self, slot: Slot) -> Option<Time> {
        let entry = self.arena.entry(slot);
        if entry.is_gone() {
            return None;
        }
        self.keys -= 1;
        self.bytes -= entry.cost();
        entry.deadline()
    }
}
