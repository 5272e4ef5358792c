//! `entries`: pages of what there is, with values.

use crate::page::Page;
use crate::store::Store;
use workyard_engine::Time;
use workyard_protocol::Key;
use workyard_protocol::globaldata::{Entries, Entry, Reply};

/// What an entry takes at most as its reader counts it, key and value apart: length, revision, option of
/// ttl, tag, length.
const PAGE_ENTRY_BYTES: usize = 8 + 8 + 9 + 1 + 4;

impl Store {
    pub(crate) fn entries(&self, now: Time, request: Entries<'_>) -> Reply<'_> {
        let mut page = Page::new(request.limit, &self.limits);
        let mut entries: Vec<(Key<'_>, Entry<'_>)> = Vec::new();
        let cursor = self.scan(now, request.prefix, request.cursor, |key, entry| {
            let fits = page.take(PAGE_ENTRY_BYTES + key.len(), entry.value.byte_len());
            if fits {
                entries.push((Key::new(key).expect("it was a key when it was stored"), entry));
            }
            fits
        });
        Reply::Entries { cursor, entries }
    }
}
