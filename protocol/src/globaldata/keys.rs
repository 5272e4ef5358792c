//! `keys`: a page of the variables there are.

use crate::wire::{self, DecodeError};
use crate::{Key, ValueTag};

pub(super) const CODE: u8 = 0x37;

/// Asks for keys that begin with `prefix`; answered by `Keys`.
///
/// A variable that exists from the first page to the last is listed exactly once, whatever is
/// written meanwhile. A page may be short, or empty, before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys<'a> {
    /// How the keys begin; empty for all.
    pub prefix: &'a [u8],
    /// 0 at first, then what the page before returned.
    pub cursor: u64,
    /// Most entries wanted, 1 to 1000.
    pub limit: u32,
}

/// What a listing tells of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyInfo<'a> {
    /// Its name.
    pub key: Key<'a>,
    /// Its revision.
    pub revision: u64,
    /// The kind of its value.
    pub tag: ValueTag,
    /// The size of its value in bytes; 8 for numbers.
    pub size: u32,
    /// How many milliseconds are left of its lifetime; nothing when it does not expire.
    pub ttl_ms: Option<u64>,
}

impl<'a> Keys<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.prefix, self.cursor, self.limit));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (prefix, cursor, limit) = wire::take_all(body, "keys")?;
        wire::check_page_limit(limit)?;
        Ok(Self { prefix, cursor, limit })
    }
}
