//! `answer`: what a responder makes of a question, on its way to the server and from there to the asker.

use crate::ValueRef;
use crate::wire::{self, DecodeError};

pub(super) const CODE: u8 = 0x29;

/// Answers a question that this session was handed; answered by `Done`, or refused with
/// `UnknownQuestion`. The asker gets the same as the push `Answered`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer<'a> {
    /// The question's number, as its push gave it.
    pub question: u64,
    /// The responder will not do it, and the value says why.
    pub declined: bool,
    /// The answer.
    pub value: ValueRef<'a>,
}

impl<'a> Answer<'a> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, (self.question, self.declined, self.value.tag().code()));
        self.value.put(out);
    }

    pub(super) fn decode(body: &'a [u8], what: &'static str) -> Result<Self, DecodeError> {
        let ((question, declined, tag), payload): ((u64, bool, u8), _) = wire::take(body, what)?;
        Ok(Self { question, declined, value: ValueRef::from_wire(tag, payload)? })
    }
}
