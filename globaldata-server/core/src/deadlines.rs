//! Which entries expire, in the order in which they do.
//!
//! A tree of (deadline, slot). Each entry that expires is in it exactly once, with the deadline that
//! it has, so a ttl that is written a million times takes the place of one. No operation touches more
//! than one path of the tree, while an array that doubles (a heap, a hash table) stops everybody, and
//! a heap with lazy deletion grows with every write. A timing wheel would spare the tree's logarithm
//! at the price of buckets that are passed down level by level, a million keys of one instant at once.

use crate::arena::Slot;
use std::collections::BTreeSet;
use workyard_engine::Time;

/// The deadlines of all entries that have one.
#[derive(Default)]
pub(crate) struct Deadlines {
    due: BTreeSet<Due>,
}

/// Twelve bytes instead of the sixteen that a `u64` would be aligned to; ordered by time, then slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    high: u32,
    low: u32,
    slot: Slot,
}

const _: () = assert!(size_of::<Due>() == 12, "a third less than with a u64");

impl Deadlines {
    /// The deadline of the entry in this place was `before` and is `after`.
    pub(crate) fn set(&mut self, slot: Slot, before: Option<Time>, after: Option<Time>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            let was_there = self.due.remove(&Due::new(before, slot));
            assert!(was_there, "every entry that expires is in the tree");
        }
        if let Some(after) = after {
            self.due.insert(Due::new(after, slot));
        }
    }

    /// The entry that expires first, and when.
    pub(crate) fn first(&self) -> Option<(Time, Slot)> {
        self.due.first().map(|due| (due.time(), due.slot))
    }
}

impl Due {
    fn new(time: Time, slot: Slot) -> Self {
        let millis = time.as_millis();
        Self { high: (millis >> 32) as u32, low: millis as u32, slot }
    }

    fn time(self) -> Time {
        Time::from_millis(u64::from(self.high) << 32 | u64::from(self.low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::Arena;
    use crate::entry::Entry;
    use workyard_protocol::{Key, ValueRef};

    fn slots<const COUNT: usize>() -> [Slot; COUNT] {
        let mut arena = Arena::default();
        let key = Key::new("key").unwrap();
        [(); COUNT].map(|()| arena.insert(Entry::new(key, 0, ValueRef::Int(0), 1, None)))
    }

    #[test]
    fn the_earliest_comes_first_whatever_its_slot() {
        let [one, two, three] = slots();
        let mut deadlines = Deadlines::default();
        assert_eq!(deadlines.first(), None);
        let [early, late, last] = [1, 1 << 32, u64::MAX].map(Time::from_millis);
        deadlines.set(one, None, Some(last));
        deadlines.set(two, None, Some(late));
        assert_eq!(deadlines.first(), Some((late, two)));
        deadlines.set(three, None, Some(early));
        assert_eq!(deadlines.first(), Some((early, three)));
        deadlines.set(three, Some(early), None);
        deadlines.set(two, Some(late), None);
        assert_eq!(deadlines.first(), Some((last, one)));
    }

    #[test]
    fn an_entry_that_is_written_a_million_times_is_in_it_once() {
        let [slot] = slots();
        let mut deadlines = Deadlines::default();
        let mut before = None;
        for millis in 0..1_000_000 {
            let after = Some(Time::from_millis(millis % 1000));
            deadlines.set(slot, before, after);
            before = after;
            assert_eq!(deadlines.due.len(), 1);
        }
    }
}
