//! A job, as long as it is kept.

use crate::BrokerLimits;
use workyard_engine::Time;
use workyard_protocol::channel::Push;
use workyard_protocol::{QueueName, Value, ValueRef};

/// A job that waits or that a session holds.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Its number; those of later jobs are higher.
    pub(crate) id: u64,
    /// How often it has been handed out.
    pub(crate) attempt: u32,
    /// When it came.
    pub(crate) since: Time,
    /// What it says.
    pub(crate) value: Value,
}

impl Job {
    /// What a job of this value takes of `queue_bytes_max`.
    pub(crate) fn bytes(value: ValueRef<'_>) -> usize {
        value.byte_len() + BrokerLimits::JOB_OVERHEAD_BYTES
    }

    /// What the session that holds it is sent.
    pub(crate) fn push<'a>(&'a self, queue: QueueName<'a>) -> Push<'a> {
        Push::Job { queue, job: self.id, attempt: self.attempt, value: self.value.as_ref() }
    }
}
