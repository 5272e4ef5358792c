//! `entries`: a page of the variables there are, with their values.

use super::Entry;
use super::expect::ValueHeader;
use super::replies::Reply;
use crate::Key;
use crate::wire::{self, DecodeError, List};

pub(super) const CODE: u8 = 0x3C;

/// Asks for variables whose keys begin with `prefix`; answered by `Entries`. Like [`Keys`](super::Keys) in
/// all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entries<'a> {
    /// How the keys begin; empty for all.
    pub prefix: &'a [u8],
    /// 0 at first, then what the page before returned.
    pub cursor: u64,
    /// Most entries wanted, 1 to 1000.
    pub limit: u32,
}

impl<'a> Entries<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.prefix, self.cursor, self.limit));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (prefix, cursor, limit) = wire::take_all(body, "entries")?;
        wire::check_page_limit(limit)?;
        Ok(Self { prefix, cursor, limit })
    }
}

type EntryHeader<'a> = (&'a [u8], u64, Option<u64>, ValueHeader);

pub(super) fn put_page(cursor: u64, entries: &[(Key<'_>, Entry<'_>)], out: &mut Vec<u8>) {
    wire::put(out, (cursor, List(entries.iter().map(header).collect())));
    for (_, entry) in entries {
        entry.value.put(out);
    }
}

fn header<'a>((key, entry): &(Key<'a>, Entry<'a>)) -> EntryHeader<'a> {
    (key.as_bytes(), entry.revision, entry.ttl_ms, ValueHeader::of(entry.value))
}

pub(super) fn decode_page(body: &[u8]) -> Result<Reply<'_>, DecodeError> {
    type Header<'a> = (u64, List<EntryHeader<'a>>);
    let ((cursor, List(headers)), mut payload): (Header<'_>, _) = wire::take(body, "entries_page")?;
    let entries = headers
        .into_iter()
        .map(|(key, revision, ttl_ms, value)| {
            let value = value.decode(&mut payload)?;
            Ok((Key::new(key)?, Entry { revision, ttl_ms, value }))
        })
        .collect::<Result<_, DecodeError>>()?;
    match payload {
        [] => Ok(Reply::Entries { cursor, entries }),
        rest => Err(wire::trailing("entries_page", rest.len())),
    }
}
