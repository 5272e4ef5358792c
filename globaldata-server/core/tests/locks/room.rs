//! A store with several sessions around it, and dialogues with them as text.
//!
//! A line is `MILLIS SESSION REQUEST => HEARD`: what is heard is separated by commas, each with the session
//! that hears it. `1 locked 7` is an answer, `1! granted 7` a push.

use std::num::NonZeroU32;
use workyard_engine::{Caller, Effect, Engine, Recorder, SessionId, Time, read};
use workyard_globaldata_core::{LockCensus, Store, StoreLimits};
use workyard_protocol::globaldata::{
    Batch, BatchReply, Expiry, Get, Lock, LockInfo, LockReply, Locks, Push, RenewLocks, Renewal,
    Reply, Request, Step, StepResult, Unlock,
};
use workyard_protocol::{Key, LockName, Number, ToClient, Ttl};

pub(crate) struct Room {
    pub(crate) store: Store,
}

/// What somebody does, beside asking.
pub(crate) enum Act<'a> {
    Ask(Request<'a>),
    /// The session ends.
    Close,
    /// The driver lets what is due happen.
    Expire,
}

impl Room {
    pub(crate) fn new(limits: StoreLimits) -> Self {
        Self { store: Store::new(limits) }
    }

    /// What is heard when this session does this.
    pub(crate) fn act(&mut self, millis: u64, session: u32, act: Act<'_>) -> Vec<String> {
        let (now, session) = (Time::from_millis(millis), SessionId::new(session, 1));
        let mut recorder = Recorder::default();
        match act {
            Act::Ask(request) => {
                self.store.handle(now, Caller { session, request: 7 }, request, &mut recorder);
            }
            Act::Close => self.store.close(now, session, &mut recorder),
            Act::Expire => self.store.expire(now, &mut recorder),
        }
        recorder.take().iter().map(in_words).collect()
    }

    /// Holds a dialogue.
    pub(crate) fn hold(&mut self, dialogue: &str) {
        for line in dialogue.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (said, heard) = line.split_once("=>").expect("a line has an arrow");
            let words: Vec<&str> = said.split_whitespace().collect();
            let number = |at: usize| words[at].parse().expect("a time and a session come first");
            let (millis, session) = (number(0), number(1));
            let answers = self.act(millis, session as u32, act(&words[2..]));
            assert_eq!(answers.join(", "), heard.trim(), "{line}");
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.store.next_deadline().map(Time::as_millis)
    }

    /// Nobody holds or waits for anything.
    pub(crate) fn assert_empty(&self) {
        assert_eq!(self.store.lock_census(), LockCensus::default());
        assert_eq!(self.store.next_deadline(), None);
    }
}

/// Holds a dialogue with a new store.
pub(crate) fn dialogue(lines: &str) -> Room {
    dialogue_within(StoreLimits::default(), lines)
}

pub(crate) fn dialogue_within(limits: StoreLimits, lines: &str) -> Room {
    let mut room = Room::new(limits);
    room.hold(lines);
    room
}

/// `lock a 50`, `lock a 50 wait`, `lock a 50 of 3 wait`, `unlock a 7`, `renew a 7 50 b 8 50`,
/// `locks PREFIX CURSOR LIMIT` with `-` for no prefix, `fenced a 7`, `get`, `close`, `expire`.
fn act<'a>(words: &[&'a str]) -> Act<'a> {
    let number = |at: usize| words[at].parse::<u64>().expect("a number");
    Act::Ask(match words[0] {
        "close" => return Act::Close,
        "expire" => return Act::Expire,
        "lock" => {
            let permits = if words.get(3) == Some(&"of") { number(4) } else { 1 };
            lock(words[1], permits as u32, number(2), words.last() == Some(&"wait"))
        }
        "unlock" => unlock(words[1], number(2)),
        "renew" => renew(words[1..].chunks(3).map(|renewal| {
            let number = |at: usize| renewal[at].parse().expect("a number");
            (renewal[0], number(1), number(2))
        })),
        "fenced" => fenced(words[1], number(2)),
        "get" => Request::Get(Get { key: Key::new("k").expect("a short key") }),
        "locks" => {
            let prefix = words[1].trim_matches('-').as_bytes();
            Request::Locks(Locks { prefix, cursor: number(2), limit: number(3) as u32 })
        }
        other => panic!("nobody can {other}"),
    })
}

