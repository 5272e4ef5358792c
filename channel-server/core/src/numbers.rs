//! Numbers that grow and are never given twice.

use workyard_engine::Route;

/// Gives serials, by which members are ordered, and routes. Both come from one row, so that a change
/// of members needs a single number for either purpose.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    last: u64,
}

impl Numbers {
    /// The next number; 1 at first.
    pub(crate) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The next number, as the name of a set of recipients.
    pub(crate) fn next_route(&mut self) -> Route {
        Route(self.next())
    }
}
