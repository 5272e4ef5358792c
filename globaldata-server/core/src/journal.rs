//! What a batch has done so far, so that it can be undone.

use crate::arena::Slot;
use crate::entry::Entry;

/// One change, and what stood there before.
pub(crate) enum Undo {
    /// There was nothing.
    Inserted(Slot),
    /// There was this entry, which may have been gone.
    Replaced(Slot, Entry),
    /// There was the entry that is marked as gone now.
    Removed(Slot),
}
