//! Reading the state that a watcher begins with, page by page, as fast as it takes it.

use super::feed::{Told, Topic};
use super::watcher::Stage;
use super::{Asked, WatcherId, Watches, next, no_answer};
use crate::watch::WatchEvent;
use bytes::Bytes;
use std::time::Duration;
use workyard_link::{Outbox, Received};
use workyard_planted::planted;
use workyard_protocol::globaldata::{Entries, Exists, Get, Keys, Reply, Request};
use workyard_protocol::{DecodeError, Key, Value};

/// A variable as a page tells of it.
struct Listed {
    key: Bytes,
    revision: u64,
    ttl_ms: Option<u64>,
    value: Option<Value>,
}

impl Watches {
    /// Asks for the next page, if one is wanted and there is room for it.
    pub(super) fn ask_page(&mut self, id: WatcherId, outbox: &mut Outbox) {
        let token = next(&mut self.last_token);
        let watcher = self.watcher(id);
        let is_told = matches!(watcher.stage, Stage::Live { .. } | Stage::Again(_));
        let Some(listing) = &mut watcher.listing else { return };
        if !is_told || listing.asked.is_some() || !watcher.what.feed.wait_for_room(0) {
            return;
        }
        listing.asked = Some(token);
        let (cursor, limit) = (listing.cursor, watcher.what.feed.page_items());
        let request = match (&watcher.what.topic, watcher.what.values) {
            (Topic::Key(key), true) => Request::Get(Get { key: key_of(key) }),
            (Topic::Key(key), false) => Request::Exists(Exists { key: key_of(key) }),
            (Topic::Prefix(prefix), true) => Request::Entries(Entries { prefix, cursor, limit }),
            (Topic::Prefix(prefix), false) => Request::Keys(Keys { prefix, cursor, limit }),
        };
        outbox.request(token, &request);
        self.asked.insert(token, Asked::Page(id));
    }

    /// Whether a page is still wanted: not if everything has begun anew since it was asked for.
    pub(super) fn is_wanted(&self, id: WatcherId, token: u64) -> bool {
        let listing = self.by_id.get(&id).and_then(|watcher| watcher.listing);
        listing.is_some_and(|listing| listing.asked == Some(token))
    }

    /// A page has come.
    pub(super) fn listed(
        &mut self,
        id: WatcherId,
        token: u64,
        received: &Received,
        outbox: &mut Outbox,
    ) -> Result<(), DecodeError> {
        if !self.is_wanted(id, token) {
            return Ok(());
        }
        let watcher = self.watcher(id);
        let Some(listing) = &mut watcher.listing else { return Ok(()) };
        let (cursor, page) = read(received, &watcher.what.topic)?;
        (listing.cursor, listing.asked) = (cursor, None);
        for Listed { key, revision, ttl_ms, value } in page {
            // What is newer than the watch has come, or will, as a change.
            if revision > listing.upto && !planted!("listing-is-newer-than-its-revision") {
                watcher.passed_over = watcher.passed_over.max(revision);
                continue;
            }
            let ttl = ttl_ms.map(Duration::from_millis);
            let event = WatchEvent::Stored { key, revision, ttl, value };
            watcher.what.feed.insist(Told::new(event));
        }
        match cursor {
            0 => {
                watcher.listing = None;
                self.progressed(id);
            }
            _ => self.ask_page(id, outbox),
        }
        Ok(())
    }
}

/// Reads what a page tells, and where the next one begins.
fn read(received: &Received, topic: &Topic) -> Result<(u64, Vec<Listed>), DecodeError> {
    let of_topic = |revision, ttl_ms, value| {
        let key = topic.name().clone();
        Listed { key, revision, ttl_ms, value }
    };
    Ok(match received.decode()? {
        Reply::Got(entry) => {
            let entry = entry.map(|entry| {
                of_topic(entry.revision, entry.ttl_ms, Some(received.keep_value(entry.value)))
            });
            (0, entry.into_iter().collect())
        }
        Reply::Existence(found) => {
            let found = found.map(|found| of_topic(found.revision, found.ttl_ms, None));
            (0, found.into_iter().collect())
        }
        Reply::Entries { cursor, entries } => {
            let listed = entries.into_iter().map(|(key, entry)| Listed {
                key: received.keep(key.as_bytes()),
                revision: entry.revision,
                ttl_ms: entry.ttl_ms,
                value: Some(received.keep_value(entry.value)),
            });
            (cursor, listed.collect())
        }
        Reply::Keys { cursor, keys } => {
            let listed = keys.into_iter().map(|info| Listed {
                key: received.keep(info.key.as_bytes()),
                revision: info.revision,
                ttl_ms: info.ttl_ms,
                value: None,
            });
            (cursor, listed.collect())
        }
        other => return Err(no_answer(&other)),
    })
}

fn key_of(key: &Bytes) -> Key<'_> {
    Key::new(key).expect("it was a key when it came in")
}
