//! What the server believes to be held here, and what became of questions.

use super::Lease;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Instant;
use workyard_protocol::Value;

/// A job that the server believes to be held here.
#[derive(Clone, Debug)]
pub(crate) struct HeldJob {
    pub(crate) job: u64,
    pub(crate) queue: Bytes,
    pub(crate) attempt: u32,
    pub(crate) value: Value,
    /// The connection that it came by; with another one it is no longer held.
    pub(crate) connection: u64,
    pub(crate) lease: Arc<Lease>,
    /// How many jobs its consumer holds.
    pub(crate) held: Arc<AtomicU32>,
}

/// A question that the server believes to be held here.
#[derive(Clone, Debug)]
pub(crate) struct HeldQuestion {
    pub(crate) question: u64,
    pub(crate) channel: Bytes,
    pub(crate) attempt: u32,
    /// When its asker gives up.
    pub(crate) deadline: Instant,
    pub(crate) value: Value,
    /// The connection that it came by.
    pub(crate) connection: u64,
}

impl HeldQuestion {
    /// What counts towards the bounds of a buffer.
    pub(super) fn byte_len(&self) -> usize {
        size_of::<Self>() + self.channel.len() + self.value.as_ref().byte_len()
    }
}

/// What became of a question.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered {
        declined: bool,
        value: Value,
    },
    TimedOut,
    ResponderGone,
    /// There was an answer, and the server had no room for it.
    Dropped,
    /// The connection was lost before.
    Lost,
}
