//! `histories`: a page of the rules by which messages are kept.

use super::keep_history::{BoundsHeader, HistoryBounds};
use crate::Pattern;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x26;

/// Asks for the rules whose patterns begin with `prefix`; answered by `Histories`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histories<'a> {
    /// How the patterns begin; empty for all.
    pub prefix: &'a [u8],
    /// 0 at first, then what the page before returned.
    pub cursor: u64,
    /// Most entries wanted, 1 to 1000.
    pub limit: u32,
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryRule<'a> {
    /// Which channels it is about.
    pub pattern: Pattern<'a>,
    /// How much is kept of each.
    pub bounds: HistoryBounds,
}

/// The same in a header.
pub(super) type RuleHeader<'a> = (&'a [u8], BoundsHeader);

impl<'a> HistoryRule<'a> {
    pub(super) fn header(&self) -> RuleHeader<'a> {
        (self.pattern.as_bytes(), self.bounds.header())
    }

    pub(super) fn decode((pattern, bounds): RuleHeader<'a>) -> Result<Self, DecodeError> {
        Ok(Self { pattern: Pattern::new(pattern)?, bounds: HistoryBounds::decode(bounds)? })
    }
}

impl<'a> Histories<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.prefix, self.cursor, self.limit));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (prefix, cursor, limit) = wire::take_all(body, "histories")?;
        wire::check_page_limit(limit)?;
        Ok(Self { prefix, cursor, limit })
    }
}
