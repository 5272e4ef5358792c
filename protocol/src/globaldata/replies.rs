//! What globaldata-server answers.

use super::entries;
use super::expect::ValueHeader;
use super::locks::LockHeader;
use super::{
    BatchReply, Entry, Existence, KeyInfo, LockInfo, LockReply, Looked, Modified, Watching, Written,
};
use crate::envelope::{self, Message};
use crate::wire::{self, DecodeError, List, Uint};
use crate::{Key, Number, ValueRef, ValueTag};

const GOT: u8 = 0xB0;
const GOT_MANY: u8 = 0xB1;
const WRITTEN: u8 = 0xB2;
const INCREMENTED: u8 = 0xB3;
const DELETED: u8 = 0xB4;
const EXISTENCE: u8 = 0xB5;
const BATCH: u8 = 0xB6;
const KEYS: u8 = 0xB7;
const MODIFIED: u8 = 0xBC;
const CLAIMED: u8 = 0xA0;
const UNLOCKED: u8 = 0xA1;
const RENEWED: u8 = 0xA2;
const LOCKS: u8 = 0xA3;
const LOOKED: u8 = 0xBD;
const WATCHING: u8 = 0xB8;
const UNWATCHED: u8 = 0xB9;
const COUNTED: u8 = 0xBA;
const ENTRIES: u8 = 0xBB;

