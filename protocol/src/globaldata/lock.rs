//! `lock`: asks for a lock, or for one of the permits of a semaphore.

use crate::wire::{self, DecodeError};
use crate::{LockName, Reason, Refusal, Ttl};
use bincode::{Decode, Encode};
use std::num::NonZeroU32;

pub(super) const CODE: u8 = 0x42;

/// Asks for a lock; answered at once by `Lock`, and by a push when a place in the queue has become the
/// lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock<'a> {
    /// What is locked.
    pub name: LockName<'a>,
    /// How many may hold it at once: 1 is a lock, more a semaphore. All who ask must name the same.
    pub permits: NonZeroU32,
    /// How long it is held, from the moment on at which it is, unless it is renewed.
    pub ttl: Ttl,
    /// Whether to queue if it is not free.
    pub wait: bool,
}

/// What became of the wish for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum LockReply {
    /// The session holds it.
    Locked {
        /// The claim's number: a fencing token. Whoever holds the lock later has a greater one.
        token: u64,
    },
    /// The session is behind all others who wait for it.
    Queued {
        /// The number that it will hold the lock with.
        token: u64,
    },
    /// Others hold it, and the session does not wait.
    Busy,
}

impl<'a> Lock<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let permits = self.permits.get();
        wire::put(out, (self.name.as_bytes(), permits, self.ttl.as_millis(), self.wait));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (&'a [u8], u32, u64, bool);
        let (name, permits, millis, wait): Header<'_> = wire::take_all(body, "lock")?;
        let permits = NonZeroU32::new(permits).ok_or_else(|| {
            let text = "a lock of 0 permits could never be held: 1 is a lock, more a semaphore";
            Refusal::new(Reason::InvalidArgument, text)
        })?;
        Ok(Self { name: LockName::new(name)?, permits, ttl: Ttl::from_millis(millis)?, wait })
    }
}
