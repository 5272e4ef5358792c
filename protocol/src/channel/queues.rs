//! `queues`: a page of the queues and what is in them.

use crate::QueueName;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x1C;

/// Asks for the state of the queues whose names begin with `prefix`; answered by `Queues`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queues<'a> {
    /// How the names begin; empty for all.
    pub prefix: &'a [u8],
    /// 0 at first, then what the page before returned.
    pub cursor: u64,
    /// Most entries wanted, 1 to 1000.
    pub limit: u32,
}

/// One queue's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueStats<'a> {
    /// The queue.
    pub queue: QueueName<'a>,
    /// Jobs that wait for a consumer.
    pub ready: u64,
    /// Jobs that consumers hold.
    pub leased: u64,
    /// Jobs that nobody shall have yet.
    pub delayed: u64,
    /// Jobs in the queue of the same name with `.dead` behind it.
    pub dead: u64,
    /// Sessions that consume.
    pub consumers: u32,
    /// How long that waiting job has been ready which has been so longest.
    pub oldest_ms: u64,
}

impl<'a> Queues<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.prefix, self.cursor, self.limit));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (prefix, cursor, limit) = wire::take_all(body, "queues")?;
        wire::check_page_limit(limit)?;
        Ok(Self { prefix, cursor, limit })
    }
}
