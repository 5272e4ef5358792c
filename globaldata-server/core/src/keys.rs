//! `keys`: pages of what there is, in the order of slots, which nothing changes.

use crate::arena::Seen;
use crate::store::Store;
use workyard_engine::Time;
use workyard_protocol::Key;
use workyard_protocol::globaldata::{Entry, KeyInfo, Keys, Reply};
use workyard_protocol::limits::HEADER_BYTES_MAX;

/// What a page takes at most, its entries apart.
const PAGE_BYTES: usize = 32;

/// What an entry takes at most as its reader counts it, its key apart: length, revision, tag, size,
/// option of ttl.
const PAGE_ENTRY_BYTES: usize = 8 + 8 + 1 + 4 + 9;

impl Store {
    /// The cursor is the next slot to look at. An entry keeps its slot, so it comes exactly once.
    pub(crate) fn keys(&self, now: Time, request: Keys<'_>) -> Reply<'_> {
        let mut page = Page::new(request, self.limits.reply_bytes_max);
        let mut position = request.cursor;
        for _ in 0..self.limits.scan_slots_max.max(1) {
            position = match self.table.look(position) {
                Seen::Entry(entry) => match entry.view(now) {
                    Some(seen) if !page.take(entry.key(), seen) => break,
                    _ => position + 1,
                },
                Seen::Nothing(next) => next,
                Seen::End => break,
            };
        }
        let cursor = match self.table.look(position) {
            Seen::End => 0,
            _ => position,
        };
        Reply::Keys { cursor, keys: page.keys }
    }
}

/// A page as it fills.
struct Page<'r, 'a> {
    request: Keys<'r>,
    keys: Vec<KeyInfo<'a>>,
    bytes_left: usize,
}

impl<'r, 'a> Page<'r, 'a> {
    /// All of a page is header to its reader, who takes no more of that than [`HEADER_BYTES_MAX`].
    fn new(request: Keys<'r>, reply_bytes_max: usize) -> Self {
        let bytes_left = reply_bytes_max.min(HEADER_BYTES_MAX).saturating_sub(PAGE_BYTES);
        Self { request, keys: Vec::new(), bytes_left }
    }

    /// Takes an entry if it is asked for. Whether that is done with; else the page is full.
    fn take(&mut self, key: &'a [u8], entry: Entry<'a>) -> bool {
        if !key.starts_with(self.request.prefix) {
            return true;
        }
        let bytes = PAGE_ENTRY_BYTES + key.len();
        // The first one always goes in, or a small limit would end no scan.
        if !self.keys.is_empty() && (self.is_full() || bytes > self.bytes_left) {
            return false;
        }
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.keys.push(info(key, entry));
        true
    }

    fn is_full(&self) -> bool {
        self.keys.len() >= self.request.limit as usize
    }
}

fn info<'a>(key: &'a [u8], entry: Entry<'a>) -> KeyInfo<'a> {
    let Entry { revision, ttl_ms, value } = entry;
    KeyInfo {
        key: Key::new(key).expect("it was a key when it was stored"),
        revision,
        tag: value.tag(),
        size: u32::try_from(value.byte_len()).expect("a value is bounded by its frame"),
        ttl_ms,
    }
}
