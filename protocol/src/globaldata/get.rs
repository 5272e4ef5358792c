//! `get`: reads one variable.

use crate::wire::{self, Bytes, DecodeError};
use crate::{Key, ValueRef};

pub(super) const CODE: u8 = 0x30;

/// Reads a variable; answered by `Got`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Get<'a> {
    /// Which variable.
    pub key: Key<'a>,
}

impl<'a> Get<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, self.key.as_bytes());
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let Bytes(key) = wire::take_all(body, "get")?;
        Ok(Self { key: Key::new(key)? })
    }
}

/// A variable as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    /// The number of the write that made it so. One counter serves all variables of a server.
    pub revision: u64,
    /// How many milliseconds are left of its lifetime; nothing when it does not expire.
    pub ttl_ms: Option<u64>,
    /// Its value.
    pub value: ValueRef<'a>,
}
