//! `locks`: pages of what is held and waited for, in the order of places, which nothing changes.

use super::Locks;
use super::lock::Lock;
use crate::limits::StoreLimits;
use crate::page::Page;
use workyard_engine::Time;
use workyard_protocol::LockName;
use workyard_protocol::globaldata::{self, LockInfo, Reply};

/// What an entry takes at most as its reader counts it, its name apart: length, permits, holders,
/// waiters, token, ttl.
const PAGE_ENTRY_BYTES: usize = 8 + 4 + 4 + 4 + 8 + 8;

impl Locks {
    /// The cursor is the next place to look at. A lock keeps its place, so it comes exactly once.
    pub(crate) fn page(
        &self,
        limits: &StoreLimits,
        now: Time,
        request: globaldata::Locks<'_>,
    ) -> Reply<'_> {
        let mut page = Page::new(request.limit, limits);
        let mut locks: Vec<LockInfo<'_>> = Vec::new();
        let end = self.names.end();
        let mut position = request.cursor;
        for _ in 0..limits.scan_slots_max.max(1) {
            if position >= end {
                break;
            }
            let lock = self.names.look(position);
            if let Some(lock) = lock.filter(|lock| lock.name.starts_with(request.prefix)) {
                if !page.take(PAGE_ENTRY_BYTES + lock.name.len(), 0) {
                    break;
                }
                locks.push(info(now, lock));
            }
            position += 1;
        }
        let cursor = if position >= end { 0 } else { position };
        Reply::Locks { cursor, locks }
    }
}

/// What is so at this instant: who has it longest may be overdue, for a moment.
fn info(now: Time, lock: &Lock) -> LockInfo<'_> {
    let (token, first) = lock.holders.first_key_value().expect("a lock that exists is held");
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    LockInfo {
        name: LockName::new(&*lock.name).expect("it was a name when it was locked"),
        permits: lock.permits.get(),
        holders: count(lock.holders.len()),
        waiters: count(lock.waiters.len()),
        token: *token,
        ttl_ms: first.deadline.millis_since(now),
    }
}
