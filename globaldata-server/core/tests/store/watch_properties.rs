//! Whatever is written, and however slowly it is heard: what each session is told is exactly what
//! happened from where it began, or it is told that it cannot be.
//!
//! One session watches everything from the beginning and always has room. What it is told is held against
//! what can be read; what all others are told is held against that.

use crate::ask::{after, batch, delete, expiring, get, increment_from, key, set, touch};
use crate::listeners::{Stage, id, words};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use workyard_engine::{Effect, Engine, read};
use workyard_globaldata_core::StoreLimits;
use workyard_protocol::globaldata::{
    Change, Expiry, Push, Reply, Request, Step, Watch, WatchTopic, Watching,
};
use workyard_protocol::{Key, ToClient, Value, ValueRef};

const NAMES: [&str; 6] = ["", "a", "ab", "abc", "b", "ba"];

/// Who writes, and who is told everything.
const WRITER: u32 = 0;
const OBSERVER: u32 = 1;
const FIRST: u32 = 2;
const SESSIONS: u32 = 3;

#[derive(Clone, Debug)]
enum Op {
    Set(usize, i64, Option<u64>),
    Increment(usize),
    Delete(usize),
    Touch(usize, u64),
    Batch(Vec<(usize, Option<i64>)>),
    Pass(u64),
    /// A session watches something more: from now on, or from so many changes ago.
    Watch(u32, Vec<(usize, bool)>, Option<usize>),
    /// It has no room any more, or some again.
    Fill(u32),
    Drain(u32),
    /// Its connection is lost, and the next one goes on where it ended.
    Cut(u32),
}

/// A change as it was told.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    key: Vec<u8>,
    revision: u64,
    became: Became,
}

#[derive(Clone, Debug, PartialEq)]
enum Became {
    Set(Value),
    Deleted,
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Topic {
    name: Vec<u8>,
    is_prefix: bool,
}

impl Topic {
    fn of(&(name, is_prefix): &(usize, bool)) -> Self {
        Self { name: NAMES[name].into(), is_prefix }
    }

    fn wire(&self) -> WatchTopic<'_> {
        let name = key(&self.name);
        if self.is_prefix { WatchTopic::Prefix(name) } else { WatchTopic::Key(name) }
    }

    fn covers(&self, key: &[u8]) -> bool {
        if self.is_prefix { key.starts_with(&self.name) } else { key == self.name }
    }
}

/// A client as the document describes it.
#[derive(Default)]
struct Listener {
    /// What is live, and after which revision.
    live: Vec<(Topic, u64)>,
    /// What it was told of that, and after which revision it was begun anew.
    told: Vec<Told>,
    since: u64,
    /// Up to where it knows everything.
    position: u64,
    /// The revision of the batch that it is in the middle of.
    open: Option<u64>,
    /// It was told that it is not told everything as it happens.
    behind: bool,
    replays: BTreeMap<u32, Replay>,
    done: Vec<Replay>,
    last_watch: u32,
}

#[derive(Clone)]
struct Replay {
    topics: Vec<Topic>,
    after: u64,
    told: Vec<Told>,
    live: Option<u64>,
    open: Option<u64>,
}

struct Play {
    stage: Stage,
    listeners: BTreeMap<u32, Listener>,
    /// What the observer was told: the history.
    history: Vec<Told>,
    /// What must be readable by it, but for what has expired.
    state: BTreeMap<Vec<u8>, (u64, Value)>,
}

impl Play {
    fn new(limits: StoreLimits) -> Self {
        let mut stage = Stage::new(limits);
        let everything = vec![WatchTopic::Prefix(key(""))];
        let watch = Watch { watch: 0, topics: everything, values: true, after: None };
        assert_eq!(stage.ask(OBSERVER, Request::Watch(watch)).len(), 1);
        let listeners =
            (FIRST..FIRST + SESSIONS).map(|session| (session, Listener::default())).collect();
        Self { stage, listeners, history: Vec::new(), state: BTreeMap::new() }
    }

    fn listener(&mut self, session: u32) -> &mut Listener {
        self.listeners.get_mut(&session).expect("it was made")
    }

