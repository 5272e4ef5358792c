//! `entries`: pages of what there is, with values.

use crate::store::Store;
use workyard_engine::Time;
use workyard_protocol::Key;
use workyard_protocol::globaldata::{Entries, Entry, Reply};
use workyard_protocol::limits::HEADER_BYTES_MAX;

/// What a page takes at most, its entries apart.
const PAGE_BYTES: usize = 32;

/// What an entry takes at most as its reader counts it, key and value apart: length, revision, option of
/// ttl, tag, length.
const PAGE_ENTRY_BYTES: usize = 8 + 8 + 9 + 1 + 4;

impl Store {
    pub(crate) fn entries(&self, now: Time, request: Entries<'_>) -> Reply<'_> {
        let mut entries: Vec<(Key<'_>, Entry<'_>)> = Vec::new();
        let mut bytes_left = self.limits.reply_bytes_max.saturating_sub(PAGE_BYTES);
        // Beside the values, a page is header to its reader, who takes no more of that.
        let mut header_left = HEADER_BYTES_MAX - PAGE_BYTES;
        let cursor = self.scan(now, request.prefix, request.cursor, |key, entry| {
            let header = PAGE_ENTRY_BYTES + key.len();
            let bytes = header + entry.value.byte_len();
            let fits = entries.len() < request.limit as usize
                && header <= header_left
                && bytes <= bytes_left;
            // The first one always goes in, or a small limit would end no scan.
            if !fits && !entries.is_empty() {
                return false;
            }
            header_left = header_left.saturating_sub(header);
            bytes_left = bytes_left.saturating_sub(bytes);
            entries.push((Key::new(key).expect("it was a key when it was stored"), entry));
            true
        });
        Reply::Entries { cursor, entries }
    }
}
