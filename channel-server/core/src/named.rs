//! Things that peers find by name and the broker by a small index.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::ops::{Index, IndexMut};
use workyard_engine::Slots;
use workyard_protocol::limits::HEADER_BYTES_MAX;

/// Tables by which things are found: many and small, so that none takes long to grow, and what is left of
/// smaller ones is little.
const SHARDS: usize = 64;

/// Below this many, memory is not worth giving back.
const SHRINK_COUNT_MIN: usize = 4096;

/// Most slots that one page looks at, so that a rare prefix does not hold everybody else up.
const PAGE_SLOTS_MAX: usize = 10_000;

/// A page ends after this many bytes of names: an answer is all header, and a header is bounded.
const PAGE_NAME_BYTES_MAX: usize = HEADER_BYTES_MAX / 2;

/// Which things are asked for, and how many at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    /// The slot to begin at.
    pub(crate) cursor: u64,
    pub(crate) limit: u32,
    pub(crate) prefix: &'a [u8],
}

/// A table of named things. Each name is stored once, next to its thing; an index stays valid until
/// its thing is removed and may then be used again.
#[derive(Debug)]
pub(crate) struct Named<T> {
    slots: Slots<Entry<T>>,
    by_name: Box<[HashTable<u32>; SHARDS]>,
    hasher: DefaultHashBuilder,
    name_bytes: usize,
    /// No index is at or above it.
    end: usize,
    /// When so few things are left, it is time to give memory back.
    shrink_at: usize,
}

#[derive(Debug)]
struct Entry<T> {
    name: Box<[u8]>,
    thing: T,
}

impl<T> Named<T> {
    pub(crate) fn new() -> Self {
        Self {
            slots: Slots::new(),
            by_name: Box::new([const { HashTable::new() }; SHARDS]),
            hasher: DefaultHashBuilder::default(),
            name_bytes: 0,
            end: 0,
            shrink_at: 0,
        }
    }

    /// How many things there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The bytes of all names together.
    pub(crate) fn name_bytes(&self) -> usize {
        self.name_bytes
    }