    fn run(&mut self, op: &Op) {
        let effects = match op {
            Op::Set(name, value, ttl) => {
                let request = set(NAMES[*name], ValueRef::Int(*value));
                let request = match ttl {
                    Some(millis) => expiring(after(*millis), request),
                    None => request,
                };
                self.stage.ask(WRITER, request)
            }
            Op::Increment(name) => self.stage.ask(WRITER, increment_from(NAMES[*name], 1, 0)),
            Op::Delete(name) => self.stage.ask(WRITER, delete(NAMES[*name])),
            Op::Touch(name, millis) => self.stage.ask(WRITER, touch(NAMES[*name], *millis)),
            Op::Batch(steps) => self.stage.ask(WRITER, batch(&batch_of(steps))),
            Op::Pass(millis) => self.stage.pass(*millis),
            Op::Watch(session, topics, back) => self.watch(*session, topics, *back),
            Op::Fill(session) => {
                self.stage.fill(*session);
                Vec::new()
            }
            Op::Drain(session) => self.stage.drain(*session),
            Op::Cut(session) => self.cut(*session),
        };
        self.hear(&effects);
        self.check_state();
    }

    fn watch(
        &mut self,
        session: u32,
        topics: &[(usize, bool)],
        back: Option<usize>,
    ) -> Vec<Effect> {
        let topics: Vec<_> = topics.iter().map(Topic::of).collect();
        let after = back.map(|back| {
            let index = self.history.len().saturating_sub(back);
            index.checked_sub(1).map_or(0, |index| self.history[index].revision)
        });
        self.begin(session, topics, after)
    }

    fn begin(&mut self, session: u32, topics: Vec<Topic>, after: Option<u64>) -> Vec<Effect> {
        let listener = self.listener(session);
        listener.last_watch += 1;
        let watch = listener.last_watch;
        let wire = topics.iter().map(Topic::wire).collect();
        let request = Request::Watch(Watch { watch, topics: wire, values: true, after });
        let mut effects = self.stage.ask(session, request);
        let reply = effects.remove(0);
        let listener = self.listener(session);
        match (watching(&reply), after) {
            (Watching::From(revision), None) => {
                listener.live.extend(topics.into_iter().map(|topic| (topic, revision)));
            }
            (Watching::From(_), Some(after)) => {
                let replay = Replay { topics, after, told: Vec::new(), live: None, open: None };
                listener.replays.insert(watch, replay);
            }
            (Watching::Compacted(oldest), after) => {
                assert!(after.is_some_and(|after| after < oldest), "{after:?} is known: {oldest}");
            }
        }
        effects
    }

    /// What was live is asked for again from where it was; replays begin where they were.
    fn cut(&mut self, session: u32) -> Vec<Effect> {
        self.stage.close(session);
        let history = std::mem::take(&mut self.history);
        let listener = self.listener(session);
        listener.check(&history, false);
        let live = std::mem::take(&mut listener.live);
        let after = listener.position;
        *listener = Listener { last_watch: listener.last_watch, ..Listener::default() };
        self.history = history;
        match live.is_empty() {
            true => Vec::new(),
            false => {
                self.begin(session, live.into_iter().map(|(topic, _)| topic).collect(), Some(after))
            }
        }
    }

    fn hear(&mut self, effects: &[Effect]) {
        for effect in effects {
            let Effect::Push(session, frame) = effect else {
                assert!(matches!(effect, Effect::Reply(..)), "{:?}", words(effects));
                continue;
            };
            let ToClient::Push(push) = read::<Reply<'_>, Push<'_>>(frame) else { unreachable!() };
            if *session == id(OBSERVER) {
                self.observe(push);
            } else {
                let session = u32::try_from(session.slot()).expect("sessions are few");
                let listener = self.listeners.get_mut(&session).expect("it was made");
                listener.hear(push, &self.history);
            }
        }
    }

