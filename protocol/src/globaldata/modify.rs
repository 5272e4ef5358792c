//! `modify`: changes one variable by what it holds, in one step, where else a read, a computation and a
//! cas would have to be repeated until nobody is faster.

use super::expect::ValueHeader;
use super::expiry::ExpiryHeader;
use super::modification::ModificationHeader;
use super::{Expiry, Modification};
use crate::wire::{self, DecodeError, List};
use crate::{Key, Number, ValueRef};
use bincode::{BorrowDecode, Encode};

pub(super) const CODE: u8 = 0x3D;

/// Changes a variable by what it holds; answered by `Modified`.
///
/// What changes nothing (a minimum that is one already, a sum out of bounds) leaves revision and
/// lifetime as they are too.
#[derive(Clone, Debug, PartialEq)]
pub struct Modify<'a> {
    /// Which variable.
    pub key: Key<'a>,
    /// When it expires after this.
    pub expiry: Expiry,
    /// What happens to it.
    pub modification: Modification<'a>,
}

/// How a modification ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Modified<'a> {
    /// The revision of the variable, or of its deletion; 0 for one that does not exist and did not.
    pub revision: u64,
    /// How many milliseconds are left of its lifetime; nothing when it does not expire or exist.
    pub ttl_ms: Option<u64>,
    /// What there is to tell.
    pub outcome: Outcome<'a>,
}

/// What there is to tell of a modification.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<'a> {
    /// `Append` and `Prepend`: how many bytes there are now. `Push`: how many items.
    Length(u64),
    /// `Min`, `Max`, `AddWithin` and `MapIncrement`: the number from now on.
    Number(Number),
    /// `AddWithin`: the sum would be out of bounds, and the number is still this.
    OutOfBounds(Number),
    /// `Swap` and `Take`: what was there, none or one. `Pop`: the items, in the order of popping.
    Values(Vec<ValueRef<'a>>),
    /// `SetAdd`, `SetRemove`, `MapSet` and `MapRemove`: how many items or fields are new, or were removed.
    Count(u64),
}

#[derive(Encode, BorrowDecode)]
#[bincode(decode_context = "()")]
enum OutcomeHeader {
    Length(u64),
    Number(Number),
    OutOfBounds(Number),
    Values(List<ValueHeader>),
    Count(u64),
}

impl<'a> Modify<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let header = (self.key.as_bytes(), self.expiry.header(), self.modification.header());
        wire::put(out, header);
        self.modification.put_payload(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (&'a [u8], ExpiryHeader, ModificationHeader<'a>);
        let ((key, expiry, header), mut payload): (Header<'_>, _) = wire::take(body, "modify")?;
        let modification = header.decode(&mut payload)?;
        match payload {
            [] => Ok(Self { key: Key::new(key)?, expiry: expiry.decode()?, modification }),
            rest => Err(wire::trailing("modify", rest.len())),
        }
    }
}

impl<'a> Modified<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let values = match &self.outcome {
            Outcome::Values(values) => values.as_slice(),
            _ => &[],
        };
        let outcome = match &self.outcome {
            Outcome::Length(length) => OutcomeHeader::Length(*length),
            Outcome::Number(number) => OutcomeHeader::Number(*number),
            Outcome::OutOfBounds(number) => OutcomeHeader::OutOfBounds(*number),
            Outcome::Values(values) => OutcomeHeader::Values(ValueHeader::list(values)),
            Outcome::Count(count) => OutcomeHeader::Count(*count),
        };
        wire::put(out, (self.revision, self.ttl_ms, outcome));
        for value in values {
            value.put(out);
        }
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header = (u64, Option<u64>, OutcomeHeader);
        let ((revision, ttl_ms, header), mut payload): (Header, _) = wire::take(body, "modified")?;
        let outcome = match header {
            OutcomeHeader::Length(length) => Outcome::Length(length),
            OutcomeHeader::Number(number) => Outcome::Number(number),
            OutcomeHeader::OutOfBounds(number) => Outcome::OutOfBounds(number),
            OutcomeHeader::Count(count) => Outcome::Count(count),
            OutcomeHeader::Values(List(headers)) => {
                let values = headers.into_iter().map(|header| header.decode(&mut payload));
                Outcome::Values(values.collect::<Result<_, _>>()?)
            }
        };
        match payload {
            [] => Ok(Self { revision, ttl_ms, outcome }),
            rest => Err(wire::trailing("modified", rest.len())),
        }
    }
}
