//! From keys to slots: hash tables that hold slots only, many and small so that none grows for long.

use crate::arena::Slot;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Part of a hash that chooses a table. A table that doubles stops everybody: in `store_cost`, with a
/// million keys, a single one does so for 40 ms, the largest of 256 for less than one.
const SHARD_BITS: u32 = 8;

/// Tables below this size are not worth shrinking.
const SHRINK_SLOTS_MIN: usize = 64;

/// Which slot a key's entry has.
pub(crate) struct Index {
    /// Other seeds in every store, so that nobody chooses keys that collide.
    hasher: DefaultHashBuilder,
    shards: Vec<HashTable<Slot>>,
}

impl Default for Index {
    fn default() -> Self {
        let shards = (0..1 << SHARD_BITS).map(|_| HashTable::new()).collect();
        Self { hasher: DefaultHashBuilder::default(), shards }
    }
}

impl Index {
    /// The hash that the other functions want.
    pub(crate) fn hash(&self, key: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(key);
        (hash >> 32) as u32
    }

    /// The slot of this hash for which `is` holds.
    pub(crate) fn find(&self, hash: u32, is: impl Fn(Slot) -> bool) -> Option<Slot> {
        self.shards[shard(hash)].find(spread(hash), |slot| is(*slot)).copied()
    }

    /// Adds a slot that is not in it. `hash_of` tells the hash of any slot that is.
    pub(crate) fn insert(&mut self, hash: u32, slot: Slot, hash_of: impl Fn(Slot) -> u32) {
        let table = &mut self.shards[shard(hash)];
        table.insert_unique(spread(hash), slot, |slot| spread(hash_of(*slot)));
    }

    /// Removes a slot that is in it.
    pub(crate) fn remove(&mut self, hash: u32, slot: Slot, hash_of: impl Fn(Slot) -> u32) {
        let table = &mut self.shards[shard(hash)];
        table
            .find_entry(spread(hash), |other| *other == slot)
            .expect("every entry's slot is in the index")
            .remove();
        let (slots, room) = (table.len(), table.capacity());
        if room > SHRINK_SLOTS_MIN && slots < room / 8 {
            table.shrink_to(slots * 2, |slot| spread(hash_of(*slot)));
        }
    }
}

fn shard(hash: u32) -> usize {
    (hash >> (u32::BITS - SHARD_BITS)) as usize
}

/// A table takes its position from the low bits and a check from the high ones: here the low bits
/// are those that did not choose the shard, and the high ones depend on all.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
