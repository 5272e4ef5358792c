//! What a batch has done so far, so that it can be undone.

use crate::arena::Slot;
use crate::entry::Entry;

/// One change, and what stood there before.
pub(crate) enum Undo {
    /// There was nothing.
    Inserted(Slot),
    /// There was this entry.
    Replaced(Slot, Entry),
    /// There was this entry, and now nothing is.
    Removed(Slot, Entry),
}

impl Undo {
    /// Where the change was made.
    pub(crate) fn slot(&self) -> Slot {
        match self {
            Self::Inserted(slot) | Self::Replaced(slot, _) | Self::Removed(slot, _) => *slot,
        }
    }
}
