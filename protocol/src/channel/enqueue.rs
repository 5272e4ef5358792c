//! `enqueue`: a job for one consumer of a queue.

use crate::wire::{self, DecodeError};
use crate::{QueueName, ValueRef};

pub(super) const CODE: u8 = 0x18;

/// Stores a job until a consumer acknowledges it; answered by `Enqueued`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Enqueue<'a> {
    /// The queue, made by its first job or consumer.
    pub queue: QueueName<'a>,
    /// The job.
    pub value: ValueRef<'a>,
}

impl<'a> Enqueue<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.queue.as_bytes(), self.value.tag().code()));
        self.value.put(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let ((name, tag), payload): ((&[u8], u8), _) = wire::take(body, "enqueue")?;
        Ok(Self { queue: QueueName::new(name)?, value: ValueRef::from_wire(tag, payload)? })
    }
}
