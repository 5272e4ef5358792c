//! All variables: entries, their index and their count in bytes kept in step, with undo for batches.

use crate::arena::{Arena, Seen, Slot};
use crate::entry::Entry;
use crate::index::Index;
use crate::journal::Undo;
use workyard_protocol::{Key, ValueRef};

/// All variables.
#[derive(Default)]
pub(crate) struct Table {
    index: Index,
    arena: Arena,
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

    pub(crate) fn find(&self, Hashed { key, hash }: Hashed<'_>) -> Option<Slot> {
        let bytes = key.as_bytes();
        self.index.find(hash, |slot| {
            let entry = self.arena.entry(slot);
            entry.hash == hash && entry.key() == bytes
        })
    }

    pub(crate) fn entry(&self, slot: Slot) -> &Entry {
        self.arena.entry(slot)
    }

    /// The variable of this name.
    pub(crate) fn lookup(&self, key: Key<'_>) -> Option<&Entry> {
        self.find(self.hashed(key)).map(|slot| self.entry(slot))
    }

    /// What stands at a position of a scan.
    pub(crate) fn look(&self, position: u64) -> Seen<'_> {
        self.arena.look(position)
    }

    /// Adds a variable that does not exist.
    pub(crate) fn insert(&mut self, new: Hashed<'_>, value: ValueRef<'_>, revision: u64) {
        let slot = self.arena.insert(Entry::new(new.key, new.hash, value, revision));
        self.attach(slot);
        self.note(|| Undo::Inserted(slot));
    }

    /// Gives a variable another value.
    pub(crate) fn replace(&mut self, slot: Slot, value: ValueRef<'_>, revision: u64) {
        let entry = self.arena.entry_mut(slot);
        let before = entry.cost();
        match &mut self.journal {
            None => entry.overwrite(value, revision),
            Some(journal) => {
                let successor = entry.successor(value, revision);
                let old = std::mem::replace(entry, successor);
                journal.push(Undo::Replaced(slot, old));
            }
        }
        self.bytes = self.bytes - before + entry.cost();
    }

    /// Removes a variable.
    pub(crate) fn remove(&mut self, slot: Slot) {
        let entry = self.detach(slot);
        match &mut self.journal {
            None => self.arena.release(slot),
            Some(journal) => journal.push(Undo::Removed(slot, entry)),
        }
    }

    /// From now on, changes can be undone.
    pub(crate) fn begin(&mut self) {
        self.journal = Some(Vec::new());
    }

    /// Keeps every change since [`Table::begin`]. Whether there was one.
    pub(crate) fn commit(&mut self) -> bool {
        let journal = self.journal.take().expect("a batch has begun");
        for undo in &journal {
            self.arena.release(undo.slot());
        }
        !journal.is_empty()
    }

    /// Undoes every change since [`Table::begin`].
    pub(crate) fn roll_back(&mut self) {
        let journal = self.journal.take().expect("a batch has begun");
        let slots: Vec<Slot> = journal.iter().map(Undo::slot).collect();
        for undo in journal.into_iter().rev() {
            self.undo(undo);
        }
        // Only now: a chunk that is empty in between is about to be filled again.
        for slot in slots {
            self.arena.release(slot);
        }
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Inserted(slot) => {
                self.detach(slot);
            }
            Undo::Replaced(slot, old) => {
                let entry = self.arena.entry_mut(slot);
                self.bytes = self.bytes - entry.cost() + old.cost();
                *entry = old;
            }
            Undo::Removed(slot, old) => {
                self.arena.restore(slot, old);
                self.attach(slot);
            }
        }
    }

    /// Counts the entry in this slot, and makes it found.
    fn attach(&mut self, slot: Slot) {
        let entry = self.arena.entry(slot);
        self.keys += 1;
        self.bytes += entry.cost();
        self.index.insert(entry.hash, slot, |slot| self.arena.entry(slot).hash);
    }

    /// Takes the entry out of this slot, the index and the count.
    fn detach(&mut self, slot: Slot) -> Entry {
        let hash = self.arena.entry(slot).hash;
        self.index.remove(hash, slot, |slot| self.arena.entry(slot).hash);
        let entry = self.arena.remove(slot);
        self.keys -= 1;
        self.bytes -= entry.cost();
        entry
    }

    fn note(&mut self, undo: impl FnOnce() -> Undo) {
        if let Some(journal) = &mut self.journal {
            journal.push(undo());
        }
    }
}
