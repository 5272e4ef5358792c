//! `redrive`: jobs that were given up get another chance.

use crate::limits::REDRIVE_JOBS_MAX;
use crate::wire::{self, DecodeError};
use crate::{QueueName, Reason, Refusal};

pub(super) const CODE: u8 = 0x23;

/// Moves dead letters of a queue back to it; answered by `Counted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redrive<'a> {
    /// The queue that they came from.
    pub queue: QueueName<'a>,
    /// 0 at first, then what the answer before returned.
    pub cursor: u64,
    /// Most jobs to move, 1 to 10 000.
    pub limit: u32,
}

impl<'a> Redrive<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.queue.as_bytes(), self.cursor, self.limit));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (name, cursor, limit): (&[u8], u64, u32) = wire::take_all(body, "redrive")?;
        if !(1..=REDRIVE_JOBS_MAX).contains(&limit) {
            let text = format!("a redrive of {limit} jobs is not in 1 to {REDRIVE_JOBS_MAX}");
            return Err(Refusal::new(Reason::InvalidArgument, text).into());
        }
        Ok(Self { queue: QueueName::new(name)?, cursor, limit })
    }
}
