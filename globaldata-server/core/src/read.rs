//! `get`, `get_many` and `exists`: what only looks.

use crate::store::Store;
use workyard_engine::Time;
use workyard_protocol::Refusal;
use workyard_protocol::globaldata::{Entry, Existence, Exists, Get, GetMany, Reply};

/// What an answer to `get_many` takes at most, its entries apart.
const ANSWER_BYTES: usize = 16;

/// What an entry of it takes at most, its value apart: option, revision, option of ttl, tag, length.
const ANSWER_ENTRY_BYTES: usize = 1 + 9 + 10 + 1 + 5;

impl Store {
    pub(crate) fn read(&self, now: Time, get: Get<'_>) -> Reply<'_> {
        Reply::Got(self.table.lookup(now, get.key))
    }

    pub(crate) fn read_many(&self, now: Time, get: &GetMany<'_>) -> Result<Reply<'_>, Refusal> {
        self.limits.check_items(get.keys.len(), "keys of a get_many")?;
        let entries: Vec<Option<Entry<'_>>> =
            get.keys.iter().map(|key| self.table.lookup(now, *key)).collect();
        self.limits.check_reply(answer_bytes(&entries))?;
        Ok(Reply::GotMany(entries))
    }

    pub(crate) fn exists(&self, now: Time, exists: Exists<'_>) -> Reply<'_> {
        let entry = self.table.lookup(now, exists.key);
        Reply::Existence(entry.map(|Entry { revision, ttl_ms, .. }| Existence { revision, ttl_ms }))
    }
}

/// The most that these entries take as a frame.
fn answer_bytes(entries: &[Option<Entry<'_>>]) -> usize {
    let values: usize = entries.iter().flatten().map(|entry| entry.value.byte_len()).sum();
    ANSWER_BYTES + entries.len() * ANSWER_ENTRY_BYTES + values
}
