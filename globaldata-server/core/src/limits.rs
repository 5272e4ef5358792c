//! Every bound of the store, each with its unit last.

use crate::watch::Load;
use workyard_protocol::limits::{FRAME_BYTES_MAX, LIST_ITEMS_MAX};
use workyard_protocol::{Reason, Refusal};

/// What an entry is counted with beyond the bytes of its key and value: its slot, its place in the
/// index, and what an allocator adds.
pub const ENTRY_OVERHEAD_BYTES: usize = 64;

/// What an entry that expires is counted with beyond that: its deadline, and its place in the order of
/// all deadlines.
pub const EXPIRY_OVERHEAD_BYTES: usize = 48;

/// What a topic that is watched is counted with beyond its name, which counts twice: its places in the
/// tables of its session and of all.
pub const WATCH_OVERHEAD_BYTES: usize = 320;

/// How much a store may hold, and how much one request may ask of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    /// Most variables.
    pub keys_max: u32,
    /// Most memory: bytes of keys and values, [`ENTRY_OVERHEAD_BYTES`] for each variable, and
    /// [`EXPIRY_OVERHEAD_BYTES`] for each that expires.
    pub store_bytes_max: u64,
    /// Longest answer to a `get_many` or a batch, and longest page of `keys`.
    pub reply_bytes_max: usize,
    /// Most keys of a `get_many` and most steps of a batch.
    pub list_items_max: usize,
    /// Most slots that one request for a page of `keys` looks at.
    pub scan_slots_max: usize,
    /// Longest list, set or map that is changed, and longest value that is appended to: it is read and
    /// written whole, so this bounds what a request costs the others.
    pub modify_bytes_max: usize,
    /// Most bytes that the modifications of one batch read and make together: it bounds what the batch
    /// copies, keeps for a rollback, and costs the others.
    pub batch_modify_bytes_max: usize,
    /// Most variables that are freed at once when they have expired. Others are served in between.
    pub expire_keys_max: usize,
    /// About how many bytes these may count: large values take longer to free.
    pub expire_bytes_max: u64,
    /// Most locks that are held or waited for.
    pub locks_max: u32,
    /// Most claims of all sessions together: each holds a permit of a lock or waits for one.
    pub lock_claims_max: usize,
    /// Most claims of one session. It bounds what its end costs the others.
    pub lock_claims_per_session_max: usize,
    /// Most permits that are taken at once from holders whose time is over. Others are served in between.
    pub expire_locks_max: usize,
    /// Most topics that one session watches.
    pub session_watches_max: u32,
    /// Most topics that all sessions watch.
    pub watches_max: u32,
    /// Most bytes that the topics of one session count: their names twice, and
    /// [`WATCH_OVERHEAD_BYTES`] for each.
    pub session_watch_bytes_max: usize,
    /// Most bytes that the topics of all sessions count.
    pub watch_bytes_max: usize,
    /// Most changes that are kept for those who watch and were not there or too slow.
    pub watch_log_changes_max: usize,
    /// Most bytes that these may take.
    pub watch_log_bytes_max: usize,
    /// How long they are kept when nothing is watched any more.
    pub watch_log_linger_ms: u64,
    /// Most changes that are looked at at once to tell sessions again; one of long names or values counts
    /// as several, and so do topics that become live. Others are served in between.
    pub watch_portion_changes_max: usize,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            keys_max: 100_000_000,
            store_bytes_max: 16 * 1024 * 1024 * 1024,
            reply_bytes_max: FRAME_BYTES_MAX,
            list_items_max: LIST_ITEMS_MAX,
            scan_slots_max: 10_000,
            modify_bytes_max: 1024 * 1024,
            batch_modify_bytes_max: 16 * 1024 * 1024,
            expire_keys_max: 1000,
            expire_bytes_max: 16 * 1024 * 1024,
            locks_max: 100_000,
            lock_claims_max: 1_000_000,
            lock_claims_per_session_max: 10_000,
            expire_locks_max: 1000,
            session_watches_max: 100_000,
            watches_max: 1_000_000,
            session_watch_bytes_max: 64 * 1024 * 1024,
            watch_bytes_max: 1024 * 1024 * 1024,
            watch_log_changes_max: 262_144,
            watch_log_bytes_max: 64 * 1024 * 1024,
            watch_log_linger_ms: 60_000,
            watch_portion_changes_max: 10_000,
        }
    }
}

