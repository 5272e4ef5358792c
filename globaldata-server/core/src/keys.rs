//! `keys`: pages of what there is.

use crate::page::Page;
use crate::store::Store;
use workyard_engine::Time;
use workyard_protocol::Key;
use workyard_protocol::globaldata::{Entry, KeyInfo, Keys, Reply};

/// What an entry takes at most as its reader counts it, its key apart: length, revision, tag, size,
/// option of ttl.
const PAGE_ENTRY_BYTES: usize = 8 + 8 + 1 + 4 + 9;

impl Store {
    pub(crate) fn keys(&self, now: Time, request: Keys<'_>) -> Reply<'_> {
        let mut page = Page::new(request.limit, &self.limits);
        let mut keys: Vec<KeyInfo<'_>> = Vec::new();
        let cursor = self.scan(now, request.prefix, request.cursor, |key, entry| {
            let fits = page.take(PAGE_ENTRY_BYTES + key.len(), 0);
            if fits {
                keys.push(info(key, entry));
            }
            fits
        });
        Reply::Keys { cursor, keys }
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