pub(crate) fn lock(name: &str, permits: u32, ttl_ms: u64, wait: bool) -> Request<'_> {
    let permits = NonZeroU32::new(permits).expect("one at least");
    Request::Lock(Lock { name: lock_name(name), permits, ttl: ttl(ttl_ms), wait })
}

/// Adds one to a variable if the lock is held with this token.
pub(crate) fn fenced(name: &str, token: u64) -> Request<'_> {
    let (key, by) = (Key::new("k").expect("a short key"), Number::Int(1));
    let (initial, expiry) = (Some(Number::Int(0)), Expiry::Keep);
    let count = Step::Increment { key, by, initial, expiry };
    let held = Step::RequireLock { name: lock_name(name), token };
    Request::Batch(Batch { steps: vec![count.clone(), held, count] })
}

pub(crate) fn unlock(name: &str, token: u64) -> Request<'_> {
    Request::Unlock(Unlock { name: lock_name(name), token })
}

pub(crate) fn renew<'a>(renewals: impl Iterator<Item = (&'a str, u64, u64)>) -> Request<'a> {
    let renewals = renewals.map(|(name, token, millis)| Renewal {
        name: lock_name(name),
        token,
        ttl: ttl(millis),
    });
    Request::RenewLocks(RenewLocks { renewals: renewals.collect() })
}

fn lock_name(name: &str) -> LockName<'_> {
    LockName::new(name).expect("a name of a test is short")
}

fn ttl(millis: u64) -> Ttl {
    Ttl::from_millis(millis).expect("a ttl of a test is within its bounds")
}

fn in_words(effect: &Effect) -> String {
    match effect {
        Effect::Reply(session, _, frame) => match read::<Reply<'_>, Push>(frame) {
            ToClient::Reply(7, reply) => format!("{} {}", session.slot(), reply_in_words(&reply)),
            other => panic!("no reply to the request: {other:?}"),
        },
        Effect::Refused(session, _, refusal) => format!("{} {refusal}", session.slot()),
        Effect::Push(session, frame) => match read::<Reply<'_>, Push>(frame) {
            ToClient::Push(Push::LockGranted { token }) => {
                format!("{}! granted {token}", session.slot())
            }
            ToClient::Push(Push::LockLost { token }) => format!("{}! lost {token}", session.slot()),
            other => panic!("no push: {other:?}"),
        },
        Effect::Publish(..) => panic!("locks are nobody else's business"),
        Effect::Disconnected(..) => panic!("nobody is to be ended: {effect:?}"),
    }
}

fn reply_in_words(reply: &Reply<'_>) -> String {
    match reply {
        Reply::Lock(LockReply::Locked { token }) => format!("locked {token}"),
        Reply::Lock(LockReply::Queued { token }) => format!("queued {token}"),
        Reply::Lock(LockReply::Busy) => "busy".to_owned(),
        Reply::Unlocked { released: true } => "unlocked".to_owned(),
        Reply::Unlocked { released: false } => "had it not".to_owned(),
        Reply::Renewed { lost } if lost.is_empty() => "renewed".to_owned(),
        Reply::Renewed { lost } => format!("has lost {lost:?}"),
        Reply::Batch(BatchReply::Applied { results, .. }) => match results[..] {
            [_, StepResult::Held, StepResult::Incremented(sum)] => format!("counted {sum}"),
            _ => panic!("not those steps: {results:?}"),
        },
        Reply::Batch(BatchReply::Refused { step: 1, refusal }) => refusal.to_string(),
        Reply::Got(Some(entry)) => format!("got {}", entry.value.number().expect("a count")),
        Reply::Got(None) => "got nothing".to_owned(),
        Reply::Locks { cursor, locks } => {
            let locks: Vec<_> = locks.iter().map(info_in_words).collect();
            format!("page [{}] then {cursor}", locks.join("; "))
        }
        other => panic!("no answer about locks: {other:?}"),
    }
}

fn info_in_words(info: &LockInfo<'_>) -> String {
    let LockInfo { name, permits, holders, waiters, token, ttl_ms } = info;
    format!("{name}: {holders} of {permits} by {token} for {ttl_ms} and {waiters} wait")
}
