//! `write`: sets a variable if a condition holds. `set`, `add` and `cas` are all this.

use super::Expect;
use super::expect::ExpectHeader;
use crate::wire::{self, DecodeError};
use crate::{Key, ValueRef};

pub(super) const CODE: u8 = 0x32;

/// Stores a value if the variable is as expected; answered by `Written`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Write<'a> {
    /// Which variable.
    pub key: Key<'a>,
    /// What it must be before.
    pub expect: Expect<'a>,
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
        wire::put(out, (self.key.as_bytes(), self.expect.header(), self.value.tag().code()));
        self.expect.put_payload(out);
        self.value.put(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (&'a [u8], ExpectHeader, u8);
        let ((key, expect, tag), mut payload): (Header<'_>, _) = wire::take(body, "write")?;
        let expect = expect.decode(&mut payload)?;
        Ok(Self { key: Key::new(key)?, expect, value: ValueRef::from_wire(tag, payload)? })
    }
}
