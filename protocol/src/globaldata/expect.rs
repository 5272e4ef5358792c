//! What a write expects of the variable before it happens.

use crate::ValueRef;
use crate::wire::{self, DecodeError, List};
use bincode::{Decode, Encode};

/// The condition of a write: `set` expects anything, `add` nothing there, `cas` what was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expect<'a> {
    /// Whatever there is.
    Any,
    /// No such variable.
    Absent,
    /// The variable as of this revision.
    Revision(u64),
    /// A variable with exactly this value: same kind, same bytes.
    Value(ValueRef<'a>),
}

/// The condition in a header; a value's bytes stand in the payload.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub(super) enum ExpectHeader {
    Any,
    Absent,
    Revision(u64),
    Value(ValueHeader),
}

/// A value in a header: its tag and how many bytes of the payload are its.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub(super) struct ValueHeader {
    tag: u8,
    length: u32,
}

impl<'a> Expect<'a> {
    pub(super) fn header(self) -> ExpectHeader {
        match self {
            Self::Any => ExpectHeader::Any,
            Self::Absent => ExpectHeader::Absent,
            Self::Revision(revision) => ExpectHeader::Revision(revision),
            Self::Value(value) => ExpectHeader::Value(ValueHeader::of(value)),
        }
    }

    pub(super) fn put_payload(self, out: &mut Vec<u8>) {
        if let Self::Value(value) = self {
            value.put(out);
        }
    }
}

impl ExpectHeader {
    pub(super) fn decode<'a>(self, payload: &mut &'a [u8]) -> Result<Expect<'a>, DecodeError> {
        Ok(match self {
            Self::Any => Expect::Any,
            Self::Absent => Expect::Absent,
            Self::Revision(revision) => Expect::Revision(revision),
            Self::Value(header) => Expect::Value(header.decode(payload)?),
        })
    }
}

impl ValueHeader {
    pub(super) fn list(values: &[ValueRef<'_>]) -> List<Self> {
        List(values.iter().copied().map(Self::of).collect())
    }

    pub(super) fn of(value: ValueRef<'_>) -> Self {
        let length = u32::try_from(value.byte_len()).expect("a value is bounded by its frame");
        Self { tag: value.tag().code(), length }
    }

    pub(super) fn decode<'a>(self, payload: &mut &'a [u8]) -> Result<ValueRef<'a>, DecodeError> {
        ValueRef::from_wire(self.tag, wire::cut(payload, self.length, "value")?)
    }
}
