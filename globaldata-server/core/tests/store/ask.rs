//! Dialogues as data: requests in few words, and the exact answer to each.

use workyard_engine::{Caller, Effect, Engine, Recorder, SessionId, Time, read};
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{
    Batch, BatchReply, Count, Delete, Entries, Entry, Existence, Exists, Expect, Expiry, Found,
    Get, GetMany, Increment, KeyInfo, Keys, Look, Looked, Modification, Modified, Modify, Outcome,
    Push, Question, Reply, Request, Step, StepResult, Touch, Write, Written,
};
use workyard_protocol::{Key, Number, Reason, Refusal, ToClient, Ttl, ValueRef};

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer<'a> {
    Reply(Reply<'a>),
    Refused(Reason, String),
}

/// Asks at the beginning of time, and shows the one answer to `hear`.
pub(crate) fn ask<T>(
    store: &mut Store,
    request: Request<'_>,
    hear: impl FnOnce(Answer<'_>) -> T,
) -> T {
    ask_at(store, at(0), request, hear)
}

/// Asks at an instant, and shows the one answer to `hear`.
pub(crate) fn ask_at<T>(
    store: &mut Store,
    now: Time,
    request: Request<'_>,
    hear: impl FnOnce(Answer<'_>) -> T,
) -> T {
    let effects = effects(store, now, request);
    hear(answer(&effects))
}

const CALLER: Caller = Caller { session: SessionId::new(3, 1), request: 7 };

/// Asks at an instant. What [`answer`] reads.
pub(crate) fn effects(store: &mut Store, now: Time, request: Request<'_>) -> Vec<Effect> {
    let mut recorder = Recorder::default();
    store.handle(now, CALLER, request, &mut recorder);
    recorder.take()
}

/// The one answer that there must be.
pub(crate) fn answer(effects: &[Effect]) -> Answer<'_> {
    match effects {
        [Effect::Reply(session, request, frame)] => {
            assert_eq!((*session, *request), (CALLER.session, CALLER.request));
            match read::<Reply<'_>, Push<'_>>(frame) {
                ToClient::Reply(7, reply) => Answer::Reply(reply),
                other => panic!("no reply to the request: {other:?}"),
            }
        }
        [Effect::Refused(session, request, refusal)] => {
            assert_eq!((*session, *request), (CALLER.session, CALLER.request));
            Answer::Refused(refusal.reason, refusal.text.to_string())
        }
        other => panic!("not one answer: {other:?}"),
    }
}

/// Holds a dialogue with a new store.
pub(crate) fn dialogue(lines: &[(Request<'_>, Answer<'_>)]) -> Store {
    dialogue_within(StoreLimits::default(), lines)
}

/// Holds a dialogue with a new store of these limits.
pub(crate) fn dialogue_within(limits: StoreLimits, lines: &[(Request<'_>, Answer<'_>)]) -> Store {
    let mut store = Store::new(limits);
    for (number, (request, expected)) in lines.iter().enumerate() {
        ask(&mut store, request.clone(), |answer| {
            assert_eq!(answer, *expected, "line {number}: {request:?}");
        });
    }
    store
}

/// Holds a dialogue in which each line has its time.
pub(crate) fn dialogue_in_time(
    limits: StoreLimits,
    lines: &[(u64, Request<'_>, Answer<'_>)],
) -> Store {
    let mut store = Store::new(limits);
    for (number, (millis, request, expected)) in lines.iter().enumerate() {
        ask_at(&mut store, at(*millis), request.clone(), |answer| {
            assert_eq!(answer, *expected, "line {number} at {millis} ms: {request:?}");
        });
    }
    store
}

/// Lets the store free a portion of what has expired.
pub(crate) fn expire(store: &mut Store, now: Time) {
    let mut recorder = Recorder::default();
    store.expire(now, &mut recorder);
    assert!(recorder.take().is_empty(), "nobody is told");
}

pub(crate) fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

pub(crate) fn ttl(millis: u64) -> Ttl {
    Ttl::from_millis(millis).expect("a ttl of a test is within its bounds")
}

/// This long after the write.
pub(crate) fn after(millis: u64) -> Expiry {
    Expiry::After(ttl(millis))
}

pub(crate) fn after_if_new(millis: u64) -> Expiry {
    Expiry::AfterIfNew(ttl(millis))
}

/// The same write or increment with another word on when the variable expires.
pub(crate) fn expiring(expiry: Expiry, request: Request<'_>) -> Request<'_> {
    match request {
        Request::Write(write) => Request::Write(Write { expiry, ..write }),
        Request::Increment(increment) => Request::Increment(Increment { expiry, ..increment }),
        other => panic!("no write: {other:?}"),
    }
}

pub(crate) fn touch(name: &str, millis: u64) -> Request<'_> {
    Request::Touch(Touch { key: key(name), ttl: Some(ttl(millis)) })
}

pub(crate) fn persist(name: &str) -> Request<'_> {
    Request::Touch(Touch { key: key(name), ttl: None })
}