/// An answer of globaldata-server.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply<'a> {
    /// The variable, if it exists.
    Got(Option<Entry<'a>>),
    /// The variables, in the order asked for.
    GotMany(Vec<Option<Entry<'a>>>),
    /// How a write ended.
    Written(Written),
    /// The sum.
    Incremented {
        /// The variable's new revision.
        revision: u64,
        /// Its new value.
        value: Number,
    },
    /// The variable is gone.
    Deleted {
        /// Whether it was there.
        existed: bool,
    },
    /// What is known of the variable, if it exists.
    Existence(Option<Existence>),
    /// How a batch ended.
    Batch(BatchReply),
    /// A page of keys.
    Keys {
        /// Where the next page begins; 0 when this was the last.
        cursor: u64,
        /// The entries, in no particular order.
        keys: Vec<KeyInfo<'a>>,
    },
    /// How a modification ended.
    Modified(Modified<'a>),
    /// What became of the wish for a lock.
    Lock(LockReply),
    /// The session has no such claim any more.
    Unlocked {
        /// Whether it had one: it held the lock, or waited for it.
        released: bool,
    },
    /// The leases of locks have begun anew.
    Renewed {
        /// The tokens of those that the session does not have any more, in the order asked for.
        lost: Vec<u64>,
    },
    /// A page of locks.
    Locks {
        /// Where the next page begins; 0 when this was the last.
        cursor: u64,
        /// The locks, in no particular order.
        locks: Vec<LockInfo<'a>>,
    },
    /// What a look has found.
    Looked(Looked<'a>),
    /// How a watch began.
    Watching(Watching),
    /// Topics are watched no more.
    Unwatched {
        /// How many of them were.
        count: u32,
    },
    /// How many keys there are in a portion.
    Counted {
        /// Where the next portion begins; 0 when this was the last.
        cursor: u64,
        /// How many.
        count: u64,
    },
    /// A page of variables.
    Entries {
        /// Where the next page begins; 0 when this was the last.
        cursor: u64,
        /// The variables, in no particular order.
        entries: Vec<(Key<'a>, Entry<'a>)>,
    },
}

type KeyHeader<'a> = (&'a [u8], u64, u8, u32, Option<u64>);

impl<'a> Message<'a> for Reply<'a> {
    fn operation(&self) -> u8 {
        match self {
            Self::Got(_) => GOT,
            Self::GotMany(_) => GOT_MANY,
            Self::Written(_) => WRITTEN,
            Self::Incremented { .. } => INCREMENTED,
            Self::Deleted { .. } => DELETED,
            Self::Existence(_) => EXISTENCE,
            Self::Batch(_) => BATCH,
            Self::Keys { .. } => KEYS,
            Self::Modified(_) => MODIFIED,
            Self::Lock(_) => CLAIMED,
            Self::Unlocked { .. } => UNLOCKED,
            Self::Renewed { .. } => RENEWED,
            Self::Locks { .. } => LOCKS,
            Self::Looked(_) => LOOKED,
            Self::Watching(_) => WATCHING,
            Self::Unwatched { .. } => UNWATCHED,
            Self::Counted { .. } => COUNTED,
            Self::Entries { .. } => ENTRIES,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Got(entry) => {
                wire::put(out, entry.map(entry_header));
                if let Some(entry) = entry {
                    entry.value.put(out);
                }
            }
            Self::GotMany(entries) => put_entries(entries, out),
            Self::Written(Written::Stored { revision }) => {
                wire::put(out, (true, Uint(*revision)));
            }
            Self::Written(Written::Conflict { current }) => wire::put(out, (false, current)),
            Self::Incremented { revision, value } => {
                wire::put(out, (Uint(*revision), value));
            }
            Self::Deleted { existed } => wire::put(out, existed),
            Self::Existence(existence) => {
                wire::put(out, existence.map(|there| (there.revision, there.ttl_ms)));
            }
            Self::Batch(reply) => reply.put(out),
            Self::Keys { cursor, keys } => {
                wire::put(out, (cursor, List(keys.iter().map(key_header).collect())));
            }
            Self::Modified(modified) => modified.put(out),
            Self::Lock(reply) => wire::put(out, reply),
            Self::Unlocked { released } => wire::put(out, released),
            Self::Renewed { lost } => wire::put(out, List(lost.clone())),
            Self::Locks { cursor, locks } => {
                wire::put(out, (cursor, List(locks.iter().map(LockInfo::header).collect())));
            }
            Self::Looked(looked) => looked.put(out),
            Self::Watching(watching) => wire::put(out, watching),
            Self::Unwatched { count } => wire::put(out, count),
            Self::Counted { cursor, count } => wire::put(out, (cursor, count)),
            Self::Entries { cursor, entries } => entries::put_page(*cursor, entries, out),
        }
    }

    fn decode(operation: u8, body: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(match operation {
            GOT => decode_got(body)?,
            GOT_MANY => decode_entries(body)?,
            WRITTEN => Self::Written(match wire::take_all(body, "written")? {
                (true, revision) => Written::Stored { revision },
                (false, current) => Written::Conflict { current },
            }),
            INCREMENTED => {
                let (revision, value) = wire::take_all(body, "incremented")?;
                Self::Incremented { revision, value }
            }
            DELETED => Self::Deleted { existed: wire::take_all(body, "deleted")? },
            EXISTENCE => {
                let there: Option<(u64, Option<u64>)> = wire::take_all(body, "existence")?;
                Self::Existence(there.map(|(revision, ttl_ms)| Existence { revision, ttl_ms }))
            }
            BATCH => Self::Batch(BatchReply::decode(body)?),
            KEYS => {
                let (cursor, List(headers)): (u64, List<KeyHeader<'a>>) =
                    wire::take_all(body, "keys")?;
                let keys = headers.into_iter().map(decode_key).collect::<Result<_, _>>()?;
                Self::Keys { cursor, keys }
            }
            MODIFIED => Self::Modified(Modified::decode(body)?),
            CLAIMED => Self::Lock(wire::take_all(body, "claimed")?),
            UNLOCKED => Self::Unlocked { released: wire::take_all(body, "unlocked")? },
            RENEWED => {
                let List(lost) = wire::take_all(body, "renewed")?;
                Self::Renewed { lost }
            }
            LOCKS => {
                let (cursor, List(headers)): (u64, List<LockHeader<'a>>) =
                    wire::take_all(body, "locks")?;
                let locks = headers.into_iter().map(LockInfo::of).collect::<Result<_, _>>()?;
                Self::Locks { cursor, locks }
            }
            LOOKED => Self::Looked(Looked::decode(body)?),
            WATCHING => Self::Watching(wire::take_all(body, "watching")?),
            UNWATCHED => Self::Unwatched { count: wire::take_all(body, "unwatched")? },
            COUNTED => {
                let (cursor, count) = wire::take_all(body, "counted")?;
                Self::Counted { cursor, count }
            }
            ENTRIES => entries::decode_page(body)?,
            unknown => return Err(envelope::unknown_operation(unknown)),
        })
    }
}

#[inline]
fn entry_header(entry: Entry<'_>) -> (Uint, Option<u64>, u8) {
    (Uint(entry.revision), entry.ttl_ms, entry.value.tag().code())
}

fn decode_got(body: &[u8]) -> Result<Reply<'_>, DecodeError> {
    type Header = Option<(u64, Option<u64>, u8)>;
    let (header, payload): (Header, _) = wire::take(body, "got")?;
    match (header, payload) {
        (Some((revision, ttl_ms, tag)), payload) => {
            let value = ValueRef::from_wire(tag, payload)?;
            Ok(Reply::Got(Some(Entry { revision, ttl_ms, value })))
        }
        (None, []) => Ok(Reply::Got(None)),
        (None, rest) => Err(wire::trailing("got", rest.len())),
    }
}

fn put_entries(entries: &[Option<Entry<'_>>], out: &mut Vec<u8>) {
    let header = |entry: &Option<Entry<'_>>| {
        entry.map(|entry| (entry.revision, entry.ttl_ms, ValueHeader::of(entry.value)))
    };
    wire::put(out, List(entries.iter().map(header).collect()));
    for entry in entries.iter().flatten() {
        entry.value.put(out);
    }
}

fn decode_entries(body: &[u8]) -> Result<Reply<'_>, DecodeError> {
    type Header = Option<(u64, Option<u64>, ValueHeader)>;
    let (List(headers), mut payload): (List<Header>, _) = wire::take(body, "got_many")?;
    let decode = |header: Header| {
        let Some((revision, ttl_ms, value)) = header else {
            return Ok(None);
        };
        Ok(Some(Entry { revision, ttl_ms, value: value.decode(&mut payload)? }))
    };
    let entries = headers.into_iter().map(decode).collect::<Result<_, DecodeError>>()?;
    match payload {
        [] => Ok(Reply::GotMany(entries)),
        rest => Err(wire::trailing("got_many", rest.len())),
    }
}

fn key_header<'a>(info: &KeyInfo<'a>) -> KeyHeader<'a> {
    (info.key.as_bytes(), info.revision, info.tag.code(), info.size, info.ttl_ms)
}

fn decode_key(header: KeyHeader<'_>) -> Result<KeyInfo<'_>, DecodeError> {
    let (key, revision, tag, size, ttl_ms) = header;
    let tag = ValueTag::from_wire(tag)?;
    Ok(KeyInfo { key: Key::new(key)?, revision, tag, size, ttl_ms })
}
