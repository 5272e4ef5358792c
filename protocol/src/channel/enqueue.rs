//! `enqueue`: a job for one consumer of a queue.

use super::PublisherId;
use crate::wire::{self, DecodeError};
use crate::{Delay, QueueName, ValueRef};

pub(super) const CODE: u8 = 0x18;

/// Stores a job until a consumer acknowledges it; answered by `Enqueued`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Enqueue<'a> {
    /// The queue, made by its first job or consumer.
    pub queue: QueueName<'a>,
    /// How long nobody shall have it.
    pub delay: Delay,
    /// Jobs of a higher one are handed out before all others.
    pub priority: u8,
    /// What the publisher knows the job by: within the queue's window it is stored once.
    pub id: Option<PublisherId<'a>>,
    /// The job.
    pub value: ValueRef<'a>,
}

impl<'a> Enqueue<'a> {
    /// A job like others: at once, of no priority, without an id.
    #[must_use]
    pub fn new(queue: QueueName<'a>, value: ValueRef<'a>) -> Self {
        Self { queue, delay: Delay::NONE, priority: 0, id: None, value }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let (queue, delay_ms) = (self.queue.as_bytes(), self.delay.as_millis());
        let id = self.id.map(PublisherId::as_bytes);
        wire::put(out, (queue, delay_ms, self.priority, id, self.value.tag().code()));
        self.value.put(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (&'a [u8], u64, u8, Option<&'a [u8]>, u8);
        let ((name, delay_ms, priority, id, tag), payload): (Header<'_>, _) =
            wire::take(body, "enqueue")?;
        Ok(Self {
            queue: QueueName::new(name)?,
            delay: Delay::from_millis(delay_ms)?,
            priority,
            id: id.map(PublisherId::new).transpose()?,
            value: ValueRef::from_wire(tag, payload)?,
        })
    }
}