pub(crate) fn key(name: &(impl AsRef<[u8]> + ?Sized)) -> Key<'_> {
    Key::new(name).expect("a name of a test is short")
}

pub(crate) fn raw(text: &str) -> ValueRef<'_> {
    ValueRef::raw(text)
}

pub(crate) fn get(name: &str) -> Request<'_> {
    Request::Get(Get { key: key(name) })
}

pub(crate) fn get_many<'a>(names: &[&'a str]) -> Request<'a> {
    Request::GetMany(GetMany { keys: names.iter().map(|name| key(*name)).collect() })
}

pub(crate) fn exists(name: &str) -> Request<'_> {
    Request::Exists(Exists { key: key(name) })
}

pub(crate) fn set<'a>(name: &'a str, value: ValueRef<'a>) -> Request<'a> {
    write(name, Expect::Any, value)
}

pub(crate) fn add<'a>(name: &'a str, value: ValueRef<'a>) -> Request<'a> {
    write(name, Expect::Absent, value)
}

pub(crate) fn cas<'a>(name: &'a str, revision: u64, value: ValueRef<'a>) -> Request<'a> {
    write(name, Expect::Revision(revision), value)
}

pub(crate) fn swap<'a>(name: &'a str, old: ValueRef<'a>, new: ValueRef<'a>) -> Request<'a> {
    write(name, Expect::Value(old), new)
}

fn write<'a>(name: &'a str, expect: Expect<'a>, value: ValueRef<'a>) -> Request<'a> {
    Request::Write(Write { key: key(name), expect, expiry: Expiry::Never, value })
}

pub(crate) fn delete(name: &str) -> Request<'_> {
    Request::Delete(Delete { key: key(name), expect: Expect::Any })
}

pub(crate) fn modify<'a>(name: &'a str, modification: Modification<'a>) -> Request<'a> {
    Request::Modify(Modify { key: key(name), expiry: Expiry::Keep, modification })
}

pub(crate) fn increment(name: &str, by: impl Into<Number>) -> Request<'_> {
    let (by, expiry) = (by.into(), Expiry::Keep);
    Request::Increment(Increment { key: key(name), by, initial: None, expiry })
}

pub(crate) fn increment_from(
    name: &str,
    by: impl Into<Number>,
    initial: impl Into<Number>,
) -> Request<'_> {
    let (by, initial, expiry) = (by.into(), Some(initial.into()), Expiry::Keep);
    Request::Increment(Increment { key: key(name), by, initial, expiry })
}

pub(crate) fn batch<'a>(steps: &[Step<'a>]) -> Request<'a> {
    Request::Batch(Batch { steps: steps.to_vec() })
}

pub(crate) fn page(prefix: &str, cursor: u64, limit: u32) -> Request<'_> {
    Request::Keys(Keys { prefix: prefix.as_bytes(), cursor, limit })
}

pub(crate) fn got(revision: u64, value: ValueRef<'_>) -> Answer<'_> {
    Answer::Reply(Reply::Got(entry(revision, value)))
}

/// A variable with so much of its lifetime left.
pub(crate) fn got_for(revision: u64, left: u64, value: ValueRef<'_>) -> Answer<'_> {
    Answer::Reply(Reply::Got(entry_for(revision, left, value)))
}

pub(crate) fn got_nothing() -> Answer<'static> {
    Answer::Reply(Reply::Got(None))
}

pub(crate) fn got_many<'a>(entries: &[Option<Entry<'a>>]) -> Answer<'a> {
    Answer::Reply(Reply::GotMany(entries.to_vec()))
}

