//! What globaldata-server sends unasked: how it went on with the locks that a session asked for.

use crate::envelope::{self, Message};
use crate::wire::{self, DecodeError};

const LOCK_GRANTED: u8 = 0xE4;
const LOCK_LOST: u8 = 0xE5;

/// Something that globaldata-server sends unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
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

impl<'a> Message<'a> for Push {
    fn operation(&self) -> u8 {
        match self {
            Self::LockGranted { .. } => LOCK_GRANTED,
            Self::LockLost { .. } => LOCK_LOST,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::LockGranted { token } | Self::LockLost { token } => wire::put(out, token),
        }
    }

    fn decode(operation: u8, body: &'a [u8]) -> Result<Self, DecodeError> {
        match operation {
            LOCK_GRANTED => Ok(Self::LockGranted { token: wire::take_all(body, "lock_granted")? }),
            LOCK_LOST => Ok(Self::LockLost { token: wire::take_all(body, "lock_lost")? }),
            unknown => Err(envelope::unknown_operation(unknown)),
        }
    }
}
