//! Questions on their way to the server and back.

use super::asked::Asked;
use super::{ChannelSession, Done, HeldQuestion, LocalId, Outcome, Waiter, channel_name, finish};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use workyard_link::{Error, Mailbox, Outbox, Received};
use workyard_protocol::channel::{
    Answer, Ask, Question, Reply, Request, Serve, Unanswered, UnansweredCause,
};
use workyard_protocol::{DecodeError, Refusal, Value, ValueRef};

/// A question that a handle wants asked.
#[derive(Debug)]
pub(crate) struct ToAsk {
    pub(crate) channel: Bytes,
    pub(crate) timeout_ms: u32,
    pub(crate) repeat: bool,
    pub(crate) value: Value,
}

impl ChannelSession {
    pub(super) fn ask_question(&mut self, to_ask: &ToAsk, done: Waiter, outbox: &mut Outbox) {
        let ToAsk { timeout_ms, repeat, .. } = *to_ask;
        let channel = channel_name(&to_ask.channel);
        let value = to_ask.value.as_ref();
        let ask = Request::Ask(Ask { channel, timeout_ms, repeat, value });
        self.request(&ask, Asked::Question(done), outbox);
    }

    /// The server's answer to the asking, not yet to the question.
    pub(super) fn question_asked(
        &mut self,
        token: u64,
        answer: &Result<Received, Refusal>,
    ) -> Result<(), DecodeError> {
        let question = match answer.as_ref().map(Received::decode::<Reply<'_>>) {
            Ok(Ok(Reply::Asked { question })) => Ok(question),
            Ok(Ok(other)) => return Err(super::no_answer(&other)),
            Ok(Err(error)) => return Err(error),
            Err(refusal) => Err(Error::Refused(refusal.clone())),
        };
        if let Some(Asked::Question(waiter)) = self.asked.remove(&token) {
            match question {
                Ok(question) => self.questions.asked(question, waiter),
                Err(error) => drop(waiter.send(Err(error))),
            }
        }
        Ok(())
    }

    pub(super) fn question_answered(&mut self, push: &Received, answer: Answer<'_>) {
        let Answer { question, declined, value } = answer;
        let outcome = Outcome::Answered { declined, value: push.keep_value(value) };
        self.questions.settled(question, outcome);
    }

    pub(super) fn question_unanswered(&mut self, unanswered: Unanswered) {
        let outcome = match unanswered.cause {
            UnansweredCause::TimedOut => Outcome::TimedOut,
            UnansweredCause::ResponderGone => Outcome::ResponderGone,
            UnansweredCause::AskerSlow => Outcome::Dropped,
        };
        self.questions.settled(unanswered.question, outcome);
    }

    pub(super) fn question_came(
        &mut self,
        push: &Received,
        question: Question<'_>,
        outbox: &mut Outbox,
    ) {
        let (connection, _) = self.connection.expect("pushes come by a connection");
        let held = HeldQuestion {
            question: question.question,
            channel: push.keep(question.channel.as_bytes()),
            attempt: question.attempt,
            deadline: Instant::now() + Duration::from_millis(question.timeout_ms.into()),
            value: push.keep_value(question.value),
            connection,
        };
        self.deliver_question(&held, outbox);
    }

    pub(super) fn serve_channel(
        &mut self,
        id: LocalId,
        channel: Bytes,
        mailbox: Arc<Mailbox<HeldQuestion>>,
        done: Done,
        outbox: &mut Outbox,
    ) {
        let token = self.tell_serving(&channel, true, Asked::Serve(channel.clone()), outbox);
        self.questions.add(id, channel, mailbox, token, done);
    }

    /// What was served is served by the new connection too.
    pub(super) fn restore_services(&mut self, outbox: &mut Outbox) {
        for channel in self.questions.served() {
            let token = self.tell_serving(&channel, true, Asked::Serve(channel.clone()), outbox);
            self.questions.asked_again(token, &channel);
        }
    }

    pub(super) fn close_responder(&mut self, id: LocalId, done: Done, outbox: &mut Outbox) {
        let mut done = Some(done);
        if let Some(channel) = self.questions.close(id, &mut done) {
            self.tell_serving(&channel, false, Asked::EndService(id), outbox);
        }
        // There is none: nothing can come.
        finish(done);
    }

    /// A responder is gone; these questions were in its mailbox.
    pub(super) fn release_responder(
        &mut self,
        id: LocalId,
        left: Vec<HeldQuestion>,
        outbox: &mut Outbox,
    ) {
        if let Some(channel) = self.questions.remove(id) {
            self.tell_serving(&channel, false, Asked::End(None), outbox);
        }
        let connection = self.connection.map(|(number, _)| number);
        for question in left.into_iter().filter(|held| Some(held.connection) == connection) {
            self.deliver_question(&question, outbox);
        }
    }

    /// Nobody will answer: the asker shall not wait for it.
    pub(super) fn decline(&mut self, held: &HeldQuestion, why: &'static str, outbox: &mut Outbox) {
        if self.connection.is_none_or(|(number, _)| number != held.connection) {
            return;
        }
        let answer = Answer { question: held.question, declined: true, value: ValueRef::raw(why) };
        // Its time may have run out meanwhile: a refusal is as good as an answer.
        self.request(&Request::Answer(answer), Asked::End(None), outbox);
    }

    fn deliver_question(&mut self, held: &HeldQuestion, outbox: &mut Outbox) {
        if let Err(why) = self.questions.deliver(held) {
            self.decline(held, why, outbox);
        }
    }

    fn tell_serving(
        &mut self,
        channel: &Bytes,
        on: bool,
        asked: Asked,
        outbox: &mut Outbox,
    ) -> u64 {
        let serve = Serve { channel: channel_name(channel), on };
        self.request(&Request::Serve(serve), asked, outbox)
    }
}
