//! Answers that wait until their askers have read what came before.

use super::unanswered;
use std::collections::VecDeque;
use workyard_engine::{BySession, Outbox, SessionId};
use workyard_protocol::Value;
use workyard_protocol::channel::{Answer, ChannelWire, Push, UnansweredCause};

/// What an answer that waits takes apart from its value, so that empty ones are bounded too.
const OVERHEAD_BYTES: usize = 64;

/// The answers of slow askers, oldest first.
#[derive(Debug)]
pub(super) struct Late {
    waiting: BySession<VecDeque<Waiting>>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    question: u64,
    declined: bool,
    value: Value,
}

impl Late {
    pub(super) fn new() -> Self {
        Self { waiting: BySession::new(), bytes: 0 }
    }

    /// How many askers are slow.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The bytes of all that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Sends an answer, or keeps it while there is no room; of those that wait, at most `bytes_max`.
    pub(super) fn deliver(
        &mut self,
        asker: SessionId,
        answer: Answer<'_>,
        bytes_max: usize,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        if self.waiting.get(asker).is_none() && outbox.has_room(asker) {
            return outbox.push(asker, Push::Answered(answer));
        }
        let Answer { question, declined, value } = answer;
        if self.bytes + OVERHEAD_BYTES + value.byte_len() > bytes_max {
            return unanswered(asker, question, UnansweredCause::AskerSlow, outbox);
        }
        let waiting = Waiting { question, declined, value: value.to_value() };
        self.bytes += waiting.bytes();
        self.waiting.get_or_default(asker).push_back(waiting);
    }

    /// Sends what there is room for.
    pub(super) fn drained(&mut self, asker: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        while let Some(waiting) = self.waiting.get_mut(asker) {
            let Some(first) = waiting.front() else {
                self.waiting.remove(asker);
                return;
            };
            if !outbox.has_room(asker) {
                return;
            }
            outbox.push(asker, Push::Answered(first.answer()));
            self.bytes -= first.bytes();
            waiting.pop_front();
        }
    }

    /// Forgets what waits for a session that is gone.
    pub(super) fn close(&mut self, asker: SessionId) {
        for waiting in self.waiting.remove(asker).unwrap_or_default() {
            self.bytes -= waiting.bytes();
        }
    }
}

impl Waiting {
    fn bytes(&self) -> usize {
        OVERHEAD_BYTES + self.value.as_ref().byte_len()
    }

    fn answer(&self) -> Answer<'_> {
        let Self { question, declined, value } = self;
        Answer { question: *question, declined: *declined, value: value.as_ref() }
    }
}