impl StoreLimits {
    /// Whether there may be so many variables.
    pub(crate) fn check_keys(&self, keys: u64) -> Result<(), Refusal> {
        if keys <= u64::from(self.keys_max) {
            return Ok(());
        }
        let max = self.keys_max;
        Err(reached(format!("one key more is above keys_max, {max}: delete some first")))
    }

    /// Whether they may take so many bytes.
    pub(crate) fn check_bytes(&self, bytes: u64) -> Result<(), Refusal> {
        if bytes <= self.store_bytes_max {
            return Ok(());
        }
        let max = self.store_bytes_max;
        Err(reached(format!(
            "the store would take {bytes} bytes, above store_bytes_max, {max}: delete some first"
        )))
    }

    /// Whether so many locks may be in use.
    pub(crate) fn check_locks(&self, count: usize) -> Result<(), Refusal> {
        let max = self.locks_max as usize;
        check_claims(count, "locks in use", "locks_max", max)
    }

    /// Whether all sessions together may hold and wait for so many locks.
    pub(crate) fn check_claims(&self, count: usize) -> Result<(), Refusal> {
        check_claims(count, "locks held and waited for", "lock_claims_max", self.lock_claims_max)
    }

    /// Whether one session may.
    pub(crate) fn check_claims_of_session(&self, count: usize) -> Result<(), Refusal> {
        let (what, max) = ("locks of one session", self.lock_claims_per_session_max);
        check_claims(count, what, "lock_claims_per_session_max", max)
    }

    /// Whether a session, and all together, may watch so much, `factor` times the limits at most.
    pub(crate) fn check_watches(
        &self,
        session: Load,
        all: Load,
        factor: usize,
    ) -> Result<(), Refusal> {
        let (own_max, all_max) = (self.session_watches_max as usize, self.watches_max as usize);
        let (own_bytes_max, all_bytes_max) = (self.session_watch_bytes_max, self.watch_bytes_max);
        let bounds = [
            (session.topics, "watches", "session_watches_max", own_max),
            (all.topics, "watches", "watches_max", all_max),
            (session.bytes, "bytes of watches", "session_watch_bytes_max", own_bytes_max),
            (all.bytes, "bytes of watches", "watch_bytes_max", all_bytes_max),
        ];
        for (count, what, name, max) in bounds {
            if count > max.saturating_mul(factor) {
                let text = format!("{count} {what} are above {name}, {max}: end some first");
                return Err(reached(text));
            }
        }
        Ok(())
    }

    /// Whether a request may have so many `items`.
    pub(crate) fn check_items(&self, count: usize, items: &str) -> Result<(), Refusal> {
        if count <= self.list_items_max {
            return Ok(());
        }
        let max = self.list_items_max;
        Err(reached(format!("{count} {items} are above list_items_max, {max}")))
    }

    /// Whether an answer may take so many bytes.
    pub(crate) fn check_reply(&self, bytes: usize) -> Result<(), Refusal> {
        if bytes <= self.reply_bytes_max {
            return Ok(());
        }
        let max = self.reply_bytes_max;
        let text = format!(
            "the answer could take {bytes} bytes, above reply_bytes_max, {max}: ask for less at once"
        );
        Err(Refusal::new(Reason::ReplyTooLarge, text))
    }
}

fn check_claims(count: usize, what: &str, limit: &str, max: usize) -> Result<(), Refusal> {
    if count <= max {
        return Ok(());
    }
    Err(reached(format!("{count} {what} are above {limit}, {max}: unlock some first")))
}

fn reached(text: String) -> Refusal {
    Refusal::new(Reason::LimitReached, text)
}