pub(crate) fn entry(revision: u64, value: ValueRef<'_>) -> Option<Entry<'_>> {
    Some(Entry { revision, ttl_ms: None, value })
}

/// A variable with so much of its lifetime left.
pub(crate) fn entry_for(revision: u64, left: u64, value: ValueRef<'_>) -> Option<Entry<'_>> {
    Some(Entry { revision, ttl_ms: Some(left), value })
}

pub(crate) fn revision(revision: Option<u64>) -> Answer<'static> {
    Answer::Reply(Reply::Existence(revision.map(|revision| Existence { revision, ttl_ms: None })))
}

/// A variable that exists for so long.
pub(crate) fn left(revision: u64, left: u64) -> Answer<'static> {
    Answer::Reply(Reply::Existence(Some(Existence { revision, ttl_ms: Some(left) })))
}

pub(crate) fn stored(revision: u64) -> Answer<'static> {
    Answer::Reply(Reply::Written(Written::Stored { revision }))
}

pub(crate) fn conflict(current: u64) -> Answer<'static> {
    Answer::Reply(Reply::Written(Written::Conflict { current }))
}

pub(crate) fn incremented(revision: u64, value: impl Into<Number>) -> Answer<'static> {
    Answer::Reply(Reply::Incremented { revision, value: value.into() })
}

pub(crate) fn deleted(existed: bool) -> Answer<'static> {
    Answer::Reply(Reply::Deleted { existed })
}

/// How a modification of a variable that does not expire ended.
pub(crate) fn modified(revision: u64, outcome: Outcome<'_>) -> Answer<'_> {
    answered(Modified { revision, ttl_ms: None, outcome })
}

pub(crate) fn look<'a>(name: &'a str, question: Question<'a>) -> Request<'a> {
    Request::Look(Look { key: key(name), question })
}

pub(crate) fn looked(revision: u64, found: Found<'_>) -> Answer<'_> {
    Answer::Reply(Reply::Looked(Looked { revision, found }))
}

pub(crate) fn answered(modified: Modified<'_>) -> Answer<'_> {
    Answer::Reply(Reply::Modified(modified))
}

pub(crate) fn applied(revision: u64, results: &[StepResult]) -> Answer<'static> {
    Answer::Reply(Reply::Batch(BatchReply::Applied { revision, results: results.to_vec() }))
}

pub(crate) fn batch_conflict(step: u32, current: u64) -> Answer<'static> {
    Answer::Reply(Reply::Batch(BatchReply::Conflict { step, current }))
}

pub(crate) fn batch_refused(step: u32, reason: Reason, text: &'static str) -> Answer<'static> {
    let refusal = Refusal::new(reason, text);
    Answer::Reply(Reply::Batch(BatchReply::Refused { step, refusal }))
}

pub(crate) fn listed<'a>(cursor: u64, keys: &[KeyInfo<'a>]) -> Answer<'a> {
    Answer::Reply(Reply::Keys { cursor, keys: keys.to_vec() })
}

pub(crate) fn entries(prefix: &str, cursor: u64, limit: u32) -> Request<'_> {
    Request::Entries(Entries { prefix: prefix.as_bytes(), cursor, limit })
}

pub(crate) fn listed_entries<'a>(
    cursor: u64,
    entries: &[(&'a str, Option<Entry<'a>>)],
) -> Answer<'a> {
    let named = |(name, entry): &(&'a str, Option<Entry<'a>>)| Some((key(*name), (*entry)?));
    Answer::Reply(Reply::Entries { cursor, entries: entries.iter().filter_map(named).collect() })
}

pub(crate) fn count(prefix: &str, cursor: u64) -> Request<'_> {
    Request::Count(Count { prefix: prefix.as_bytes(), cursor })
}

pub(crate) fn counted(cursor: u64, count: u64) -> Answer<'static> {
    Answer::Reply(Reply::Counted { cursor, count })
}

pub(crate) fn refused(reason: Reason, text: &str) -> Answer<'static> {
    Answer::Refused(reason, text.to_owned())
}
