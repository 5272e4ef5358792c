//! Questions on their way to the server and back.

use super::{Asked, ChannelSession, Done, HeldQuestion, LocalId, Outcome, Waiter, finish};
use crate::mailbox::Mailbox;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use workyard_link::{Error, Outbox, Received};
use workyard_protocol::channel::{
    Answer, Ask, Question, Reply, Request, Serve, Unanswered, UnansweredCause,
};
use workyard_protocol::{ChannelName, DecodeError, Refusal, Value, ValueRef};

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
        let token = self.next_token();
        let ToAsk { timeout_ms, repeat, .. } = *to_ask;
        let channel = channel_name(&to_ask.channel);
        let value = to_ask.value.as_ref();
        outbox.request(token, &Request::Ask(Ask { channel, timeout_ms, repeat, value }));
        self.ask(token, Asked::Question(done));
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
        let token = self.next_token();
        let serve = Serve { channel: channel_name(&channel), on: true };
        outbox.request(token, &Request::Serve(serve));
        self.questions.add(id, channel.clone(), mailbox, token, done);
        self.ask(token, Asked::Serve(channel));
    }

    /// What was served is served by the new connection too.
    pub(super) fn restore_services(&mut self, outbox: &mut Outbox) {
        for channel in self.questions.served() {
            let token = self.next_token();
            let serve = Serve { channel: channel_name(&channel), on: true };
            outbox.request(token, &Request::Serve(serve));
            self.questions.asked_again(token, &channel);
            self.ask(token, Asked::Serve(channel));
        }
    }

    pub(super) fn close_responder(&mut self, id: LocalId, done: Done, outbox: &mut Outbox) {
        let mut done = Some(done);
        if let Some(channel) = self.questions.close(id, &mut done) {
            self.serve_no_more(&channel, Asked::EndService(id), outbox);
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
            self.serve_no_more(&channel, Asked::End(None), outbox);
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
        let token = self.next_token();
        let answer = Answer { question: held.question, declined: true, value: ValueRef::raw(why) };
        outbox.request(token, &Request::Answer(answer));
        // Its time may have run out meanwhile: a refusal is as good as an answer.
        self.ask(token, Asked::End(None));
    }

    fn deliver_question(&mut self, held: &HeldQuestion, outbox: &mut Outbox) {
        if let Err(why) = self.questions.deliver(held) {
            self.decline(held, why, outbox);
        }
    }

    fn serve_no_more(&mut self, channel: &Bytes, asked: Asked, outbox: &mut Outbox) {
        let token = self.next_token();
        let serve = Serve { channel: channel_name(channel), on: false };
        outbox.request(token, &Request::Serve(serve));
        self.ask(token, asked);
    }
}

/// Fails whoever waits for a question that was on its way.
pub(super) fn lost(asked: Asked) {
    match asked {
        Asked::Question(waiter) => drop(waiter.send(Ok(Outcome::Lost))),
        // What is not asked for again has ended with the connection.
        Asked::End(done) => finish(done),
        _ => {}
    }
}

fn channel_name(channel: &Bytes) -> ChannelName<'_> {
    ChannelName::new(channel).expect("names are checked when they come in")
}
