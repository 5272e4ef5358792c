//! `ask`: a question for one session that serves a channel.

use crate::limits::QUESTION_MS_MAX;
use crate::wire::{self, DecodeError};
use crate::{ChannelName, Reason, Refusal, ValueRef};

pub(super) const CODE: u8 = 0x28;

/// Hands a question to one of the sessions that serve the channel; answered by `Asked`, and later by the
/// push `Answered` or `Unanswered` of the same number.
///
/// Refused with `NoResponders` when nobody serves the channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ask<'a> {
    /// Whose responders are asked.
    pub channel: ChannelName<'a>,
    /// How long the asker waits, in milliseconds: 1 to 3 600 000.
    pub timeout_ms: u32,
    /// Whether another one may be asked when the first is gone without an answer: it may have done all of
    /// the work, or half of it.
    pub repeat: bool,
    /// The question.
    pub value: ValueRef<'a>,
}

impl<'a> Ask<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let Self { channel, timeout_ms, repeat, value } = self;
        wire::put(out, (channel.as_bytes(), timeout_ms, repeat, value.tag().code()));
        value.put(out);
    }

    pub(super) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = (&'a [u8], u32, bool, u8);
        let ((name, timeout_ms, repeat, tag), payload): (Header<'a>, _) = wire::take(body, "ask")?;
        if !(1..=QUESTION_MS_MAX).contains(&timeout_ms) {
            let text = format!("a timeout of {timeout_ms} ms is not in 1 to {QUESTION_MS_MAX}");
            return Err(Refusal::new(Reason::InvalidArgument, text).into());
        }
        let value = ValueRef::from_wire(tag, payload)?;
        Ok(Self { channel: ChannelName::new(name)?, timeout_ms, repeat, value })
    }
}