    fn observe(&mut self, push: Push<'_>) {
        let Push::Changed { watch: None, key, revision, change, more } = push else {
            return assert!(matches!(push, Push::Reached { watch: None, .. }), "{push:?}");
        };
        let last = self.history.last().map_or(0, |told| told.revision);
        assert!(revision > last || (revision == last && more), "{revision} after {last}");
        let told = told(key, revision, change);
        match &told.became {
            Became::Set(value) => {
                self.state.insert(told.key.clone(), (revision, value.clone()));
            }
            Became::Deleted | Became::Expired => {
                assert!(self.state.remove(&told.key).is_some(), "{told:?} of nothing");
            }
        }
        self.history.push(told);
    }

    /// What was told comes to what can be read, but for what has expired and is still to be freed.
    fn check_state(&mut self) {
        assert_eq!(self.stage.store.census().keys, self.state.len() as u64);
        for name in NAMES {
            let effects = self.stage.ask(WRITER, get(name));
            let [Effect::Reply(_, _, frame)] = effects.as_slice() else { panic!("one answer") };
            match read::<Reply<'_>, Push<'_>>(frame) {
                ToClient::Reply(_, Reply::Got(Some(entry))) => {
                    let expected = (entry.revision, entry.value.to_value());
                    assert_eq!(self.state.get(name.as_bytes()), Some(&expected), "{name:?}");
                }
                ToClient::Reply(_, Reply::Got(None)) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn finish(&mut self) {
        for session in FIRST..FIRST + SESSIONS {
            let effects = self.stage.drain(session);
            self.hear(&effects);
        }
        self.run(&Op::Pass(1000));
        while self.stage.store.next_deadline().is_some_and(|due| due <= self.stage.now) {
            self.run(&Op::Pass(0));
        }
        assert!(self.state.values().len() as u64 == self.stage.store.census().keys);
        for listener in self.listeners.values() {
            listener.check(&self.history, true);
        }
    }
}

impl Listener {
    fn hear(&mut self, push: Push<'_>, history: &[Told]) {
        match push {
            Push::Changed { watch: None, key, revision, change, more } => {
                assert!(self.open.is_none_or(|open| open == revision), "a batch is one");
                self.open = more.then_some(revision);
                if self
                    .live
                    .iter()
                    .any(|(topic, since)| topic.covers(key.as_bytes()) && revision > *since)
                {
                    self.told.push(told(key, revision, change));
                }
                if !more {
                    self.position = self.position.max(revision);
                }
            }
            Push::Reached { watch: None, revision, live } => {
                // Who falls behind in the middle of a batch is told its end later.
                let falls = !live && !self.behind;
                assert!(self.open.is_none_or(|open| open == revision + u64::from(falls)));
                if self.open == Some(revision) {
                    self.open = None;
                }
                self.position = self.position.max(revision);
                self.behind = !live;
            }
            Push::Compacted { watch: None, oldest } => {
                assert!(self.position < oldest, "everything since {} is known", self.position);
                self.check(history, false);
                self.live.clear();
                self.told.clear();
                (self.open, self.since) = (None, oldest);
                assert!(std::mem::take(&mut self.behind), "it was told of everything");
            }
            Push::LockGranted { .. } | Push::LockLost { .. } => panic!("nobody asked: {push:?}"),
            Push::Changed { watch: Some(watch), key, revision, change, more } => {
                let replay = self.replays.get_mut(&watch).expect("it was asked for");
                assert!(replay.open.is_none_or(|open| open == revision), "a batch is one");
                replay.open = more.then_some(revision);
                replay.told.push(told(key, revision, change));
            }
            Push::Reached { watch: Some(watch), revision, live } => {
                let mut replay = self.replays.remove(&watch).expect("it was asked for");
                assert!(replay.open.is_none_or(|open| open == revision && !live));
                replay.open = None;
                if live {
                    replay.live = Some(revision);
                    let topics = replay.topics.iter().cloned();
                    self.live.extend(topics.map(|topic| (topic, revision)));
                    self.position = self.position.max(revision);
                    self.done.push(replay);
                } else {
                    self.replays.insert(watch, replay);
                }
            }
            Push::Compacted { watch: Some(watch), oldest } => {
                let replay = self.replays.remove(&watch).expect("it was asked for");
                let last = replay.told.last().map_or(replay.after, |told| told.revision);
                // A batch of which a part was told is gone as a whole.
                assert!(last < oldest || replay.open == Some(oldest), "{last} of {oldest}");
                self.done.push(replay);
            }
        }
    }

    /// What was told is what happened; if not all, then from its beginning on.
    fn check(&self, history: &[Told], all: bool) {
        let lives = history.iter().filter(|told| {
            self.live.iter().any(|(topic, since)| topic.covers(&told.key) && told.revision > *since)
        });
        compare(&self.told, lives, all);
        assert!(!all || self.replays.is_empty(), "everything is told again by now");
        for replay in self.done.iter().chain(self.replays.values()) {
            let last = replay.live.unwrap_or(u64::MAX);
            let covered = history.iter().filter(|told| {
                (replay.after + 1..=last).contains(&told.revision)
                    && replay.topics.iter().any(|topic| topic.covers(&told.key))
            });
            compare(&replay.told, covered, replay.live.is_some());
        }
    }
}

fn compare<'a>(told: &[Told], happened: impl Iterator<Item = &'a Told>, all: bool) {
    let happened: Vec<_> = happened.cloned().collect();
    match all {
        true => assert_eq!(told, happened),
        false => assert!(happened.starts_with(told), "{told:?} is no beginning of {happened:?}"),
    }
}

fn told(key: Key<'_>, revision: u64, change: Change<'_>) -> Told {
    let became = match change {
        Change::Set { value, .. } => Became::Set(value.expect("values are wanted").to_value()),
        Change::Deleted => Became::Deleted,
        Change::Expired => Became::Expired,
    };
    Told { key: key.as_bytes().to_vec(), revision, became }
}

fn watching(reply: &Effect) -> Watching {
    let Effect::Reply(_, _, frame) = reply else { panic!("no reply: {reply:?}") };
    match read::<Reply<'_>, Push<'_>>(frame) {
        ToClient::Reply(_, Reply::Watching(watching)) => watching,
        other => panic!("no watch: {other:?}"),
    }
}

fn batch_of(steps: &[(usize, Option<i64>)]) -> Vec<Step<'static>> {
    let step = |(name, value): &(usize, Option<i64>)| {
        let key = key(NAMES[*name]);
        match value {
            Some(value) => Step::Set { key, expiry: Expiry::Keep, value: ValueRef::Int(*value) },
            None => Step::Delete { key },
        }
    };
    steps.iter().map(step).collect()
}

fn name() -> impl Strategy<Value = usize> {
    0..NAMES.len()
}

fn session() -> impl Strategy<Value = u32> {
    FIRST..FIRST + SESSIONS
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (name(), 0..9i64, prop::option::weighted(0.3, 1..40u64))
            .prop_map(|(name, value, ttl)| Op::Set(name, value, ttl)),
        1 => name().prop_map(Op::Increment),
        3 => name().prop_map(Op::Delete),
        1 => (name(), 1..40u64).prop_map(|(name, ttl)| Op::Touch(name, ttl)),
        3 => vec((name(), prop::option::of(0..9i64)), 0..5).prop_map(Op::Batch),
        4 => (0..15u64).prop_map(Op::Pass),
        4 => (session(), vec((name(), any::<bool>()), 1..4), prop::option::of(0..12usize))
            .prop_map(|(session, topics, back)| Op::Watch(session, topics, back)),
        2 => session().prop_map(Op::Fill),
        3 => session().prop_map(Op::Drain),
        1 => session().prop_map(Op::Cut),
    ]
}

fn limits() -> impl Strategy<Value = StoreLimits> {
    let short = StoreLimits {
        watch_log_changes_max: 6,
        watch_portion_changes_max: 2,
        expire_keys_max: 1,
        ..StoreLimits::default()
    };
    let slow = StoreLimits { watch_portion_changes_max: 1, ..StoreLimits::default() };
    prop_oneof![Just(StoreLimits::default()), Just(short), Just(slow)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn what_is_told_is_what_happened(limits in limits(), ops in vec(op(), 0..120)) {
        let mut play = Play::new(limits);
        for op in &ops {
            play.run(op);
        }
        play.finish();
    }
}
