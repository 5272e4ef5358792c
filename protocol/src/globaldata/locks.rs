//! `locks`: a page of the locks that are held or waited for.

use crate::LockName;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x45;

/// Asks for locks whose names begin with `prefix`; answered by `Locks`. Pages are as those of `keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locks<'a> {
    /// How the names begin; empty for all.
    pub prefix: &'a [u8],
    /// 0 at first, then what the page before returned.
    pub cursor: u64,
    /// Most entries wanted, 1 to 1000.
    pub limit: u32,
}

/// What a listing tells of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockInfo<'a> {
    /// Its name.
    pub name: LockName<'a>,
    /// How many may hold it at once.
    pub permits: u32,
    /// How many do.
    pub holders: u32,
    /// How many wait.
    pub waiters: u32,
    /// The fencing token of the one who has held it longest.
    pub token: u64,
    /// How many milliseconds that one still holds it, unless it renews.
    pub ttl_ms: u64,
}

/// The same in a header.
pub(super) type LockHeader<'a> = (&'a [u8], u32, u32, u32, u64, u64);

impl<'a> Locks<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.prefix, self.cursor, self.limit));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (prefix, cursor, limit) = wire::take_all(body, "locks")?;
        wire::check_page_limit(limit)?;
        Ok(Self { prefix, cursor, limit })
    }
}

impl<'a> LockInfo<'a> {
    pub(super) fn header(&self) -> LockHeader<'a> {
        let Self { name, permits, holders, waiters, token, ttl_ms } = *self;
        (name.as_bytes(), permits, holders, waiters, token, ttl_ms)
    }

    pub(super) fn of(header: LockHeader<'a>) -> Result<Self, DecodeError> {
        let (name, permits, holders, waiters, token, ttl_ms) = header;
        let name = LockName::new(name)?;
        Ok(Self { name, permits, holders, waiters, token, ttl_ms })
    }
}
