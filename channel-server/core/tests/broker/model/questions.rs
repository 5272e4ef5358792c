//! The model of questions: a list of those that are open, searched from end to end.

use super::{LIMITS, SESSIONS, check_refused, push, reply};
use crate::outbox::Watched;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::{BTreeMap, BTreeSet};
use workyard_channel_core::{Broker, Census};
use workyard_engine::{Caller, Effect, Engine, SessionId, Time};
use workyard_protocol::channel::{
    Answer, Ask, Push, Question, Reply, Request, Serve, Unanswered, UnansweredCause,
};
use workyard_protocol::{ChannelName, Reason, ValueRef};

const CHANNELS: [&str; 3] = ["a", "sum", ""];
/// What an answer that waits counts besides its value.
const WAITING_BYTES: usize = 64;

#[derive(Clone, Debug)]
enum Step {
    Serve(&'static str, bool),
    Ask(&'static str, u32, bool),
    /// A question that the session holds, if it holds any, else any number.
    Answer(Index, bool),
    /// Any number: mostly somebody else's question.
    AnswerAny(u64),
    Wait(u64),
    Close,
    Full,
    Drained,
}

fn step() -> impl Strategy<Value = Step> {
    let channel = || select(&CHANNELS[..]);
    prop_oneof![
        6 => (channel(), prop::bool::weighted(0.8)).prop_map(|(name, on)| Step::Serve(name, on)),
        9 => (channel(), 1..60_u32, any::<bool>())
            .prop_map(|(name, timeout, repeat)| Step::Ask(name, timeout, repeat)),
        6 => (any::<Index>(), any::<bool>()).prop_map(|(index, no)| Step::Answer(index, no)),
        1 => (0..20_u64).prop_map(Step::AnswerAny),
        3 => (0..30_u64).prop_map(Step::Wait),
        3 => Just(Step::Close),
        2 => Just(Step::Full),
        3 => Just(Step::Drained),
    ]
}

proptest! {
    #[test]
    fn questions_go_where_the_model_says(
        steps in prop::collection::vec((0..SESSIONS, step()), 1..120),
    ) {
        let mut world = World::new();
        for (slot, step) in steps {
            world.take_step(slot, &step);
            world.check_census();
        }
        (0..SESSIONS).for_each(|slot| world.close(slot));
        assert_eq!(world.broker.census(), Census::default());
        assert_eq!(world.broker.next_deadline(), None);
    }
}

struct Open {
    channel: &'static str,
    asker: SessionId,
    responder: SessionId,
    deadline: u64,
    attempt: u32,
    repeat: bool,
}

struct World {
    broker: Broker,
    outbox: Watched,
    sessions: [SessionId; SESSIONS],
    now: u64,
    serving: BTreeSet<(SessionId, &'static str)>,
    open: BTreeMap<u64, Open>,
    /// Answers that wait for their askers, oldest first.
    waiting: Vec<(SessionId, u64)>,
    last: u64,
}

impl World {
    fn new() -> Self {
        Self {
            broker: Broker::new(LIMITS),
            outbox: Watched::default(),
            sessions: std::array::from_fn(|slot| SessionId::new(slot.try_into().unwrap(), 0)),
            now: 0,
            serving: BTreeSet::new(),
            open: BTreeMap::new(),
            waiting: Vec::new(),
            last: 0,
        }
    }

    fn take_step(&mut self, slot: usize, step: &Step) {
        let by = self.sessions[slot];
        match step {
            Step::Serve(channel, on) => self.serve(by, channel, *on),
            Step::Ask(channel, timeout_ms, repeat) => self.ask(by, channel, *timeout_ms, *repeat),
            Step::Answer(index, declined) => {
                let held = self.held_by(by);
                let number = if held.is_empty() { 1 } else { *index.get(&held) };
                self.answer(by, number, *declined);
            }
            Step::AnswerAny(number) => self.answer(by, *number, false),
            Step::Wait(millis) => self.wait(*millis),
            Step::Close => self.close(slot),
            Step::Full => {
                self.outbox.full().insert(by);
            }
            Step::Drained => self.drained(by),
        }
    }

    fn serve(&mut self, by: SessionId, channel: &'static str, on: bool) {
        let own = self.serving.iter().filter(|(session, _)| *session == by).count();
        let is_new = !self.serving.contains(&(by, channel));
        let above =
            own >= LIMITS.services_per_session_max || self.serving.len() >= LIMITS.services_max;
        let request = Serve { channel: ChannelName::new(channel).unwrap(), on };
        let effects = self.send(by, Request::Serve(request));
        if on && is_new && above {
            return check_refused(&effects, Reason::LimitReached);
        }
        match on {
            true => self.serving.insert((by, channel)),
            false => self.serving.remove(&(by, channel)),
        };
        assert_eq!((effects.len(), reply(&effects[0])), (1, Reply::Done));
    }

    fn ask(&mut self, by: SessionId, channel: &'static str, timeout_ms: u32, repeat: bool) {
        let asked = self.open.values().filter(|open| open.asker == by).count();
        let copy = if repeat { channel.len() + 8 } else { 0 };
        let above = self.open.len() >= LIMITS.questions_max
            || asked >= LIMITS.questions_per_session_max
            || (repeat && self.bytes() + copy > LIMITS.question_bytes_max);
        let serving = self.serving.iter().any(|(_, served)| *served == channel);
        let takers = self.takers(channel);
        let name = ChannelName::new(channel).unwrap();
        let value = ValueRef::Int(7);
        let request = Ask { channel: name, timeout_ms, repeat, value };
        let effects = self.send(by, Request::Ask(request));
        if above {
            return check_refused(&effects, Reason::LimitReached);
        }
        if !serving {
            return check_refused(&effects, Reason::NoResponders);
        }
        if takers.is_empty() {
            return check_refused(&effects, Reason::RespondersBusy);
        }
        self.last += 1;
        let [asked, handed_out] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(reply(asked), Reply::Asked { question: self.last });
        let expected =
            Question { question: self.last, channel: name, attempt: 1, timeout_ms, value };
        let responder = check_question(handed_out, &expected, &takers);
        let deadline = self.now + u64::from(timeout_ms);
        let open = Open { channel, asker: by, responder, deadline, attempt: 1, repeat };
        self.open.insert(self.last, open);
    }

    fn answer(&mut self, by: SessionId, number: u64, declined: bool) {
        let value = ValueRef::Int(9);
        let answer = Answer { question: number, declined, value };
        let effects = self.send(by, Request::Answer(answer));
        if self.open.get(&number).is_none_or(|open| open.responder != by) {
            return check_refused(&effects, Reason::UnknownQuestion);
        }
        let asker = self.open.remove(&number).unwrap().asker;
        assert_eq!(reply(&effects[0]), Reply::Done);
        let is_slow = self.waiting.iter().any(|(slow, _)| *slow == asker);
        if !is_slow && !self.outbox.full().contains(&asker) {
            check_pushes(&effects[1..], &[(asker, Push::Answered(answer))]);
        } else if self.bytes() + WAITING_BYTES + 8 > LIMITS.question_bytes_max {
            check_pushes(&effects[1..], &[(asker, unanswered(number, UnansweredCause::AskerSlow))]);
        } else {
            check_pushes(&effects[1..], &[]);
            self.waiting.push((asker, number));
        }
    }

    fn wait(&mut self, millis: u64) {
        self.now += millis;
        let first = self.open.values().map(|open| open.deadline).min();
        assert_eq!(self.broker.next_deadline(), first.map(Time::from_millis));
        let mut due: Vec<_> =
            self.open.iter().map(|(number, open)| (open.deadline, *number)).collect();
        due.retain(|(deadline, _)| *deadline <= self.now);
        due.sort_unstable();
        let expected: Vec<_> = due
            .into_iter()
            .map(|(_, number)| {
                let asker = self.open.remove(&number).unwrap().asker;
                (asker, unanswered(number, UnansweredCause::TimedOut))
            })
            .collect();
        self.broker.expire(Time::from_millis(self.now), &mut self.outbox);
        check_pushes(&self.outbox.take(), &expected);
    }

    /// The slot is used again by a session of the next generation.
    fn close(&mut self, slot: usize) {
        let gone = self.sessions[slot];
        let generation = u32::try_from(gone.as_u64() >> 32).unwrap() + 1;
        self.sessions[slot] = SessionId::new(slot.try_into().unwrap(), generation);
        self.serving.retain(|(session, _)| *session != gone);
        self.waiting.retain(|(session, _)| *session != gone);
        self.open.retain(|_, open| open.asker != gone);
        self.outbox.full().remove(&gone);
        self.broker.close(Time::from_millis(self.now), gone, &mut self.outbox);
        let effects = self.outbox.take();
        let held = self.held_by(gone);
        assert_eq!(effects.len(), held.len());
        for (number, effect) in held.into_iter().zip(&effects) {
            let mut open = self.open.remove(&number).unwrap();
            let takers = self.takers(open.channel);
            if !open.repeat || takers.is_empty() {
                let told = unanswered(number, UnansweredCause::ResponderGone);
                check_pushes(std::slice::from_ref(effect), &[(open.asker, told)]);
                continue;
            }
            open.attempt += 1;
            let expected = Question {
                question: number,
                channel: ChannelName::new(open.channel).unwrap(),
                attempt: open.attempt,
                timeout_ms: u32::try_from(open.deadline.saturating_sub(self.now).max(1)).unwrap(),
                value: ValueRef::Int(7),
            };
            open.responder = check_question(effect, &expected, &takers);
            self.open.insert(number, open);
        }
    }

    fn drained(&mut self, by: SessionId) {
        self.outbox.full().remove(&by);
        self.broker.drained(Time::from_millis(self.now), by, &mut self.outbox);
        let late: Vec<_> = self.waiting.extract_if(.., |(slow, _)| *slow == by).collect();
        let effects = self.outbox.take();
        let numbers = effects.iter().map(|effect| match effect {
            Effect::Push(to, frame) => match push(frame) {
                Push::Answered(answer) => (*to, answer.question),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        });
        assert!(numbers.eq(late));
    }

    fn send(&mut self, by: SessionId, request: Request<'_>) -> Vec<Effect> {
        let caller = Caller { session: by, request: 1 };
        self.broker.handle(Time::from_millis(self.now), caller, request, &mut self.outbox);
        self.outbox.take()
    }

    /// Those who serve a channel and may be handed a question.
    fn takers(&mut self, channel: &str) -> BTreeSet<SessionId> {
        let full = self.outbox.full().clone();
        let serving = self.serving.iter().filter(|(_, served)| *served == channel);
        serving
            .map(|(session, _)| *session)
            .filter(|session| !full.contains(session))
            .filter(|session| self.held_by(*session).len() < LIMITS.questions_per_responder_max)
            .collect()
    }

    fn held_by(&self, session: SessionId) -> Vec<u64> {
        let held = self.open.iter().filter(|(_, open)| open.responder == session);
        held.map(|(number, _)| *number).collect()
    }

    fn bytes(&self) -> usize {
        let copies = self.open.values().filter(|open| open.repeat);
        copies.map(|open| open.channel.len() + 8).sum::<usize>()
            + self.waiting.len() * (WAITING_BYTES + 8)
    }

    fn check_census(&self) {
        let served: BTreeSet<_> = self.serving.iter().map(|(_, channel)| channel).collect();
        let of_open = self.open.values().flat_map(|open| [open.asker, open.responder]);
        let parties: BTreeSet<_> =
            self.serving.iter().map(|(session, _)| *session).chain(of_open).collect();
        let slow: BTreeSet<_> = self.waiting.iter().map(|(asker, _)| *asker).collect();
        let expected = Census {
            services: served.len(),
            responders: self.serving.len(),
            questions: self.open.len(),
            question_parties: parties.len() + slow.len(),
            question_bytes: self.bytes(),
            ..Census::default()
        };
        assert_eq!(self.broker.census(), expected);
    }
}

fn unanswered(question: u64, cause: UnansweredCause) -> Push<'static> {
    Push::Unanswered(Unanswered { question, cause })
}

fn check_pushes(effects: &[Effect], expected: &[(SessionId, Push<'_>)]) {
    let pushes: Vec<_> = effects.iter().map(read).collect();
    assert_eq!(pushes, expected);
}

fn read(effect: &Effect) -> (SessionId, Push<'_>) {
    match effect {
        Effect::Push(to, frame) => (*to, push(frame)),
        other => panic!("no push: {other:?}"),
    }
}

/// To whom it was handed.
fn check_question(
    effect: &Effect,
    expected: &Question<'_>,
    takers: &BTreeSet<SessionId>,
) -> SessionId {
    let Effect::Push(to, frame) = effect else { panic!("no question: {effect:?}") };
    assert_eq!(push(frame), Push::Question(*expected));
    assert!(takers.contains(to), "{to:?} is not among {takers:?}");
    *to
}
