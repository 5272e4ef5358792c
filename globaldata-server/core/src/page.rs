//! How much goes into a page of a scan.

use crate::limits::StoreLimits;
use workyard_protocol::limits::HEADER_BYTES_MAX;

/// What a page takes at most, its entries apart.
const PAGE_BYTES: usize = 32;

/// The room in a page as it fills: for entries, for what its reader takes as header, and for all of it.
pub(crate) struct Page {
    is_empty: bool,
    entries_left: usize,
    header_left: usize,
    bytes_left: usize,
}

impl Page {
    /// An empty page for so many entries.
    pub(crate) fn new(entries_max: u32, limits: &StoreLimits) -> Self {
        Self {
            is_empty: true,
            entries_left: entries_max as usize,
            header_left: HEADER_BYTES_MAX - PAGE_BYTES,
            bytes_left: limits.reply_bytes_max.saturating_sub(PAGE_BYTES),
        }
    }

    /// Takes an entry in, of so many bytes as header and so many of a value. Whether it fits.
    pub(crate) fn take(&mut self, header: usize, value: usize) -> bool {
        let fits = self.entries_left > 0
            && header <= self.header_left
            && header + value <= self.bytes_left;
        // The first one always goes in, or a small limit would end no scan.
        if !fits && !self.is_empty {
            return false;
        }
        self.is_empty = false;
        self.entries_left = self.entries_left.saturating_sub(1);
        self.header_left = self.header_left.saturating_sub(header);
        self.bytes_left = self.bytes_left.saturating_sub(header + value);
        true
    }
}
