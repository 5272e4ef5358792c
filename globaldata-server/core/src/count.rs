//! `count`: how many variables there are, portion by portion.
//!
//! Counted when somebody asks, not as variables come and go: a number for every prefix that somebody
//! might ask for would cost each write a walk through them, and memory with each key.

use crate::store::Store;
use workyard_engine::Time;
use workyard_protocol::globaldata::{Count, Reply};

impl Store {
    pub(crate) fn count(&self, now: Time, request: Count<'_>) -> Reply<'static> {
        let mut count = 0;
        let cursor = self.scan(now, request.prefix, request.cursor, |_, _| {
            count += 1;
            true
        });
        Reply::Counted { cursor, count }
    }
}
