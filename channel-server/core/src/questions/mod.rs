//! Questions: each goes to one session that serves its channel, and the answer back to whoever asked.

mod late;
mod services;
mod table;

use crate::done::done;
use crate::numbers::Numbers;
use crate::{BrokerLimits, Census};
use late::Late;
use services::Services;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use table::{Copy, Open, Table};
use workyard_engine::{BySession, Caller, Outbox, SessionId, Time};
use workyard_planted::planted;
use workyard_protocol::channel::{
    Answer, Ask, ChannelWire, Push, Question, Reply, Serve, Unanswered, UnansweredCause,
};
use workyard_protocol::{ChannelName, Reason, Refusal, ValueRef};

/// Most questions that run out of time at once; requests are served before the next.
const EXPIRED_AT_ONCE_MAX: usize = 1000;

/// Who serves what, and every question that waits for an answer.
#[derive(Debug)]
pub(crate) struct Questions {
    limits: BrokerLimits,
    services: Services,
    open: Table,
    late: Late,
    parties: BySession<Party>,
    last: u64,
    numbers: Numbers,
}

/// What one session has to do with questions. Ordered, so that the same requests always have the same
/// effects in the same order.
#[derive(Debug, Default)]
struct Party {
    /// The channels that it serves, each with the serial under which it joined.
    serves: BTreeMap<u32, u64>,
    /// The questions that it waits for.
    asked: BTreeSet<u64>,
    /// The questions that it was handed.
    held: BTreeSet<u64>,
}

impl Party {
    fn is_unused(&self) -> bool {
        self.serves.is_empty() && self.asked.is_empty() && self.held.is_empty()
    }
}

impl Questions {
    pub(crate) fn new(limits: BrokerLimits) -> Self {
        Self {
            limits,
            services: Services::new(),
            open: Table::new(),
            late: Late::new(),
            parties: BySession::new(),
            last: 0,
            numbers: Numbers::default(),
        }
    }

    /// Makes the session a responder of the channel, or ends that.
    pub(crate) fn serve(
        &mut self,
        caller: Caller,
        request: Serve<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let result = match request.on {
            true => self.begin_to_serve(caller.session, request.channel),
            false => {
                self.end_serving(caller.session, request.channel);
                Ok(())
            }
        };
        done(caller, result, outbox);
    }

    /// Hands a question to the responder whose turn it is.
    pub(crate) fn ask(
        &mut self,
        now: Time,
        caller: Caller,
        request: Ask<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let Ask { channel, timeout_ms, repeat, value } = request;
        let repeat = repeat || planted!("question-is-repeated-unasked");
        let responder = match self.check_ask(caller.session, &request) {
            Ok(()) => self.next_responder(channel, outbox),
            Err(refusal) => Err(refusal),
        };
        let responder = match responder {
            Ok(responder) => responder,
            Err(refusal) => return outbox.refuse(caller, refusal),
        };
        self.last += 1;
        let open = Open {
            asker: caller.session,
            responder,
            deadline: now + Duration::from_millis(timeout_ms.into()),
            attempt: 1,
            copy: repeat.then(|| Box::new(Copy::new(channel, value.to_value()))),
        };
        outbox.reply(caller, Reply::Asked { question: self.last });
        let question = Question { question: self.last, channel, attempt: 1, timeout_ms, value };
        outbox.push(responder, Push::Question(question));
        self.open.insert(self.last, open, &mut self.parties);
    }

    /// Hands an answer to the session that waits for it. At its deadline it is too late, whether or not
    /// anybody has looked at the clock before.
    pub(crate) fn answer(
        &mut self,
        now: Time,
        caller: Caller,
        answer: Answer<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let number = answer.question;
        let may = |open: &&Open| open.responder == caller.session || planted!("anybody-may-answer");
        let Some(open) = self.open.get(number).filter(may) else {
            return outbox.refuse(caller, unknown(number));
        };
        let (asker, is_late) = (open.asker, open.deadline <= now);
        self.open.remove(number, &mut self.parties);
        if is_late && !planted!("late-answer-is-delivered") {
            unanswered(asker, number, UnansweredCause::TimedOut, outbox);
            return outbox.refuse(caller, unknown(number));
        }
        outbox.reply(caller, Reply::Done);
        let room = self.limits.question_bytes_max.saturating_sub(self.open.copied_bytes());
        self.late.deliver(asker, answer, room, outbox);
    }

