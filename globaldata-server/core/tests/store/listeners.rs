//! Several sessions of one store, and what each of them hears, in few words.

use std::collections::BTreeSet;
use workyard_engine::{Caller, Effect, Engine, Recorder, SessionId, Time, read};
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{Change, Push, Reply, Request, Watch, WatchTopic, Watching};
use workyard_protocol::{Key, Reason, ToClient};

/// A store and what drives it.
pub(crate) struct Stage {
    pub(crate) store: Store,
    pub(crate) now: Time,
    outbox: Recorder,
}

impl Stage {
    pub(crate) fn new(limits: StoreLimits) -> Self {
        Self { store: Store::new(limits), now: Time::default(), outbox: Recorder::default() }
    }

    /// A session asks. What all sessions hear, in order.
    pub(crate) fn ask(&mut self, session: u32, request: Request<'_>) -> Vec<Effect> {
        let caller = Caller { session: id(session), request: 7 };
        self.store.handle(self.now, caller, request, &mut self.outbox);
        self.outbox.take()
    }

    /// The same, in words.
    pub(crate) fn say(&mut self, session: u32, request: Request<'_>) -> Vec<String> {
        words(&self.ask(session, request))
    }

    pub(crate) fn close(&mut self, session: u32) {
        self.store.close(self.now, id(session), &mut self.outbox);
        self.outbox.full.remove(&id(session));
        assert!(self.outbox.take().is_empty(), "nobody is told");
    }

    /// The session has no room from now on.
    pub(crate) fn fill(&mut self, session: u32) {
        self.outbox.full.insert(id(session));
    }

    pub(crate) fn drain(&mut self, session: u32) -> Vec<Effect> {
        self.outbox.full.remove(&id(session));
        self.store.drained(self.now, id(session), &mut self.outbox);
        self.outbox.take()
    }

    /// Lets time pass, and then do what is due then, once.
    pub(crate) fn pass(&mut self, millis: u64) -> Vec<Effect> {
        self.now = Time::from_millis(self.now.as_millis() + millis);
        if self.store.next_deadline().is_some_and(|deadline| deadline <= self.now) {
            self.store.expire(self.now, &mut self.outbox);
        }
        self.outbox.take()
    }
}

pub(crate) fn id(session: u32) -> SessionId {
    SessionId::new(session, 1)
}

pub(crate) fn on_key(name: &str) -> WatchTopic<'_> {
    WatchTopic::Key(Key::new(name).expect("a name of a test is short"))
}

pub(crate) fn on_prefix(name: &str) -> WatchTopic<'_> {
    WatchTopic::Prefix(Key::new(name).expect("a name of a test is short"))
}

/// From now on, with values.
pub(crate) fn watch<'a>(topics: &[WatchTopic<'a>]) -> Request<'a> {
    Request::Watch(Watch { watch: 9, topics: topics.to_vec(), values: true, after: None })
}

/// What came after a revision, and on from there, with values.
pub(crate) fn watch_after<'a>(topics: &[WatchTopic<'a>], watch: u32, after: u64) -> Request<'a> {
    Request::Watch(Watch { watch, topics: topics.to_vec(), values: true, after: Some(after) })
}

/// From now on, without values.
pub(crate) fn watch_names<'a>(topics: &[WatchTopic<'a>]) -> Request<'a> {
    Request::Watch(Watch { watch: 9, topics: topics.to_vec(), values: false, after: None })
}

/// Each effect in words, such as `1: [9] a = 5 @3 …` for a change that session 1 is told again for watch
/// 9, with others of its batch to follow.
pub(crate) fn words(effects: &[Effect]) -> Vec<String> {
    effects.iter().map(word).collect()
}

fn word(effect: &Effect) -> String {
    match effect {
        Effect::Reply(session, _, frame) => format!("{}: {}", session.slot(), reply(frame)),
        Effect::Refused(session, _, refusal) => {
            format!("{}: {}: {}", session.slot(), refusal.reason, refusal.text)
        }
        Effect::Push(session, frame) => format!("{}: {}", session.slot(), push(frame)),
        Effect::Publish(..) => panic!("nothing may be dropped: {effect:?}"),
        Effect::Disconnected(..) => panic!("nobody is to be ended: {effect:?}"),
    }
}

fn reply(frame: &[u8]) -> String {
    match read::<Reply<'_>, Push<'_>>(frame) {
        ToClient::Reply(_, Reply::Watching(Watching::From(revision))) => {
            format!("watching from {revision}")
        }
        ToClient::Reply(_, Reply::Watching(Watching::Compacted(oldest))) => {
            format!("compacted up to {oldest}")
        }
        ToClient::Reply(_, Reply::Unwatched { count }) => format!("{count} unwatched"),
        ToClient::Reply(..) => "done".to_owned(),
        other => panic!("no reply: {other:?}"),
    }
}

fn push(frame: &[u8]) -> String {
    let number = |watch: Option<u32>| watch.map_or(String::new(), |watch| format!("[{watch}] "));
    match read::<Reply<'_>, Push<'_>>(frame) {
        ToClient::Push(Push::Changed { watch, key, revision, more, change }) => {
            let more = if more { " …" } else { "" };
            format!("{}{key}{} @{revision}{more}", number(watch), became(change))
        }
        ToClient::Push(Push::Reached { watch, revision, live }) => {
            let live = match (watch, live) {
                (Some(_), true) => "live, ",
                (None, false) => "behind, ",
                _ => "",
            };
            format!("{}{live}told up to {revision}", number(watch))
        }
        ToClient::Push(Push::Compacted { watch, oldest }) => {
            format!("{}compacted up to {oldest}", number(watch))
        }
        other => panic!("no push: {other:?}"),
    }
}

fn became(change: Change<'_>) -> String {
    match change {
        Change::Set { ttl_ms, value } => {
            let value = value.map_or(" is set".to_owned(), |it| format!(" = {}", it.to_value()));
            format!("{value}{}", ttl_ms.map_or(String::new(), |left| format!(" for {left} ms")))
        }
        Change::Deleted => " deleted".to_owned(),
        Change::Expired => " expired".to_owned(),
    }
}

/// The reason why a request was refused.
pub(crate) fn reason(effects: &[Effect]) -> Option<Reason> {
    match effects {
        [Effect::Refused(_, _, refusal)] => Some(refusal.reason),
        _ => None,
    }
}

/// The sessions that heard something.
pub(crate) fn hearers(effects: &[Effect]) -> BTreeSet<usize> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Push(session, _) => Some(session.slot()),
            _ => None,
        })
        .collect()
}
