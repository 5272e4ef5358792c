//! One variable as it lies in memory: key, value and deadline share one allocation.

use crate::limits::{ENTRY_OVERHEAD_BYTES, EXPIRY_OVERHEAD_BYTES};
use workyard_engine::Time;
use workyard_planted::planted;
use workyard_protocol::{Key, ValueRef, ValueTag, globaldata};

/// A variable. Numbers are eight bytes like any others, so that every value is overwritten alike.
pub(crate) struct Entry {
    /// The key, then the value, then eight bytes of deadline if it expires: what lives for ever pays
    /// nothing for those that do not.
    data: Box<[u8]>,
    /// The number of the write that made it so.
    pub(crate) revision: u64,
    /// The key's hash, so that a growing index need not read the keys.
    pub(crate) hash: u32,
    key_length: u16,
    tag: ValueTag,
    marks: Marks,
}

/// What is special about an entry, a bit each: a byte for all leaves an entry at 32.
#[derive(Clone, Copy, Default)]
struct Marks(u8);

/// Deleted by a batch that has not ended: it does not exist, and keeps its slot.
const GONE: u8 = 1;

/// It has a deadline.
const EXPIRES: u8 = 2;

/// What a deadline takes in an entry's data.
const DEADLINE_BYTES: usize = size_of::<u64>();

impl Entry {
    pub(crate) fn new(
        key: Key<'_>,
        hash: u32,
        value: ValueRef<'_>,
        revision: u64,
        deadline: Option<Time>,
    ) -> Self {
        let key = key.as_bytes();
        let key_length = u16::try_from(key.len()).expect("a key is bounded by NAME_BYTES_MAX");
        let data = joined(key, value, deadline);
        let marks = Marks::of(deadline);
        Self { data, revision, hash, key_length, tag: value.tag(), marks }
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.data[..usize::from(self.key_length)]
    }

    pub(crate) fn value(&self) -> ValueRef<'_> {
        value_of(self.tag, &self.data[usize::from(self.key_length)..self.value_end()])
    }

    /// The first byte of its data and the last.
    pub(crate) fn ends(&self) -> (Option<u8>, Option<u8>) {
        (self.data.first().copied(), self.data.last().copied())
    }

    /// The first instant at which it does not exist any more, if there is one.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.marks.has(EXPIRES).then(|| {
            let bytes = self.data[self.value_end()..].try_into();
            Time::from_millis(u64::from_ne_bytes(bytes.expect("a deadline is eight bytes")))
        })
    }

    /// Whether a batch has deleted it.
    pub(crate) fn is_gone(&self) -> bool {
        self.marks.has(GONE)
    }

    pub(crate) fn set_gone(&mut self, gone: bool) {
        self.marks.set(GONE, gone);
    }

    /// Whether its deadline has passed.
    pub(crate) fn has_lapsed(&self, now: Time) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    /// Its variable, if that exists at this instant.
    pub(crate) fn view(&self, now: Time) -> Option<globaldata::Entry<'_>> {
        if self.is_gone() || (self.has_lapsed(now) && !planted!("expired-is-readable")) {
            return None;
        }
        let ttl_ms = self.deadline().map(|deadline| deadline.millis_since(now));
        Some(globaldata::Entry { revision: self.revision, ttl_ms, value: self.value() })
    }

    /// What this variable is counted with, while it exists.
    pub(crate) fn cost(&self) -> u64 {
        cost_of(self.value_end(), self.marks.has(EXPIRES))
    }

    /// Takes another value, in the same allocation where the size allows it.
    pub(crate) fn overwrite(&mut self, value: ValueRef<'_>, revision: u64, deadline: Option<Time>) {
        let value_end = usize::from(self.key_length) + value.byte_len();
        if self.data.len() == value_end + deadline.map_or(0, |_| DEADLINE_BYTES) {
            let (room, rest) =
                self.data[usize::from(self.key_length)..].split_at_mut(value.byte_len());
            with_bytes(value, |bytes| room.copy_from_slice(bytes));
            if let Some(deadline) = deadline {
                rest.copy_from_slice(&deadline.as_millis().to_ne_bytes());
            }
        } else {
            self.data = joined(self.key(), value, deadline);
        }
        self.tag = value.tag();
        self.revision = revision;
        self.marks.set(EXPIRES, deadline.is_some());
    }

    /// The same variable with another value, beside this one.
    pub(crate) fn successor(
        &self,
        value: ValueRef<'_>,
        revision: u64,
        deadline: Option<Time>,
    ) -> Self {
        let data = joined(self.key(), value, deadline);
        Self { data, revision, tag: value.tag(), marks: Marks::of(deadline), ..*self }
    }

    /// Takes another deadline, or none, and stays what it is.
    pub(crate) fn set_deadline(&mut self, deadline: Option<Time>) {
        let value_end = self.value_end();
        match deadline {
            Some(deadline) if self.marks.has(EXPIRES) => {
                self.data[value_end..].copy_from_slice(&deadline.as_millis().to_ne_bytes());
            }
            _ => self.data = joined(self.key(), self.value(), deadline),
        }
        self.marks.set(EXPIRES, deadline.is_some());
    }

    fn value_end(&self) -> usize {
        match self.marks.has(EXPIRES) {
            true => self.data.len() - DEADLINE_BYTES,
            false => self.data.len(),
        }
    }
}

impl Marks {
    fn of(deadline: Option<Time>) -> Self {
        let mut marks = Self::default();
        marks.set(EXPIRES, deadline.is_some());
        marks
    }

    fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }

    fn set(&mut self, mark: u8, on: bool) {
        self.0 = if on { self.0 | mark } else { self.0 & !mark };
    }
}

/// What a variable with a key so long and this value is counted with.
pub(crate) fn cost(key_length: usize, value: ValueRef<'_>, expires: bool) -> u64 {
    cost_of(key_length + value.byte_len(), expires)
}

/// The same with a key and a value that take so many bytes together.
fn cost_of(length: usize, expires: bool) -> u64 {
    let expiry = if expires { EXPIRY_OVERHEAD_BYTES } else { 0 };
    (length + ENTRY_OVERHEAD_BYTES + expiry) as u64
}

fn joined(key: &[u8], value: ValueRef<'_>, deadline: Option<Time>) -> Box<[u8]> {
    let deadline = deadline.map(|deadline| deadline.as_millis().to_ne_bytes());
    let deadline = deadline.as_ref().map_or([].as_slice(), |bytes| bytes);
    with_bytes(value, |bytes| [key, bytes, deadline].concat().into_boxed_slice())
}

/// The value that [`with_bytes`] gave these bytes of.
pub(crate) fn value_of(tag: ValueTag, bytes: &[u8]) -> ValueRef<'_> {
    let number = || bytes.try_into().expect("a number is stored as eight bytes");
    match tag {
        ValueTag::Int => ValueRef::Int(i64::from_ne_bytes(number())),
        ValueTag::Float => ValueRef::Float(f64::from_ne_bytes(number())),
        ValueTag::Encoded(encoding) => ValueRef::Encoded { encoding, bytes },
    }
}

/// Shows a value as the bytes that it is stored as.
pub(crate) fn with_bytes<T>(value: ValueRef<'_>, read: impl FnOnce(&[u8]) -> T) -> T {
    match value {
        ValueRef::Int(int) => read(&int.to_ne_bytes()),
        ValueRef::Float(float) => read(&float.to_ne_bytes()),
        ValueRef::Encoded { bytes, .. } => read(bytes),
    }
}
