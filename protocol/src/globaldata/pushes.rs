//! What globaldata-server sends unasked: changes of what is watched, and how it went on with locks.

use crate::envelope::{self, Message};
use crate::wire::{self, DecodeError};
use crate::{Key, ValueRef};
use bincode::{Decode, Encode};

const CHANGED: u8 = 0xE0;
const REACHED: u8 = 0xE1;
const COMPACTED: u8 = 0xE2;
const LOCK_GRANTED: u8 = 0xE4;
const LOCK_LOST: u8 = 0xE5;

/// Something that globaldata-server sends unasked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Push<'a> {
    /// A variable that is watched has changed.
    Changed {
        /// The request that asked for it to be told again; nothing for what has just happened, or
        /// would have been told then if the session had been faster.
        watch: Option<u32>,
        /// Which variable.
        key: Key<'a>,
        /// The number of the write.
        revision: u64,
        /// Whether other changes of the same revision follow, up to `Reached` with that revision.
        more: bool,
        /// What became of it.
        change: Change<'a>,
    },
    /// Everything up to a revision has been told.
    Reached {
        /// Of what this request asks for; nothing for all that is told without a request's number.
        watch: Option<u32>,
        /// Up to which revision.
        revision: u64,
        /// Whether what the request asks for is told without its number from here on.
        live: bool,
    },
    /// Some changes cannot be told: the session was too slow, and the server does not know them any more.
    Compacted {
        /// The request whose topics are watched no more; nothing: all that was told without a number.
        watch: Option<u32>,
        /// The revision after which the server knows changes.
        oldest: u64,
    },
    /// The session holds a lock that it was queued for.
    LockGranted {
        /// The number that it was queued with.
        token: u64,
    },
    /// The session holds a lock no more: it did not renew it in time.
    LockLost {
        /// The number that it held the lock with.
        token: u64,
    },
}

/// What became of a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change<'a> {
    /// It was stored.
    Set {
        /// How many milliseconds are left of its lifetime; nothing when it does not expire.
        ttl_ms: Option<u64>,
        /// Its value, if the watch wants values.
        value: Option<ValueRef<'a>>,
    },
    /// It was deleted.
    Deleted,
    /// Its time was over.
    Expired,
}

/// The same in a header; the value's bytes are the payload.
#[derive(Encode, Decode)]
enum ChangeHeader {
    Set { ttl_ms: Option<u64>, tag: Option<u8> },
    Deleted,
    Expired,
}

impl<'a> Message<'a> for Push<'a> {
    fn operation(&self) -> u8 {
        match self {
            Self::Changed { .. } => CHANGED,
            Self::Reached { .. } => REACHED,
            Self::Compacted { .. } => COMPACTED,
            Self::LockGranted { .. } => LOCK_GRANTED,
            Self::LockLost { .. } => LOCK_LOST,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Changed { watch, key, revision, more, change } => {
                wire::put(out, (watch, key.as_bytes(), revision, more, change.header()));
                if let Change::Set { value: Some(value), .. } = change {
                    value.put(out);
                }
            }
            Self::Reached { watch, revision, live } => wire::put(out, (watch, revision, live)),
            Self::Compacted { watch, oldest } => wire::put(out, (watch, oldest)),
            Self::LockGranted { token } | Self::LockLost { token } => wire::put(out, token),
        }
    }

    fn decode(operation: u8, body: &'a [u8]) -> Result<Self, DecodeError> {
        match operation {
            CHANGED => {
                type Header<'a> = (Option<u32>, &'a [u8], u64, bool, ChangeHeader);
                let (header, payload): (Header<'_>, _) = wire::take(body, "changed")?;
                let (watch, key, revision, more, change) = header;
                let change = change.decode(payload)?;
                Ok(Self::Changed { watch, key: Key::new(key)?, revision, more, change })
            }
            REACHED => {
                let (watch, revision, live) = wire::take_all(body, "reached")?;
                Ok(Self::Reached { watch, revision, live })
            }
            COMPACTED => {
                let (watch, oldest) = wire::take_all(body, "compacted")?;
                Ok(Self::Compacted { watch, oldest })
            }
            LOCK_GRANTED => Ok(Self::LockGranted { token: wire::take_all(body, "lock_granted")? }),
            LOCK_LOST => Ok(Self::LockLost { token: wire::take_all(body, "lock_lost")? }),
            unknown => Err(envelope::unknown_operation(unknown)),
        }
    }
}

impl Change<'_> {
    fn header(self) -> ChangeHeader {
        match self {
            Self::Set { ttl_ms, value } => {
                ChangeHeader::Set { ttl_ms, tag: value.map(|value| value.tag().code()) }
            }
            Self::Deleted => ChangeHeader::Deleted,
            Self::Expired => ChangeHeader::Expired,
        }
    }
}

impl ChangeHeader {
    fn decode(self, payload: &[u8]) -> Result<Change<'_>, DecodeError> {
        let change = match self {
            Self::Set { ttl_ms, tag: Some(tag) } => {
                let value = Some(ValueRef::from_wire(tag, payload)?);
                return Ok(Change::Set { ttl_ms, value });
            }
            Self::Set { ttl_ms, tag: None } => Change::Set { ttl_ms, value: None },
            Self::Deleted => Change::Deleted,
            Self::Expired => Change::Expired,
        };
        match payload {
            [] => Ok(change),
            rest => Err(wire::trailing("changed", rest.len())),
        }
    }
}
