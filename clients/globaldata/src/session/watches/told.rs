//! What the server tells of what is watched.

use super::feed::{Mark, Told};
use super::watcher::Stage;
use super::{Open, WatcherId, Watches};
use crate::watch::WatchEvent;
use bytes::Bytes;
use std::time::Duration;
use workyard_link::{Outbox, Received};
use workyard_protocol::globaldata::Change;
use workyard_protocol::{Key, Value};

/// A change as it was pushed.
pub(crate) struct Pushed<'a> {
    pub(crate) watch: Option<u32>,
    pub(crate) key: Key<'a>,
    pub(crate) revision: u64,
    pub(crate) more: bool,
    pub(crate) change: Change<'a>,
}

impl Watches {
    pub(crate) fn changed(&mut self, push: &Received, changed: &Pushed<'_>, outbox: &mut Outbox) {
        let &Pushed { watch, key, revision, more, change } = changed;
        let mut full = Vec::new();
        let name = push.keep(key.as_bytes());
        for id in self.index.covering(key.as_bytes()) {
            let watcher = self.by_id.get_mut(&id).expect("the index knows who is there");
            let hears = match (watcher.stage, watch) {
                (Stage::Live { from }, None) => revision > from,
                (Stage::Again(number), Some(watch)) => number == watch,
                _ => false,
            };
            if !hears {
                continue;
            }
            let told = Told::new(event(push, &name, revision, change, watcher.what.values));
            if more {
                if watcher.parts.is_empty() {
                    let open = self.open.entry(watch);
                    open.or_insert(Open { revision, ids: Vec::new() }).ids.push(id);
                }
                watcher.parts.push(told);
            } else if let Some(connection) = self.connection {
                let mark = Mark { epoch: connection.epoch, revision };
                if let Err(bytes) = watcher.what.feed.offer(vec![told], mark) {
                    full.push((id, bytes));
                }
            }
        }
        self.stall_all(full, outbox);
        if !more {
            self.reached_by(watch, revision);
            self.settle();
        }
    }

    pub(crate) fn reached(
        &mut self,
        watch: Option<u32>,
        revision: u64,
        live: bool,
        outbox: &mut Outbox,
    ) {
        if watch.is_none() && !live {
            self.progress.set_behind(true);
        }
        self.end_batch(watch, revision, outbox);
        self.reached_by(watch, revision);
        if !live {
            return;
        }
        match watch {
            None => self.progress.set_behind(false),
            // The server tells again only what is told of everything else already.
            Some(watch) => {
                self.progress.reach(revision);
                for id in self.again.remove(&watch).into_iter().flat_map(|again| again.ids) {
                    self.watcher(id).stage = Stage::Live { from: revision };
                    self.progressed(id);
                }
            }
        }
        self.settle();
    }

    /// Hands over the parts of the batch of this revision.
    fn end_batch(&mut self, watch: Option<u32>, revision: u64, outbox: &mut Outbox) {
        let Some(connection) = self.connection else { return };
        // One that the server could not tell to its end goes on later.
        let Some(open) = self.open.remove(&watch) else { return };
        if open.revision != revision {
            self.open.insert(watch, open);
            return;
        }
        let mark = Mark { epoch: connection.epoch, revision };
        let mut full = Vec::new();
        for id in open.ids {
            let Some(watcher) = self.by_id.get_mut(&id) else { continue };
            let parts = std::mem::take(&mut watcher.parts);
            // Nothing is left for one who was stopped meanwhile.
            if !parts.is_empty()
                && let Err(bytes) = watcher.what.feed.offer(parts, mark)
            {
                full.push((id, bytes));
            }
        }
        self.stall_all(full, outbox);
    }

    pub(crate) fn compacted(&mut self, watch: Option<u32>, outbox: &mut Outbox) {
        let ids: Vec<WatcherId> = match watch {
            Some(watch) => {
                let again = self.again.remove(&watch);
                again.into_iter().flat_map(|again| again.ids).collect()
            }
            None => {
                let live = self.by_id.iter().filter(|(_, watcher)| watcher.is_live());
                live.map(|(id, _)| *id).collect()
            }
        };
        if watch.is_none() {
            self.progress.set_behind(false);
        }
        self.open.remove(&watch);
        self.begin_anew(ids, outbox);
    }

    /// Stops those who had no room for what has come, before it counts as told.
    fn stall_all(&mut self, full: Vec<(WatcherId, usize)>, outbox: &mut Outbox) {
        for (id, bytes) in full {
            let told = self.told(id);
            self.stall(id, told, bytes, outbox);
        }
    }

    /// Lets those catch up who waited for what has come.
    fn settle(&mut self) {
        if self.progress.is_behind() {
            return;
        }
        let waiting: Vec<_> = self.nearly_there.iter().copied().collect();
        waiting.into_iter().for_each(|id| self.progressed(id));
    }

    fn reached_by(&mut self, watch: Option<u32>, revision: u64) {
        match watch {
            None => self.progress.reach(revision),
            Some(watch) => {
                if let Some(again) = self.again.get_mut(&watch) {
                    again.reached = again.reached.max(revision);
                }
            }
        }
    }
}

fn event(
    push: &Received,
    key: &Bytes,
    revision: u64,
    change: Change<'_>,
    values: bool,
) -> WatchEvent {
    let key = key.clone();
    match change {
        Change::Set { ttl_ms, value } => {
            let value: Option<Value> = value.filter(|_| values).map(|value| push.keep_value(value));
            WatchEvent::Stored { key, revision, ttl: ttl_ms.map(Duration::from_millis), value }
        }
        Change::Deleted => WatchEvent::Deleted { key, revision },
        Change::Expired => WatchEvent::Expired { key, revision },
    }
}
