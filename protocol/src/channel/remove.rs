//! `remove`: a job shall not be done any more.

use crate::QueueName;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x1F;

/// Removes a job that waits or is delayed; answered by `Counted`, with 1 if it was there, or refused
/// with `JobLeased` while a session holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remove<'a> {
    /// The queue that it is in.
    pub queue: QueueName<'a>,
    /// Its number.
    pub job: u64,
}

impl<'a> Remove<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.queue.as_bytes(), self.job));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (name, job): (&[u8], u64) = wire::take_all(body, "remove")?;
        Ok(Self { queue: QueueName::new(name)?, job })
    }
}
