//! `get_many`: reads several variables at one instant.

use crate::Key;
use crate::wire::{self, DecodeError, List};

pub(super) const CODE: u8 = 0x31;

/// Reads several variables as they stand at one instant; answered by `GotMany` in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetMany<'a> {
    /// Which variables.
    pub keys: Vec<Key<'a>>,
}

impl<'a> GetMany<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, List(self.keys.iter().map(|key| key.as_bytes()).collect()));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let List(keys): List<&[u8]> = wire::take_all(body, "get_many")?;
        Ok(Self { keys: keys.into_iter().map(Key::new).collect::<Result<_, _>>()? })
    }
}
