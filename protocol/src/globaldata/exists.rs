//! `exists`: asks for a variable's revision and ttl without its value.

use crate::Key;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x35;

/// Asks whether a variable exists; answered by `Existence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exists<'a> {
    /// Which variable.
    pub key: Key<'a>,
}

/// What is known of a variable that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Existence {
    /// The number of the write that made it what it is.
    pub revision: u64,
    /// How many milliseconds are left of its lifetime; nothing when it does not expire.
    pub ttl_ms: Option<u64>,
}

impl<'a> Exists<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, self.key.as_bytes());
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let key: &[u8] = wire::take_all(body, "exists")?;
        Ok(Self { key: Key::new(key)? })
    }
}
