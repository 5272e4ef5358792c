//! `count`: how many variables there are, portion by portion.

use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x3B;

/// Counts keys that begin with `prefix`; answered by `Counted`. With the cursors of the answers it goes on
/// where the one before ended, and the sum is what [`Keys`](super::Keys) would list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count<'a> {
    /// How the keys begin; empty for all.
    pub prefix: &'a [u8],
    /// 0 at first, then what the answer before returned.
    pub cursor: u64,
}

impl<'a> Count<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.prefix, self.cursor));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (prefix, cursor) = wire::take_all(body, "count")?;
        Ok(Self { prefix, cursor })
    }
}
