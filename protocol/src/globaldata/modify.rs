//! `modify`: changes one variable by what it holds, in one step, where else a read, a computation and a
//! cas would have to be repeated until nobody is faster.

use super::Expiry;
use super::expect::ValueHeader;
use super::expiry::ExpiryHeader;
use crate::wire::{self, DecodeError, List};
use crate::{Key, Number, Reason, Refusal, ValueRef};
use bincode::{BorrowDecode, Decode, Encode};

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

/// What happens to a variable. Unless something else is said, one that does not exist counts as empty.
#[derive(Clone, Debug, PartialEq)]
pub enum Modification<'a> {
    /// Puts bytes behind those that are there. Raw values only.
    Append(&'a [u8]),
    /// Puts bytes before those that are there. Raw values only.
    Prepend(&'a [u8]),
    /// The lesser of this and what is there, which becomes this if there is nothing.
    Min(Number),
    /// The greater of this and what is there, which becomes this if there is nothing.
    Max(Number),
    /// Adds, as long as the sum stays within bounds.
    AddWithin(AddWithin),
    /// Stores this, and tells what was there.
    Swap(ValueRef<'a>),
    /// Removes the variable, and tells what was there.
    Take,
}

/// An addition with bounds, none of which is NaN and of which the first is not above the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AddWithin {
    /// What to add; negative to subtract.
    pub by: Number,
    /// What a variable that does not exist counts as, before the addition.
    pub initial: Option<Number>,
    /// The least that the sum may be.
    pub least: Option<Number>,
    /// The greatest that the sum may be.
    pub greatest: Option<Number>,
    /// What becomes of a sum out of bounds: the bound that it passed, or nothing.
    pub clamp: bool,
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
    /// `Append` and `Prepend`: how many bytes there are now.
    Length(u64),
    /// `Min`, `Max` and `AddWithin`: the number from now on.
    Number(Number),
    /// `AddWithin`: the sum would be out of bounds, and the number is still this.
    OutOfBounds(Number),
    /// `Swap` and `Take`: what was there, none or one.
    Values(Vec<ValueRef<'a>>),
}

/// What happens, in a header; values and bytes stand in the payload.
#[derive(Encode, Decode)]
pub(super) enum ModificationHeader {
    Append(u32),
    Prepend(u32),
    Min(Number),
    Max(Number),
    AddWithin(Number, Option<Number>, Option<Number>, Option<Number>, bool),
    Swap(ValueHeader),
    Take,
}

#[derive(Encode, BorrowDecode)]
#[bincode(decode_context = "()")]
enum OutcomeHeader {
    Length(u64),
    Number(Number),
    OutOfBounds(Number),
    Values(List<ValueHeader>),
}

impl<'a> Modify<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let header = (self.key.as_bytes(), self.expiry.header(), self.modification.header());
        wire::put(out, header);
        self.modification.put_payload(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (&'a [u8], ExpiryHeader, ModificationHeader);
        let ((key, expiry, header), mut payload): (Header<'_>, _) = wire::take(body, "modify")?;
        let modification = header.decode(&mut payload)?;
        match payload {
            [] => Ok(Self { key: Key::new(key)?, expiry: expiry.decode()?, modification }),
            rest => Err(wire::trailing("modify", rest.len())),
        }
    }
}

impl<'a> Modification<'a> {
    /// How many bytes a value may become longer by it.
    #[must_use]
    pub fn growth_bytes(&self) -> usize {
        match self {
            Self::Append(bytes) | Self::Prepend(bytes) => bytes.len(),
            Self::Min(_) | Self::Max(_) | Self::AddWithin(_) => 8,
            Self::Swap(value) => value.byte_len(),
            Self::Take => 0,
        }
    }

    pub(super) fn header(&self) -> ModificationHeader {
        match self {
            Self::Append(bytes) => ModificationHeader::Append(length(bytes)),
            Self::Prepend(bytes) => ModificationHeader::Prepend(length(bytes)),
            Self::Min(number) => ModificationHeader::Min(*number),
            Self::Max(number) => ModificationHeader::Max(*number),
            Self::AddWithin(AddWithin { by, initial, least, greatest, clamp }) => {
                ModificationHeader::AddWithin(*by, *initial, *least, *greatest, *clamp)
            }
            Self::Swap(value) => ModificationHeader::Swap(ValueHeader::of(*value)),
            Self::Take => ModificationHeader::Take,
        }
    }

    pub(super) fn put_payload(&self, out: &mut Vec<u8>) {
        match self {
            Self::Append(bytes) | Self::Prepend(bytes) => out.extend_from_slice(bytes),
            Self::Swap(value) => value.put(out),
            Self::Min(_) | Self::Max(_) | Self::AddWithin(_) | Self::Take => {}
        }
    }
}

impl ModificationHeader {
    pub(super) fn decode<'a>(
        self,
        payload: &mut &'a [u8],
    ) -> Result<Modification<'a>, DecodeError> {
        Ok(match self {
            Self::Append(length) => Modification::Append(wire::cut(payload, length, "append")?),
            Self::Prepend(length) => Modification::Prepend(wire::cut(payload, length, "prepend")?),
            Self::Min(number) => Modification::Min(checked(number)?),
            Self::Max(number) => Modification::Max(checked(number)?),
            Self::AddWithin(by, initial, least, greatest, clamp) => {
                check_bounds(least, greatest)?;
                Modification::AddWithin(AddWithin { by, initial, least, greatest, clamp })
            }
            Self::Swap(header) => Modification::Swap(header.decode(payload)?),
            Self::Take => Modification::Take,
        })
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
            Outcome::Values(values) => {
                OutcomeHeader::Values(List(values.iter().copied().map(ValueHeader::of).collect()))
            }
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

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a payload is bounded by its frame")
}

/// NaN is less than nothing and greater than nothing: no bound, and no minimum.
fn checked(number: Number) -> Result<Number, DecodeError> {
    match number {
        Number::Float(float) if float.is_nan() => {
            let text = "NaN is neither less nor greater than any number: give another";
            Err(Refusal::new(Reason::InvalidArgument, text).into())
        }
        number => Ok(number),
    }
}

fn check_bounds(least: Option<Number>, greatest: Option<Number>) -> Result<(), DecodeError> {
    let (least, greatest) = (least.map(checked).transpose()?, greatest.map(checked).transpose()?);
    match (least, greatest) {
        (Some(least), Some(greatest))
            if least.compare(greatest).is_some_and(|order| order.is_gt()) =>
        {
            let text = format!("the least, {least}, is above the greatest, {greatest}");
            Err(Refusal::new(Reason::InvalidArgument, text).into())
        }
        _ => Ok(()),
    }
}
