//! What has expired: freed in portions, and in time for whoever needs its room.

use crate::arena::Slot;
use crate::limits::StoreLimits;
use crate::store::Store;
use workyard_engine::Time;
use workyard_protocol::Key;

/// How much more a portion may free.
struct Portion {
    keys: usize,
    bytes: u64,
}

impl Portion {
    fn new(limits: &StoreLimits) -> Self {
        Self { keys: limits.expire_keys_max, bytes: limits.expire_bytes_max }
    }
}

/// Nobody sees a variable whose deadline has passed. Freeing it is a change like a deletion, with a
/// revision of its own, and happens once: here.
impl Store {
    /// Frees a portion of what has expired.
    pub(crate) fn free_lapsed(&mut self, now: Time) {
        self.free_lapsed_while(now, |_| true);
    }

    /// Frees what has expired, a portion at most, until there is room for so much more.
    pub(crate) fn make_room(&mut self, now: Time, keys: u64, bytes: u64) {
        self.free_lapsed_while(now, |store| {
            store.table.keys() + keys > u64::from(store.limits.keys_max)
                || store.table.bytes() + bytes > store.limits.store_bytes_max
        });
    }

    /// Frees this variable if it has expired, before a write takes its place.
    pub(crate) fn settle(&mut self, now: Time, key: Key<'_>) {
        if let Some(slot) = self.table.lapsed(now, key) {
            self.free_one(slot);
        }
    }

    fn free_one(&mut self, slot: Slot) {
        if self.watches.is_on() {
            self.note_expiry(slot);
        }
        self.table.remove(slot);
        self.revision += 1;
    }

    fn free_lapsed_while(&mut self, now: Time, wanted: impl Fn(&Self) -> bool) {
        let mut portion = Portion::new(&self.limits);
        while portion.keys > 0
            && portion.bytes > 0
            && wanted(self)
            && let Some((deadline, slot)) = self.table.first_deadline()
            && deadline <= now
        {
            let before = self.table.bytes();
            self.free_one(slot);
            portion.keys -= 1;
            portion.bytes = portion.bytes.saturating_sub(before - self.table.bytes());
        }
    }
}
