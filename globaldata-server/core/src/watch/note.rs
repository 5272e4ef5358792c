//! What a store notes of each change, while there is anybody to tell.

use super::Watches;
use super::log::{ChangeLog, Place, Record};
use crate::arena::Slot;
use crate::store::Store;
use workyard_engine::{Outbox, Time};
use workyard_protocol::Key;
use workyard_protocol::globaldata::GlobalDataWire;

impl Watches {
    /// Whether changes are to be noted.
    pub(crate) fn is_on(&self) -> bool {
        self.state.is_some()
    }

    fn log(&mut self) -> Option<&mut ChangeLog> {
        self.state.as_mut().map(|state| &mut state.log)
    }
}

impl Store {
    /// Tells everybody who watches of all that has changed since the last call. Whoever calls
    /// [`Store::update`] calls this before it answers: who hears that a write is done has heard of the
    /// change before, if the connection is the same.
    pub fn announce(&mut self, now: Time, outbox: &mut impl Outbox<GlobalDataWire>) {
        if self.watches.is_on() {
            self.watches.announce(now, self.revision, &self.limits, outbox);
        }
    }

    /// The latest revision is a write of this variable.
    pub(crate) fn note_write(&mut self, key: Key<'_>) {
        let Some(log) = self.watches.log() else { return };
        log.push(match self.table.find(self.table.hashed(key)) {
            Some(slot) => Record::set(self.table.entry(slot), Place::Alone),
            None => Record::deleted(key.as_bytes(), self.revision, Place::Alone),
        });
    }

    /// The next revision is that of the expiry of the variable in this place.
    pub(crate) fn note_expiry(&mut self, slot: Slot) {
        if let Some(log) = self.watches.log() {
            log.push(Record::expired(self.table.entry(slot).key(), self.revision + 1));
        }
    }

    /// The next revision is that of the batch that ends: what it has come to, each variable once.
    pub(crate) fn note_batch(&mut self) {
        let Some(log) = self.watches.log() else { return };
        let mut changes = self.table.net_changes().into_iter().peekable();
        let mut is_alone = true;
        while let Some(slot) = changes.next() {
            let place = match (is_alone, changes.peek()) {
                (true, None) => Place::Alone,
                (_, Some(_)) => Place::Part,
                (false, None) => Place::End,
            };
            is_alone = false;
            let entry = self.table.entry(slot);
            log.push(match entry.is_gone() {
                true => Record::deleted(entry.key(), self.revision + 1, place),
                false => Record::set(entry, place),
            });
        }
    }
}
