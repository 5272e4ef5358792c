//! Every question that was asked, and who is to answer it, by what was said at the server's door.

use crate::findings::Findings;
use std::collections::{BTreeMap, BTreeSet};
use workyard_engine::SessionId;
use workyard_protocol::channel::UnansweredCause;

#[derive(Debug, Default)]
pub(crate) struct Questions {
    /// Those that wait for what becomes of them.
    open: BTreeMap<u64, Question>,
    /// The sessions that serve each channel.
    services: BTreeMap<Vec<u8>, BTreeSet<SessionId>>,
}

#[derive(Debug)]
struct Question {
    channel: Vec<u8>,
    asker: SessionId,
    ends_ms: u64,
    is_repeatable: bool,
    attempt: u32,
    holder: Option<SessionId>,
    /// What the holder answered.
    answer: Option<u64>,
}

impl Questions {
    pub(crate) fn serves(&mut self, session: SessionId, channel: &[u8], is_on: bool) {
        let all = self.services.entry(channel.to_vec()).or_default();
        if is_on {
            all.insert(session)
        } else {
            all.remove(&session)
        };
    }

    /// The server took a question on.
    pub(crate) fn asked(
        &mut self,
        asker: SessionId,
        number: u64,
        channel: &[u8],
        ends_ms: u64,
        is_repeatable: bool,
    ) {
        let question = Question {
            channel: channel.to_vec(),
            asker,
            ends_ms,
            is_repeatable,
            attempt: 0,
            holder: None,
            answer: None,
        };
        self.open.insert(number, question);
    }

    /// Nobody is there to ask, it was said.
    pub(crate) fn nobody(&self, channel: &[u8], findings: &Findings) {
        let serving = self.services.get(channel).map_or(0, BTreeSet::len);
        findings.check(serving == 0, || format!("nobody was asked, and {serving} serve"));
    }

    /// A session is handed a question: it serves the channel, and nobody else has the question.
    pub(crate) fn handed_to(
        &mut self,
        session: SessionId,
        number: u64,
        attempt: u32,
        findings: &Findings,
    ) {
        let Some(question) = self.open.get_mut(&number) else {
            return findings.report(format!("question {number} was handed out and never asked"));
        };
        let serves = self.services.get(&question.channel).is_some_and(|all| all.contains(&session));
        let may_be = question.attempt == 0 || question.is_repeatable;
        let is_next = attempt == question.attempt + 1 && question.holder.is_none();
        findings.check(serves && may_be && is_next, || {
            format!("{session:?} was handed question {number}, attempt {attempt}: {question:?}")
        });
        (question.holder, question.attempt) = (Some(session), attempt);
    }

    /// A session was allowed to answer.
    pub(crate) fn answered(
        &mut self,
        by: SessionId,
        number: u64,
        value: u64,
        now_ms: u64,
        findings: &Findings,
    ) {
        // Once its asker is gone a question is, too.
        let question = self.open.get_mut(&number);
        let is_its_own =
            question.as_ref().is_some_and(|one| one.holder == Some(by) && one.answer.is_none());
        let is_in_time = question.as_ref().is_some_and(|one| one.ends_ms > now_ms);
        findings.check(is_its_own && is_in_time, || {
            format!("{by:?} was allowed to answer question {number}: {question:?}")
        });
        question.into_iter().for_each(|one| one.answer = Some(value));
    }

    /// The asker is told the answer: its own question's, as it was given.
    pub(crate) fn told(&mut self, to: SessionId, number: u64, value: u64, findings: &Findings) {
        let question = self.open.remove(&number);
        let is_right =
            question.as_ref().is_some_and(|one| one.asker == to && one.answer == Some(value));
        findings.check(is_right, || {
            format!("{to:?} was told {value} of question {number}: {question:?}")
        });
    }

    /// The asker is told that there is no answer, and why.
    pub(crate) fn given_up(
        &mut self,
        to: SessionId,
        number: u64,
        cause: UnansweredCause,
        now_ms: u64,
        findings: &Findings,
    ) {
        let question = self.open.remove(&number);
        let is_right = question.as_ref().is_some_and(|one| {
            let is_true = match cause {
                UnansweredCause::TimedOut => one.ends_ms <= now_ms && one.answer.is_none(),
                UnansweredCause::ResponderGone => one.holder.is_none(),
                UnansweredCause::AskerSlow => one.answer.is_some(),
            };
            one.asker == to && is_true
        });
        findings.check(is_right, || {
            format!("{to:?} was told {cause:?} of question {number}: {question:?}")
        });
    }

    /// What a session asked is of no interest any more, and what it was asked is free.
    pub(crate) fn closed(&mut self, session: SessionId) {
        for serving in self.services.values_mut() {
            serving.remove(&session);
        }
        self.open.retain(|_, question| question.asker != session);
        for question in self.open.values_mut() {
            question.holder.take_if(|holder| *holder == session);
        }
    }

    pub(crate) fn forget_everything(&mut self) {
        (self.open, self.services) = (BTreeMap::new(), BTreeMap::new());
    }
}
