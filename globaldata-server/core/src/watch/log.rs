//! The latest changes, kept as long as their bounds allow, for whoever was not there or too slow.

use crate::entry::{self, Entry};
use crate::limits::StoreLimits;
use std::collections::VecDeque;
use workyard_engine::Time;
use workyard_protocol::globaldata::{Change, Push};
use workyard_protocol::{Key, ValueRef, ValueTag};

/// So many bytes of a key that is looked for, or of a change that is told, take about as long as a change
/// alone.
const WORK_BYTES: usize = 256;

/// Changes in the order in which they happened, each with its place, counted since the log began.
///
/// Values are kept too. Without them whoever reads the log late could be told only what a variable is
/// now: two changes would look like one, and what is told would depend on how fast it is read.
pub(super) struct ChangeLog {
    records: VecDeque<Record>,
    /// The place of the first record.
    first: u64,
    bytes: usize,
    /// What all records so far took together.
    bytes_ever: u64,
    /// All changes after this revision are here.
    since: u64,
}

/// One change.
pub(super) struct Record {
    /// The key, then the value if there is one.
    data: Box<[u8]>,
    pub(super) revision: u64,
    kind: Kind,
    key_length: u16,
    pub(super) place: Place,
}

/// What became of the variable.
enum Kind {
    Set { tag: ValueTag, deadline: Option<Time> },
    Deleted,
    Expired,
}

/// Where a change stands among those of its revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the only one.
    Alone,
    /// Others follow.
    Part,
    /// It is the last of several.
    End,
}

impl Record {
    /// An entry as it is from now on.
    pub(super) fn set(entry: &Entry, place: Place) -> Self {
        let kind = Kind::Set { tag: entry.value().tag(), deadline: entry.deadline() };
        Self::new(entry.key(), Some(entry.value()), entry.revision, kind, place)
    }

    pub(super) fn deleted(key: &[u8], revision: u64, place: Place) -> Self {
        Self::new(key, None, revision, Kind::Deleted, place)
    }

    pub(super) fn expired(key: &[u8], revision: u64) -> Self {
        Self::new(key, None, revision, Kind::Expired, Place::Alone)
    }

    fn new(
        key: &[u8],
        value: Option<ValueRef<'_>>,
        revision: u64,
        kind: Kind,
        place: Place,
    ) -> Self {
        let key_length = u16::try_from(key.len()).expect("a key is bounded by NAME_BYTES_MAX");
        let data = match value {
            Some(value) => entry::with_bytes(value, |bytes| [key, bytes].concat().into()),
            None => key.into(),
        };
        Self { data, revision, kind, key_length, place }
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.data[..usize::from(self.key_length)]
    }

    /// Whether it has a value.
    pub(super) fn is_set(&self) -> bool {
        matches!(self.kind, Kind::Set { .. })
    }

    /// The change as it is told at this instant. A lifetime that is over by then counts as the shortest:
    /// its end is told by a change of its own.
    pub(super) fn push(&self, now: Time, watch: Option<u32>, values: bool) -> Push<'_> {
        let change = match self.kind {
            Kind::Set { tag, deadline } => Change::Set {
                ttl_ms: deadline.map(|deadline| deadline.millis_since(now).max(1)),
                value: values
                    .then(|| entry::value_of(tag, &self.data[usize::from(self.key_length)..])),
            },
            Kind::Deleted => Change::Deleted,
            Kind::Expired => Change::Expired,
        };
        let key = Key::new(self.key()).expect("it was a key when it was written");
        let more = self.place != Place::Alone;
        Push::Changed { watch, key, revision: self.revision, more, change }
    }

    /// As how many changes of a portion it counts, to a session that does not want it, or wants it with
    /// its value or without.
    pub(super) fn work(&self, wanted: Option<bool>) -> usize {
        let bytes = if wanted == Some(true) { self.data.len() } else { self.key().len() };
        1 + bytes / WORK_BYTES
    }

    /// What it takes in memory.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.data.len()
    }
}

impl ChangeLog {
    /// A log of the changes after a revision.
    pub(super) fn after(revision: u64) -> Self {
        Self { records: VecDeque::new(), first: 0, bytes: 0, bytes_ever: 0, since: revision }
    }

    pub(super) fn push(&mut self, record: Record) {
        self.bytes += record.bytes();
        self.bytes_ever += record.bytes() as u64;
        self.records.push_back(record);
    }

    /// The place behind the last record.
    pub(super) fn end(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    /// What all that was ever in it took.
    pub(super) fn bytes_ever(&self) -> u64 {
        self.bytes_ever
    }

    /// The place of the first change after a revision, if all since then are here.
    pub(super) fn after_revision(&self, revision: u64) -> Option<u64> {
        let known = self.records.partition_point(|record| record.revision <= revision);
        (revision >= self.since).then_some(self.first + known as u64)
    }

    /// The record in a place before the end, if it is still here.
    pub(super) fn get(&self, place: u64) -> Option<&Record> {
        let index = place.checked_sub(self.first)?;
        self.records.get(usize::try_from(index).ok()?)
    }

    /// All changes after this revision are here.
    pub(super) fn since(&self) -> u64 {
        self.since
    }

    /// Forgets what is above the limits, whole revisions at a time.
    pub(super) fn trim(&mut self, limits: &StoreLimits) {
        let over = |log: &Self| {
            log.records.len() > limits.watch_log_changes_max
                || log.bytes > limits.watch_log_bytes_max
        };
        while let Some(oldest) = self.records.front()
            && (oldest.revision == self.since || over(self))
        {
            let oldest = self.records.pop_front().expect("it is there");
            self.since = oldest.revision;
            self.bytes -= oldest.bytes();
            self.first += 1;
        }
    }
}