    /// The index of the thing of this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(name);
        self.by_name[shard(hash)].find(hash, |at| *self.slots[*at as usize].name == *name).copied()
    }

    /// Adds a thing whose name has none yet.
    pub(crate) fn insert(&mut self, name: &[u8], thing: T) -> u32 {
        let hash = self.hasher.hash_one(name);
        let at = self.slots.insert(Entry { name: name.into(), thing });
        let index = u32::try_from(at).expect("limits keep tables below four thousand million");
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.by_name[shard(hash)]
            .insert_unique(hash, index, |at| hasher.hash_one(&*slots[*at as usize].name));
        self.name_bytes += name.len();
        self.end = self.end.max(at + 1);
        self.shrink_at = self.shrink_at.max(self.slots.len() / 4);
        index
    }

    /// Takes a thing out and returns its name.
    pub(crate) fn remove(&mut self, index: u32) -> Box<[u8]> {
        let entry = self.slots.remove(index as usize);
        let hash = self.hasher.hash_one(&*entry.name);
        self.by_name[shard(hash)]
            .find_entry(hash, |at| *at == index)
            .expect("whatever is in a slot is found by its name")
            .remove();
        self.name_bytes -= entry.name.len();
        if self.slots.len() <= self.shrink_at && self.slots.capacity() > SHRINK_COUNT_MIN {
            self.shrink();
        }
        entry.name
    }

    /// The name of a thing.
    pub(crate) fn name(&self, index: u32) -> &[u8] {
        &self.slots[index as usize].name
    }

    /// The name of a thing, and the thing to change it.
    pub(crate) fn entry_mut(&mut self, index: u32) -> (&[u8], &mut T) {
        let entry = &mut self.slots[index as usize];
        (&entry.name, &mut entry.thing)
    }

    /// Every thing.
    pub(crate) fn things(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().map(|(_, entry)| &entry.thing)
    }

    /// Every thing with its index, to change it.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut T)> {
        let index = |at| u32::try_from(at).expect("limits keep tables below four thousand million");
        self.slots.iter_mut().map(move |(at, entry)| (index(at), &mut entry.thing))
    }

    /// The thing in a slot, if it has one, with its name.
    pub(crate) fn slot(&self, slot: usize) -> Option<(&[u8], &T)> {
        self.slots.get(slot).map(|entry| (&*entry.name, &entry.thing))
    }

    /// A page of the things whose names begin with the prefix, from a slot on, and the slot to go on from;
    /// 0 if there are no more. A thing that is there from the first page to the last is on exactly one,
    /// whatever comes and goes meanwhile.
    pub(crate) fn page<'n, U>(
        &'n self,
        Page { cursor, limit, prefix }: Page<'_>,
        mut show: impl FnMut(&'n [u8], &'n T) -> U,
    ) -> (u64, Vec<U>) {
        let first = usize::try_from(cursor).unwrap_or(usize::MAX);
        let (mut slot, mut page, mut name_bytes) = (first, Vec::new(), 0);
        while slot < self.end
            && slot - first < PAGE_SLOTS_MAX
            && page.len() < limit as usize
            && name_bytes < PAGE_NAME_BYTES_MAX
        {
            if let Some((name, thing)) =
                self.slot(slot).filter(|(name, _)| name.starts_with(prefix))
            {
                name_bytes += name.len();
                page.push(show(name, thing));
            }
            slot += 1;
        }
        (if slot < self.end { slot as u64 } else { 0 }, page)
    }

    /// No slot at or above it has a thing.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// Gives memory back, as far as the things that are left let it: a late one keeps the slots before
    /// it. So it is tried again whenever half of them have gone.
    fn shrink(&mut self) {
        let (slots, hasher) = (&self.slots, &self.hasher);
        for table in &mut *self.by_name {
            table.shrink_to_fit(|at| hasher.hash_one(&*slots[*at as usize].name));
        }
        self.slots.shrink();
        self.end = self.slots.end();
        self.shrink_at = self.slots.len() / 2;
    }
}

/// Bits of the hash that the tables themselves hardly look at.
fn shard(hash: u64) -> usize {
    (hash >> 40) as usize % SHARDS
}

impl<T> Index<u32> for Named<T> {
    type Output = T;

    fn index(&self, index: u32) -> &T {
        &self.slots[index as usize].thing
    }
}

impl<T> IndexMut<u32> for Named<T> {
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.slots[index as usize].thing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_found_by_its_name_until_it_is_removed() {
        let mut table = Named::new();
        let one = table.insert(b"one", 1);
        let two = table.insert(b"", 2);
        assert_eq!(
            (table.find(b"one"), table.find(b""), table.find(b"x")),
            (Some(one), Some(two), None)
        );
        assert_eq!((table.name(one), table[two], table.name_bytes()), (&b"one"[..], 2, 3));
        table[one] += 10;
        assert_eq!(table.entry_mut(one), (&b"one"[..], &mut 11));
        assert_eq!(*table.remove(one), *b"one");
        assert_eq!((table.find(b"one"), table.len(), table.name_bytes()), (None, 1, 0));
    }

    #[test]
    fn a_crowd_that_leaves_takes_its_memory_along() {
        let mut table = Named::new();
        let first = table.insert(b"first", 0);
        let crowd: Vec<_> = (0..10_000_u32).map(|at| table.insert(&at.to_be_bytes(), at)).collect();
        assert_eq!(table.end(), 10_001);
        for at in crowd {
            table.remove(at);
        }
        assert_eq!(table.end(), 1);
        assert!(table.slots.capacity() < 100);
        assert!(table.by_name.iter().map(HashTable::capacity).sum::<usize>() < 10);
        assert_eq!(table.find(b"first"), Some(first));
    }
}
