//! `keys`: pages of what there is.

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
    pub(crate) fn keys(&self, now: Time, request: Keys<'_>) -> Reply<'_> {
        let mut page = Page::new(request, self.limits.reply_bytes_max);
        let cursor =
            self.scan(now, request.prefix, request.cursor, |key, entry| page.take(key, entry));
        Reply::Keys { cursor, keys: page.keys }
    }
}

/// A page as it fills.
struct Page<'a> {
    keys_max: usize,
    keys: Vec<KeyInfo<'a>>,
    bytes_left: usize,
}

impl<'a> Page<'a> {
    /// All of a page is header to its reader, who takes no more of that than [`HEADER_BYTES_MAX`].
    fn new(request: Keys<'_>, reply_bytes_max: usize) -> Self {
        let bytes_left = reply_bytes_max.min(HEADER_BYTES_MAX).saturating_sub(PAGE_BYTES);
        Self { keys_max: request.limit as usize, keys: Vec::new(), bytes_left }
    }

    /// Whether an entry still goes in.
    fn take(&mut self, key: &'a [u8], entry: Entry<'a>) -> bool {
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
        self.keys.len() >= self.keys_max
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