    /// Forgets what the session asked and served; what it was asked goes to others where that may be.
    pub(crate) fn close(
        &mut self,
        now: Time,
        session: SessionId,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        self.late.close(session);
        let Some(party) = self.parties.get_mut(session) else {
            return;
        };
        let (serves, asked) = (std::mem::take(&mut party.serves), party.asked.clone());
        serves.into_iter().for_each(|(at, serial)| self.services.leave(at, serial));
        for number in asked {
            self.open.remove(number, &mut self.parties);
        }
        let held = self.parties.get(session).map(|party| party.held.clone()).unwrap_or_default();
        for number in held {
            if planted!("question-dies-with-its-responder") {
                self.open.remove(number, &mut self.parties);
                continue;
            }
            self.pass_on(now, number, outbox);
        }
        self.parties.remove(session);
    }

    /// Hands out the answers that waited for the session to read.
    pub(crate) fn drained(&mut self, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        self.late.drained(session, outbox);
    }

    /// When the first question runs out of time.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.open.first_due().map(|(deadline, _)| deadline)
    }

    /// Tells askers that their time is up.
    pub(crate) fn expire(&mut self, now: Time, outbox: &mut impl Outbox<ChannelWire>) {
        for _ in 0..EXPIRED_AT_ONCE_MAX {
            match self.open.first_due() {
                Some((deadline, number)) if deadline <= now => {
                    let open = self.open.remove(number, &mut self.parties).expect("it is due");
                    unanswered(open.asker, number, UnansweredCause::TimedOut, outbox);
                }
                _ => return,
            }
        }
    }

    /// How many sessions serve a channel.
    pub(crate) fn responders(&self, channel: ChannelName<'_>) -> usize {
        self.services.responders_of(channel)
    }

    /// Adds its part to the census.
    pub(crate) fn count(&self, census: &mut Census) {
        census.services = self.services.len();
        census.responders = self.services.responders();
        census.questions = self.open.len();
        census.question_parties = self.parties.len() + self.late.len();
        census.question_bytes = self.open.copied_bytes() + self.late.bytes();
    }

    fn begin_to_serve(
        &mut self,
        session: SessionId,
        channel: ChannelName<'_>,
    ) -> Result<(), Refusal> {
        let known = self.services.find(channel);
        let own = self.parties.get(session).map(|party| &party.serves);
        if known.is_some_and(|at| own.is_some_and(|own| own.contains_key(&at))) {
            return Ok(());
        }
        let own = own.map_or(0, BTreeMap::len);
        let new_bytes = known.map_or(channel.as_bytes().len(), |_| 0);
        self.check_services(own, new_bytes)?;
        let serial = self.numbers.next();
        let at = self.services.join(channel, serial, session);
        self.parties.get_or_default(session).serves.insert(at, serial);
        Ok(())
    }

    fn end_serving(&mut self, session: SessionId, channel: ChannelName<'_>) {
        let Some(at) = self.services.find(channel) else { return };
        let own = self.parties.get_mut(session);
        if let Some(serial) = own.and_then(|party| party.serves.remove(&at)) {
            self.services.leave(at, serial);
            change(&mut self.parties, session, |_| {});
        }
    }

    fn next_responder(
        &mut self,
        channel: ChannelName<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) -> Result<SessionId, Refusal> {
        let Some(at) = self.services.find(channel) else {
            let text = format!("nobody serves channel {channel:?}");
            return Err(Refusal::new(Reason::NoResponders, text));
        };
        let (parties, max) = (&self.parties, self.limits.questions_per_responder_max);
        let takes = |session| {
            let held = parties.get(session).map_or(0, |party| party.held.len());
            (held < max && outbox.has_room(session)) || planted!("question-goes-to-the-busy")
        };
        self.services.next_turn(at, takes).ok_or_else(|| {
            let text = format!(
                "everybody who serves channel {channel:?} holds {max} questions or does not read"
            );
            Refusal::new(Reason::RespondersBusy, text)
        })
    }

    /// Hands a question whose responder is gone to the next one, if that may be and there is one.
    fn pass_on(&mut self, now: Time, number: u64, outbox: &mut impl Outbox<ChannelWire>) {
        let open = self.open.remove(number, &mut self.parties);
        let mut open = open.expect("a question is there while somebody holds it");
        let next =
            open.copy.as_ref().and_then(|copy| self.next_responder(copy.channel(), outbox).ok());
        let (Some(responder), Some(copy)) = (next, &open.copy) else {
            return unanswered(open.asker, number, UnansweredCause::ResponderGone, outbox);
        };
        open.responder = responder;
        open.attempt += 1;
        let left_ms = open.deadline.millis_since(now).max(1);
        outbox.push(
            responder,
            Push::Question(Question {
                question: number,
                channel: copy.channel(),
                attempt: open.attempt,
                timeout_ms: u32::try_from(left_ms).unwrap_or(u32::MAX),
                value: copy.value.as_ref(),
            }),
        );
        self.open.insert(number, open, &mut self.parties);
    }

    fn check_ask(&self, asker: SessionId, request: &Ask<'_>) -> Result<(), Refusal> {
        let limits = &self.limits;
        let reached = |name, value| Err(BrokerLimits::reached(name, value));
        if self.open.len() >= limits.questions_max {
            return reached("questions_max", limits.questions_max);
        }
        let own = self.parties.get(asker).map_or(0, |party| party.asked.len());
        if own >= limits.questions_per_session_max {
            return reached("questions_per_session_max", limits.questions_per_session_max);
        }
        let copied = if request.repeat { copied_bytes(request.channel, request.value) } else { 0 };
        let kept = self.open.copied_bytes() + self.late.bytes();
        if copied > 0 && kept + copied > limits.question_bytes_max {
            return reached("question_bytes_max", limits.question_bytes_max);
        }
        Ok(())
    }

    fn check_services(&self, own: usize, new_bytes: usize) -> Result<(), Refusal> {
        let limits = &self.limits;
        let reached = |name, value| Err(BrokerLimits::reached(name, value));
        if own >= limits.services_per_session_max {
            return reached("services_per_session_max", limits.services_per_session_max);
        }
        if self.services.responders() >= limits.services_max {
            return reached("services_max", limits.services_max);
        }
        if self.services.name_bytes() + new_bytes > limits.name_bytes_max {
            return reached("name_bytes_max", limits.name_bytes_max);
        }
        Ok(())
    }
}

/// Changes what a session has to do with questions, and forgets it when nothing is left.
fn change(parties: &mut BySession<Party>, session: SessionId, change: impl FnOnce(&mut Party)) {
    let Some(party) = parties.get_mut(session) else { return };
    change(party);
    if party.is_unused() {
        parties.remove(session);
    }
}

fn copied_bytes(channel: ChannelName<'_>, value: ValueRef<'_>) -> usize {
    channel.as_bytes().len() + value.byte_len()
}

fn unanswered(
    asker: SessionId,
    question: u64,
    cause: UnansweredCause,
    outbox: &mut impl Outbox<ChannelWire>,
) {
    // A few bytes for each question that the asker was let ask: bounded whether it reads or not.
    outbox.push(asker, Push::Unanswered(Unanswered { question, cause }));
}

fn unknown(question: u64) -> Refusal {
    let text = format!(
        "question {question} does not wait for an answer of this session: it was answered, its time \
         ran out, or its asker is gone"
    );
    Refusal::new(Reason::UnknownQuestion, text)
}
