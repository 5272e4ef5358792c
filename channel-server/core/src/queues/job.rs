//! A job, as long as it is kept.

use crate::BrokerLimits;
use workyard_engine::Time;
use workyard_protocol::channel::{Cause, NackReason, Push};
use workyard_protocol::{Encoding, QueueName, ValueRef};

/// A job that waits or that a session holds.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Its number; those of later jobs are higher.
    pub(crate) number: u64,
    /// When it became ready, or will: it is not before that.
    pub(crate) since: Time,
    /// How often it has been handed out.
    pub(crate) attempt: u32,
    /// Higher ones are handed out before.
    pub(crate) priority: u8,
    /// It is not ready yet.
    pub(crate) is_delayed: bool,
    content: Content,
    /// What most jobs have nothing of.
    past: Option<Box<Past>>,
}

/// What a job says, without spare room: there may be millions.
#[derive(Clone, Debug)]
enum Content {
    Int(i64),
    Float(f64),
    Encoded { encoding: Encoding, bytes: Box<[u8]> },
}

/// What happened to a job that came back.
#[derive(Clone, Debug, Default)]
struct Past {
    reason: Option<Box<str>>,
    death: Option<Death>,
}

/// How a job became a dead letter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Death {
    pub(crate) cause: Cause,
    pub(crate) since: Time,
}

const _: () = assert!(size_of::<Job>() == 56, "a job is one small allocation, its bytes another");

impl Job {
    pub(crate) fn new(number: u64, since: Time, priority: u8, value: ValueRef<'_>) -> Box<Self> {
        let content = match value {
            ValueRef::Int(int) => Content::Int(int),
            ValueRef::Float(float) => Content::Float(float),
            ValueRef::Encoded { encoding, bytes } => {
                Content::Encoded { encoding, bytes: bytes.into() }
            }
        };
        let (attempt, is_delayed, past) = (0, false, None);
        Box::new(Self { number, since, attempt, priority, is_delayed, content, past })
    }

    /// What a job of this value takes of `queue_bytes_max`.
    pub(crate) fn bytes_of(value: ValueRef<'_>) -> usize {
        value.byte_len() + BrokerLimits::JOB_OVERHEAD_BYTES
    }

    /// What this one takes.
    pub(crate) fn bytes(&self) -> usize {
        let reason = self.reason().map_or(0, |reason| reason.as_str().len());
        Self::bytes_of(self.value()) + reason
    }

    /// What it says.
    pub(crate) fn value(&self) -> ValueRef<'_> {
        match &self.content {
            Content::Int(int) => ValueRef::Int(*int),
            Content::Float(float) => ValueRef::Float(*float),
            Content::Encoded { encoding, bytes } => {
                ValueRef::Encoded { encoding: *encoding, bytes }
            }
        }
    }

    /// What the session that holds it is sent.
    pub(crate) fn push<'a>(&'a self, queue: QueueName<'a>, lease: u64, lease_ms: u32) -> Push<'a> {
        let (job, attempt, value) = (self.number, self.attempt, self.value());
        Push::Job { queue, job, attempt, lease, lease_ms, value }
    }

    /// What a consumer said last when it gave the job back.
    pub(crate) fn reason(&self) -> Option<NackReason<'_>> {
        let text = self.past.as_ref()?.reason.as_deref()?;
        Some(NackReason::new(text).expect("it was a reason when it came"))
    }

    /// Remembers why the job came back.
    pub(crate) fn set_reason(&mut self, reason: NackReason<'_>) {
        self.past.get_or_insert_default().reason = Some(reason.as_str().into());
    }

    /// How it became a dead letter, if it is one.
    pub(crate) fn death(&self) -> Option<Death> {
        self.past.as_ref()?.death
    }

    /// The job is a dead letter from now on.
    pub(crate) fn die(&mut self, death: Death) {
        self.past.get_or_insert_default().death = Some(death);
    }

    /// It begins anew: as if it had never been handed out.
    pub(crate) fn revive(&mut self) {
        self.attempt = 0;
        self.past = None;
    }
}
