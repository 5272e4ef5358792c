//! One variable as it lies in memory: key and value share one allocation.

use crate::limits::ENTRY_OVERHEAD_BYTES;
use workyard_protocol::{Key, ValueRef, ValueTag, globaldata};

/// A variable. Numbers are eight bytes like any others, so that every value is overwritten alike.
pub(crate) struct Entry {
    /// The key, then the value.
    data: Box<[u8]>,
    /// The number of the write that made it so.
    pub(crate) revision: u64,
    /// The key's hash, so that a growing index need not read the keys.
    pub(crate) hash: u32,
    key_length: u16,
    tag: ValueTag,
    /// Deleted by a batch that has not ended: it does not exist, and keeps its slot.
    pub(crate) gone: bool,
}

impl Entry {
    pub(crate) fn new(key: Key<'_>, hash: u32, value: ValueRef<'_>, revision: u64) -> Self {
        let key = key.as_bytes();
        let key_length = u16::try_from(key.len()).expect("a key is bounded by NAME_BYTES_MAX");
        let data = joined(key, value);
        Self { data, revision, hash, key_length, tag: value.tag(), gone: false }
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.data[..usize::from(self.key_length)]
    }

    pub(crate) fn value(&self) -> ValueRef<'_> {
        let bytes = &self.data[usize::from(self.key_length)..];
        let number = || bytes.try_into().expect("a number is stored as eight bytes");
        match self.tag {
            ValueTag::Int => ValueRef::Int(i64::from_ne_bytes(number())),
            ValueTag::Float => ValueRef::Float(f64::from_ne_bytes(number())),
            ValueTag::Encoded(encoding) => ValueRef::Encoded { encoding, bytes },
        }
    }

    /// Revision and value, if it exists.
    pub(crate) fn view(&self) -> Option<globaldata::Entry<'_>> {
        let entry = globaldata::Entry { revision: self.revision, value: self.value() };
        (!self.gone).then_some(entry)
    }

    /// What this variable is counted with, while it exists.
    pub(crate) fn cost(&self) -> u64 {
        cost(self.key().len(), self.value())
    }

    /// Takes another value, in the same allocation where the size allows it.
    pub(crate) fn overwrite(&mut self, value: ValueRef<'_>, revision: u64) {
        let key_length = usize::from(self.key_length);
        let room = &mut self.data[key_length..];
        if room.len() == value.byte_len() {
            with_bytes(value, |bytes| room.copy_from_slice(bytes));
        } else {
            self.data = joined(self.key(), value);
        }
        self.tag = value.tag();
        self.revision = revision;
    }

    /// The same variable with another value, beside this one.
    pub(crate) fn successor(&self, value: ValueRef<'_>, revision: u64) -> Self {
        let data = joined(self.key(), value);
        Self { data, revision, tag: value.tag(), gone: false, ..*self }
    }
}

/// What a variable with a key so long and this value is counted with.
pub(crate) fn cost(key_length: usize, value: ValueRef<'_>) -> u64 {
    (key_length + value.byte_len() + ENTRY_OVERHEAD_BYTES) as u64
}

fn joined(key: &[u8], value: ValueRef<'_>) -> Box<[u8]> {
    with_bytes(value, |bytes| [key, bytes].concat().into_boxed_slice())
}

fn with_bytes<T>(value: ValueRef<'_>, read: impl FnOnce(&[u8]) -> T) -> T {
    match value {
        ValueRef::Int(int) => read(&int.to_ne_bytes()),
        ValueRef::Float(float) => read(&float.to_ne_bytes()),
        ValueRef::Encoded { bytes, .. } => read(bytes),
    }
}
