//! `get`, `get_many` and `exists`: what only looks.

use crate::store::Store;
use workyard_protocol::globaldata::{Entry, Exists, Get, GetMany, Reply};
use workyard_protocol::{Reason, Refusal};

/// What an answer to `get_many` takes at most, its entries apart.
const ANSWER_BYTES: usize = 16;

/// What an entry of it takes at most, its value apart.
const ANSWER_ENTRY_BYTES: usize = 16;

impl Store {
    pub(crate) fn read(&self, get: Get<'_>) -> Reply<'_> {
        Reply::Got(self.table.lookup(get.key))
    }

    pub(crate) fn read_many(&self, get: &GetMany<'_>) -> Result<Reply<'_>, Refusal> {
        self.limits.check_items(get.keys.len(), "keys of a get_many")?;
        let entries: Vec<Option<Entry<'_>>> =
            get.keys.iter().map(|key| self.table.lookup(*key)).collect();
        let bytes = answer_bytes(&entries);
        if bytes > self.limits.reply_bytes_max {
            return Err(too_large(bytes, self.limits.reply_bytes_max));
        }
        Ok(Reply::GotMany(entries))
    }

    pub(crate) fn exists(&self, exists: Exists<'_>) -> Reply<'_> {
        Reply::Existence { revision: self.table.lookup(exists.key).map(|entry| entry.revision) }
    }
}

/// The most that these entries take as a frame.
fn answer_bytes(entries: &[Option<Entry<'_>>]) -> usize {
    let values: usize = entries.iter().flatten().map(|entry| entry.value.byte_len()).sum();
    ANSWER_BYTES + entries.len() * ANSWER_ENTRY_BYTES + values
}

fn too_large(bytes: usize, max: usize) -> Refusal {
    let text =
        format!("the answer takes {bytes} bytes, above reply_bytes_max, {max}: ask for less");
    Refusal::new(Reason::ReplyTooLarge, text)
}
