//! `exists`: asks for a variable's revision without its value.

use crate::Key;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x35;

/// Asks whether a variable exists; answered by `Existence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exists<'a> {
    /// Which variable.
    pub key: Key<'a>,
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
