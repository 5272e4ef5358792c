//! One session that watches: what, and how far it has been told.

use super::load::Load;
use super::log::{ChangeLog, Place};
use super::replays::Replays;
use super::topics::Topics;
use workyard_engine::{Outbox, SessionId, Time};
use workyard_planted::planted;
use workyard_protocol::globaldata::{GlobalDataWire, Push};

/// A session that watches something.
#[derive(Default)]
pub(super) struct Follower {
    /// What it is told of as it happens, and whether with values.
    pub(super) live: Topics<bool>,
    /// Where it goes on being told of that, if it was too slow.
    pub(super) behind: Option<Cursor>,
    /// What it wants to be told again, one after the other.
    pub(super) replays: Replays,
    /// Whether it waits for another portion.
    pub(super) queued: bool,
    /// Topics that are live or to be told again.
    pub(super) load: Load,
}

/// A place in the log.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    pub(super) next: u64,
    /// Whether a part of the batch that it stands in may have been told.
    pub(super) open: bool,
}

/// How reading the log ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Everything is told.
    All,
    /// The session has no room.
    Full,
    /// The portion is used up.
    Spent,
    /// What comes next is in the log no more.
    Compacted,
}

/// Whether these topics cover a key, and if so, whether with its value.
pub(super) fn wants(topics: &Topics<bool>, key: &[u8]) -> Option<bool> {
    let mut wanted = None;
    topics.covering(key, |values| wanted = Some(wanted.unwrap_or(false) || *values));
    wanted
}

/// Tells a session what stands in the log from a cursor on, as far as the portion goes.
pub(super) struct Reader<'a> {
    pub(super) log: &'a ChangeLog,
    pub(super) now: Time,
    pub(super) session: SessionId,
    /// The request that it is told for.
    pub(super) watch: Option<u32>,
}

impl Reader<'_> {
    pub(super) fn read(
        &self,
        cursor: &mut Cursor,
        portion: &mut usize,
        wants: impl Fn(&[u8]) -> Option<bool>,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) -> Read {
        let Self { log, now, session, watch } = *self;
        while cursor.next < log.end() {
            let Some(record) = log.get(cursor.next) else {
                return if planted!("compaction-is-not-told") {
                    Read::All
                } else {
                    Read::Compacted
                };
            };
            if *portion == 0 {
                return Read::Spent;
            }
            let wanted = wants(record.key());
            *portion = portion.saturating_sub(record.work(wanted));
            if let Some(values) = wanted {
                if !outbox.has_room(session) {
                    cursor.next += u64::from(planted!("slow-watcher-loses-a-change"));
                    return Read::Full;
                }
                outbox.push(session, record.push(now, watch, values));
                cursor.open |= record.place != Place::Alone;
            }
            if record.place == Place::End && std::mem::take(&mut cursor.open) {
                let revision = record.revision;
                outbox.push(session, Push::Reached { watch, revision, live: false });
            }
            cursor.next += 1;
        }
        Read::All
    }
}
