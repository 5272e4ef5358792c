//! What channel-server sends about questions: one to a responder, and to its asker that none answered.

use crate::wire::{self, DecodeError};
use crate::{ChannelName, Reason, Refusal, ValueRef};

pub(super) const QUESTION: u8 = 0xC5;
pub(super) const ANSWERED: u8 = 0xC6;
pub(super) const UNANSWERED: u8 = 0xC7;

/// A question for this session alone, until it answers, disconnects, or time runs out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question<'a> {
    /// Its number, for the answer.
    pub question: u64,
    /// Where it was asked.
    pub channel: ChannelName<'a>,
    /// To how many it has been handed, this session included: 1 at first.
    pub attempt: u32,
    /// How long the asker still waits, in milliseconds.
    pub timeout_ms: u32,
    /// The question.
    pub value: ValueRef<'a>,
}

/// No answer will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The question's number, as `Asked` gave it.
    pub question: u64,
    /// Why.
    pub cause: UnansweredCause,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnansweredCause {
    /// Time ran out. The responder may have done it all the same, or will.
    TimedOut,
    /// The responder was gone before it answered. What it had done by then is not known.
    ResponderGone,
    /// The answer came, and was dropped: too many answers wait for askers that do not read them.
    AskerSlow,
}

impl UnansweredCause {
    const ALL: [Self; 3] = [Self::TimedOut, Self::ResponderGone, Self::AskerSlow];
}

impl<'a> Question<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let Self { question, channel, attempt, timeout_ms, value } = self;
        wire::put(out, (question, channel.as_bytes(), attempt, timeout_ms, value.tag().code()));
        value.put(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (u64, &'a [u8], u32, u32, u8);
        let (header, payload): (Header<'a>, _) = wire::take(body, "question")?;
        let (question, name, attempt, timeout_ms, tag) = header;
        let value = ValueRef::from_wire(tag, payload)?;
        Ok(Self { question, channel: ChannelName::new(name)?, attempt, timeout_ms, value })
    }
}

impl Unanswered {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.question, self.cause as u8));
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let (question, code): (u64, u8) = wire::take_all(body, "unanswered")?;
        match UnansweredCause::ALL.into_iter().find(|cause| *cause as u8 == code) {
            Some(cause) => Ok(Self { question, cause }),
            None => {
                let text = format!("cause {code} is unknown: expected 0 to 2");
                Err(Refusal::new(Reason::InvalidArgument, text).into())
            }
        }
    }
}
