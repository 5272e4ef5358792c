//! `drop_history`: what a rule has kept is forgotten, and nothing more is kept by it.

use crate::Pattern;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x25;

/// Ends the rule of exactly this pattern; answered by `Done`, refused by `UnknownRule`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropHistory<'a> {
    /// As it was given to `keep_history`.
    pub pattern: Pattern<'a>,
}

impl<'a> DropHistory<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, self.pattern.as_bytes());
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let pattern: &[u8] = wire::take_all(body, "drop_history")?;
        Ok(Self { pattern: Pattern::new(pattern)? })
    }
}
