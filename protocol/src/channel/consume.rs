//! `consume`: the session wants jobs of a queue.

use crate::limits::PREFETCH_JOBS_MAX;
use crate::wire::{self, DecodeError};
use crate::{QueueName, Reason, Refusal};

pub(super) const CODE: u8 = 0x19;

/// Makes the session a consumer of the queue, or changes its prefetch; answered by `Done`, then jobs
/// follow as pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consume<'a> {
    /// The queue, made by its first job or consumer.
    pub queue: QueueName<'a>,
    /// How many jobs the session may hold unacknowledged, 1 to 65 535.
    pub prefetch: u32,
}

impl<'a> Consume<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.queue.as_bytes(), self.prefetch));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (name, prefetch): (&[u8], u32) = wire::take_all(body, "consume")?;
        if !(1..=PREFETCH_JOBS_MAX).contains(&prefetch) {
            let text = format!("prefetch {prefetch} is not in 1 to {PREFETCH_JOBS_MAX}");
            return Err(Refusal::new(Reason::InvalidArgument, text).into());
        }
        Ok(Self { queue: QueueName::new(name)?, prefetch })
    }
}
