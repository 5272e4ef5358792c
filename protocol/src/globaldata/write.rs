//! `write`: sets a variable if a condition holds. `set`, `add` and `cas` are all this.

use super::expect::ExpectHeader;
use super::expiry::ExpiryHeader;
use super::{Expect, Expiry};
use crate::wire::{self, Bytes, DecodeError};
use crate::{Key, ValueRef};

pub(super) const CODE: u8 = 0x32;

/// Stores a value if the variable is as expected; answered by `Written`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Write<'a> {
    /// Which variable.
    pub key: Key<'a>,
    /// What it must be before.
    pub expect: Expect<'a>,
    /// When it expires after this.
    pub expiry: Expiry,
    /// What it shall be.
    pub value: ValueRef<'a>,
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The value is stored.
    Stored {
        /// The variable's new revision.
        revision: u64,
    },
    /// The variable was not as expected, and stays as it was.
    Conflict {
        /// Its revision, 0 when it does not exist.
        current: u64,
    },
}

impl<'a> Write<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let (expect, expiry) = (self.expect.header(), self.expiry.header());
        wire::put(out, (self.key.as_bytes(), expect, expiry, self.value.tag().code()));
        self.expect.put_payload(out);
        self.value.put(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (Bytes<'a>, ExpectHeader, ExpiryHeader, u8);
        let (header, mut payload): (Header<'_>, _) = wire::take(body, "write")?;
        let (Bytes(key), expect, expiry, tag) = header;
        let expect = expect.decode(&mut payload)?;
        let (key, expiry) = (Key::new(key)?, expiry.decode()?);
        Ok(Self { key, expect, expiry, value: ValueRef::from_wire(tag, payload)? })
    }
}
