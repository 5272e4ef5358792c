//! `dead`: the jobs of a queue that were given up, and why.

use super::NackReason;
use crate::QueueName;
use crate::wire::{self, DecodeError};
use bincode::{Decode, Encode};

pub(super) const CODE: u8 = 0x22;

/// Asks for the dead letters of a queue, those that wait in the queue of the same name with `.dead`
/// behind it; answered by `Dead`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dead<'a> {
    /// The queue that they came from.
    pub queue: QueueName<'a>,
    /// 0 at first, then what the page before returned.
    pub cursor: u64,
    /// Most entries wanted, 1 to 1000.
    pub limit: u32,
}

/// A job that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadJob<'a> {
    /// Its number.
    pub job: u64,
    /// How often it was handed out.
    pub attempts: u32,
    /// How it came back the last time.
    pub cause: Cause,
    /// What a consumer said last when it gave the job back.
    pub reason: Option<NackReason<'a>>,
    /// How long ago it was given up, in milliseconds.
    pub age_ms: u64,
    /// The bytes of its value.
    pub size: u32,
}

/// How a job came back from a session that held it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Cause {
    /// It was given back.
    Nack,
    /// Its lease was not renewed in time.
    Expiry,
    /// The session ended.
    Disconnect,
}

pub(super) type DeadHeader<'a> = (u64, u32, Cause, Option<&'a str>, u64, u32);

impl<'a> Dead<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.queue.as_bytes(), self.cursor, self.limit));
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (name, cursor, limit): (&[u8], u64, u32) = wire::take_all(body, "dead")?;
        wire::check_page_limit(limit)?;
        Ok(Self { queue: QueueName::new(name)?, cursor, limit })
    }
}

impl<'a> DeadJob<'a> {
    pub(super) fn header(&self) -> DeadHeader<'a> {
        let reason = self.reason.map(NackReason::as_str);
        (self.job, self.attempts, self.cause, reason, self.age_ms, self.size)
    }

    pub(super) fn decode(header: DeadHeader<'a>) -> Result<Self, DecodeError> {
        let (job, attempts, cause, reason, age_ms, size) = header;
        let reason = reason.map(NackReason::new).transpose()?;
        Ok(Self { job, attempts, cause, reason, age_ms, size })
    }
}
