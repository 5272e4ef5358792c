//! Where every question is, as the server's door shows it.

use crate::channel::value_id;
use crate::findings::Findings;
use crate::monitor::Monitor;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use workyard_engine::{SessionId, Time};
use workyard_protocol::channel::{
    Answer, ChannelWire, Push, Question, Reply, Request, Unanswered, UnansweredCause,
};
use workyard_protocol::{Refusal, RequestId, Value};

/// Looks on at the server's door.
#[derive(Debug)]
pub(super) struct TalkMonitor {
    findings: Arc<Findings>,
    current: Option<Doing>,
    open: BTreeMap<u64, Open>,
    gone: BTreeSet<SessionId>,
}

/// What is being carried out.
#[derive(Debug)]
enum Doing {
    Ask { asker: SessionId, value: u64, repeat: bool },
    Answer { question: u64, declined: bool, value: Value },
}

/// A question that its asker has not heard the end of.
#[derive(Debug)]
struct Open {
    asker: SessionId,
    value: u64,
    repeat: bool,
    attempt: u32,
    holder: Option<SessionId>,
    answer: Option<(bool, Value)>,
}

impl TalkMonitor {
    pub(super) fn new(findings: Arc<Findings>) -> Self {
        let (open, gone) = (BTreeMap::new(), BTreeSet::new());
        Self { findings, current: None, open, gone }
    }

    fn handed_out(&mut self, to: SessionId, question: &Question<'_>) {
        let (number, attempt) = (question.question, question.attempt);
        let Some(open) = self.open.get_mut(&number) else {
            return self.findings.report(format!("question {number} out of nothing"));
        };
        let is_first = open.holder.is_none() && attempt == 1;
        let is_passed_on = open.repeat
            && attempt == open.attempt + 1
            && open.holder.is_some_and(|holder| self.gone.contains(&holder));
        let holder = open.holder.replace(to);
        open.attempt = attempt;
        self.findings.check(is_first || is_passed_on, || {
            format!("question {number} was handed to {to:?}, attempt {attempt}, after {holder:?}")
        });
        self.findings.check(open.value == value_id(question.value), || {
            format!("question {number} is not what was asked")
        });
    }

    /// Nobody waits for a session that is gone.
    fn check_holders(&self) {
        for (number, open) in self.open.iter().filter(|(_, open)| open.answer.is_none()) {
            let is_gone = open.holder.is_some_and(|holder| self.gone.contains(&holder));
            self.findings.check(!is_gone, || format!("question {number} died with its responder"));
        }
    }

    /// The asker hears the end of a question.
    fn ended(&mut self, to: SessionId, number: u64) -> Option<Open> {
        let open = self.open.remove(&number);
        let is_askers = open.as_ref().is_some_and(|open| open.asker == to);
        self.findings.check(is_askers, || {
            format!("{to:?} is told of question {number}, which is not its own: {open:?}")
        });
        open
    }

    fn answered_to(&mut self, to: SessionId, answer: &Answer<'_>) {
        let Some(open) = self.ended(to, answer.question) else { return };
        let told = Some((answer.declined, answer.value.to_value()));
        self.findings.check(open.answer == told, || {
            format!("question {}: {told:?} is told, not {:?}", answer.question, open.answer)
        });
    }

    fn unanswered(&mut self, to: SessionId, Unanswered { question, cause }: Unanswered) {
        let Some(open) = self.ended(to, question) else { return };
        let is_right = match cause {
            UnansweredCause::TimedOut => open.answer.is_none(),
            UnansweredCause::ResponderGone => {
                open.answer.is_none() && open.holder.is_some_and(|one| self.gone.contains(&one))
            }
            UnansweredCause::AskerSlow => open.answer.is_some(),
        };
        self.findings.check(is_right, || format!("question {question} is no {cause:?}: {open:?}"));
    }
}

impl Monitor<ChannelWire> for TalkMonitor {
    fn at(&mut self, _: Time) {}

    fn started(&mut self, _: u64) {}

    fn crashed(&mut self) {
        self.open.clear();
        self.gone.clear();
    }

    fn closed(&mut self, session: SessionId) {
        self.gone.insert(session);
        self.open.retain(|_, open| open.asker != session);
    }

    fn asked(&mut self, session: SessionId, _: RequestId, request: &Request<'_>) -> bool {
        self.check_holders();
        self.current = match request {
            Request::Ask(ask) => {
                let (value, repeat) = (value_id(ask.value), ask.repeat);
                Some(Doing::Ask { asker: session, value, repeat })
            }
            Request::Answer(answer) => {
                let Answer { question, declined, value } = *answer;
                let held = self.open.get(&question).and_then(|open| open.holder);
                let mine = held == Some(session);
                mine.then(|| Doing::Answer { question, declined, value: value.to_value() })
            }
            _ => None,
        };
        false
    }

    fn answered(&mut self, session: SessionId, _: RequestId, reply: &Reply<'_>) {
        match (self.current.take(), reply) {
            (Some(Doing::Ask { asker, value, repeat }), Reply::Asked { question }) => {
                let (holder, answer) = (None, None);
                let open = Open { asker, value, repeat, attempt: 0, holder, answer };
                let before = self.open.insert(*question, open);
                self.findings.check(before.is_none(), || format!("a second question {question}"));
            }
            (Some(Doing::Answer { question, declined, value }), Reply::Done) => {
                let open = self.open.get_mut(&question).filter(|open| open.answer.is_none());
                match open {
                    Some(open) => open.answer = Some((declined, value)),
                    None => self.findings.report(format!("question {question} is answered twice")),
                }
            }
            (None, Reply::Asked { .. }) => {
                self.findings.report(format!("{session:?} asked nothing"));
            }
            _ => {}
        }
    }

    fn refused(&mut self, session: SessionId, _: RequestId, refusal: &Refusal) {
        if let Some(Doing::Answer { question, .. }) = self.current.take() {
            let waits = self.open.get(&question).is_some_and(|open| open.answer.is_none());
            self.findings.check(!waits, || {
                format!("{session:?} may not answer question {question}: {refusal}")
            });
        }
    }

    fn pushed(&mut self, session: SessionId, push: &Push<'_>) {
        match push {
            Push::Question(question) => self.handed_out(session, question),
            Push::Answered(answer) => self.answered_to(session, answer),
            Push::Unanswered(unanswered) => self.unanswered(session, *unanswered),
            _ => {}
        }
    }

    fn published(&mut self, _: &[SessionId], _: &Push<'_>) {}
}
