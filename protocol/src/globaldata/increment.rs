//! `increment`: adds to a number.

use super::Expiry;
use super::expiry::ExpiryHeader;
use crate::wire::{self, Bytes, DecodeError};
use crate::{Key, Number};

pub(super) const CODE: u8 = 0x33;

/// Adds to a variable; answered by `Incremented` with the sum.
///
/// Refused with `NotFound` when the variable does not exist and no initial value is given, with
/// `NotANumber` when it is none, with `OutOfRange` when the sum is no 64-bit integer or no finite
/// float. A refused variable stays as it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Increment<'a> {
    /// Which variable.
    pub key: Key<'a>,
    /// What to add; negative to subtract. An integer plus a float is a float.
    pub by: Number,
    /// What a variable that does not exist counts as, before the addition.
    pub initial: Option<Number>,
    /// When the variable expires after this.
    pub expiry: Expiry,
}

impl<'a> Increment<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.key.as_bytes(), self.by, self.initial, self.expiry.header()));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (Bytes<'a>, Number, Option<Number>, ExpiryHeader);
        let (Bytes(key), by, initial, expiry): Header<'_> = wire::take_all(body, "increment")?;
        Ok(Self { key: Key::new(key)?, by, initial, expiry: expiry.decode()? })
    }
}
