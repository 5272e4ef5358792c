//! Looking at what there is, portion by portion, in the order of slots, which nothing changes.

use crate::arena::Seen;
use crate::store::Store;
use workyard_engine::Time;
use workyard_protocol::globaldata::Entry;

impl Store {
    /// Shows variables to `take` until it takes one no more, or so many slots were looked at. Returns
    /// where to go on, with that one if there is one; 0 when there is nothing more.
    ///
    /// The cursor is the next slot to look at. An entry keeps its slot, so it comes exactly once.
    pub(crate) fn scan<'a>(
        &'a self,
        now: Time,
        prefix: &[u8],
        cursor: u64,
        mut take: impl FnMut(&'a [u8], Entry<'a>) -> bool,
    ) -> u64 {
        let mut position = cursor;
        for _ in 0..self.limits.scan_slots_max.max(1) {
            position = match self.table.look(position) {
                Seen::Entry(entry) if entry.key().starts_with(prefix) => match entry.view(now) {
                    Some(seen) if !take(entry.key(), seen) => break,
                    _ => position + 1,
                },
                Seen::Entry(_) => position + 1,
                Seen::Nothing(next) => next,
                Seen::End => break,
            };
        }
        match self.table.look(position) {
            Seen::End => 0,
            _ => position,
        }
    }
}
