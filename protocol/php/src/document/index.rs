//! Finds the place of a key in a large array or object.

use super::Index;
use hashbrown::HashTable;

/// Places by the hash of their key.
///
/// The hashes are kept, so that growing looks at no key: keys are far apart in the text.
#[derive(Default)]
pub(super) struct KeyIndex(HashTable<(u32, Index)>);

impl KeyIndex {
    /// Adds a place that is not there yet.
    pub(super) fn insert(&mut self, hash: u64, place: Index) {
        let hash = hash as u32;
        self.0.insert_unique(widened(hash), (hash, place), |(hash, _)| widened(*hash));
    }

    /// The place with this hash that has the key.
    pub(super) fn find(&self, hash: u64, has_key: impl Fn(Index) -> bool) -> Option<Index> {
        let hash = hash as u32;
        let found = self.0.find(widened(hash), |(other, place)| *other == hash && has_key(*place));
        found.map(|(_, place)| *place)
    }
}

/// The table takes a bucket from the lowest bits and a mark from the highest.
fn widened(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}
