//! `delete`: removes one variable.

use crate::Key;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x34;

/// Removes a variable; answered by `Deleted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delete<'a> {
    /// Which variable.
    pub key: Key<'a>,
}

impl<'a> Delete<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, self.key.as_bytes());
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let key: &[u8] = wire::take_all(body, "delete")?;
        Ok(Self { key: Key::new(key)? })
    }
}
