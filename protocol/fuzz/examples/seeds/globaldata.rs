//! One example of everything that globaldata-server hears and says.

use std::num::NonZeroU32;

use workyard_protocol::globaldata::{
    AddWithin, Batch, BatchReply, Change, Count, Delete, End, Entries, Entry, Existence, Exists,
    Expect, Expiry, Found, Get, GetMany, Increment, KeyInfo, Keys, Lock, LockInfo, LockReply,
    Locks, Look, Looked, Modification, Modified, Modify, Outcome, Push, PushItems, Question,
    RenewLocks, Renewal, Reply, Request, Step, StepResult, Touch, Unlock, Unwatch, Watch,
    WatchTopic, Watching, Write, Written,
};
use workyard_protocol::{
    Encoding, FieldName, Key, LockName, Number, Reason, Refusal, ToClient, Ttl, ValueRef, ValueTag,
};

use crate::{Seed, from_server, key, request};

const PHP: ValueRef<'_> =
    ValueRef::Encoded { encoding: Encoding::Php, bytes: b"a:1:{i:0;s:1:\"x\";}" };

const LIST: ValueRef<'_> = ValueRef::Encoded {
    encoding: Encoding::List,
    bytes: b"\x00\x00\x00\x00\x01x\x00\x00\x00\x00\x01x",
};

const SET: ValueRef<'_> = ValueRef::Encoded {
    encoding: Encoding::Set,
    bytes: b"\x00\x00\x00\x00\x01x\x00\x00\x00\x00\x01y",
};

const MAP: ValueRef<'_> =
    ValueRef::Encoded { encoding: Encoding::Map, bytes: b"\x00\x04name\x00\x00\x00\x00\x03tom" };

pub fn requests() -> Vec<Seed> {
    let one = key("visits");
    let keys = vec![one, key("users:7")];
    let initial = Some(Number::Float(0.5));
    vec![
        request("get", Request::Get(Get { key: one })),
        request("get_many", Request::GetMany(GetMany { keys })),
        request("set", write(Expect::Any)),
        request("add", write(Expect::Absent)),
        request("cas", write(Expect::Revision(7))),
        request("cas_value", write(Expect::Value(ValueRef::raw("old")))),
        request(
            "increment",
            Request::Increment(Increment {
                key: one,
                by: Number::Int(-1),
                initial,
                expiry: Expiry::AfterIfNew(ttl()),
            }),
        ),
        request("delete", Request::Delete(Delete { key: one, expect: Expect::Any })),
        request("delete_value", Request::Delete(Delete { key: one, expect: Expect::Value(PHP) })),
        request("append", modify(Modification::Append(b"more"))),
        request("prepend", modify(Modification::Prepend(b""))),
        request("min", modify(Modification::Min(Number::Int(-1)))),
        request("max", modify(Modification::Max(Number::Float(0.5)))),
        request("add_within", modify(Modification::AddWithin(addition()))),
        request("swap", modify(Modification::Swap(PHP))),
        request("take", modify(Modification::Take)),
        request(
            "push",
            modify(Modification::Push(PushItems { end: End::Back, items: items(), keep: Some(3) })),
        ),
        request("pop", modify(Modification::Pop { end: End::Front, count: 2 })),
        request("set_add", modify(Modification::SetAdd(items()))),
        request("set_remove", modify(Modification::SetRemove(items()))),
        request("map_set", modify(Modification::MapSet(vec![(field(), PHP)]))),
        request("map_remove", modify(Modification::MapRemove(vec![field()]))),
        request("map_increment", modify(increment_field())),
        request("set_list", set(LIST)),
        request("set_set", set(SET)),
        request("set_map", set(MAP)),
        request("length", look(Question::Length)),
        request("range", look(Question::Range { start: -3, count: 2 })),
        request("contains", look(Question::Contains(items()))),
        request("fields", look(Question::Fields(vec![field()]))),
        request("exists", Request::Exists(Exists { key: one })),
        request("batch", Request::Batch(Batch { steps: steps(one) })),
        request("set_for_a_while", for_a_while()),
        request("touch", Request::Touch(Touch { key: one, ttl: Some(ttl()) })),
        request("persist", Request::Touch(Touch { key: one, ttl: None })),
        request("lock", lock(1, false)),
        request("semaphore", lock(300, true)),
        request("unlock", Request::Unlock(Unlock { name: lock_name(), token: 70_000 })),
        request("renew_locks", Request::RenewLocks(RenewLocks { renewals: vec![renewal(); 2] })),
        request("locks", Request::Locks(Locks { prefix: b"m", cursor: 1, limit: 1000 })),
        request("keys", Request::Keys(Keys { prefix: b"u", cursor: 0, limit: 1000 })),
        request("entries", Request::Entries(Entries { prefix: b"u", cursor: 0, limit: 1000 })),
        request("count", Request::Count(Count { prefix: b"u", cursor: 10_000 })),
        request("watch", watch(None)),
        request("watch_again", watch(Some(1 << 40))),
        request("unwatch", Request::Unwatch(Unwatch { topics: topics() })),
    ]
}

fn topics() -> Vec<WatchTopic<'static>> {
    vec![WatchTopic::Key(key("visits")), WatchTopic::Prefix(key("users:"))]
}

fn watch(after: Option<u64>) -> Request<'static> {
    Request::Watch(Watch { watch: 7, topics: topics(), values: true, after })
}

fn write(expect: Expect<'static>) -> Request<'static> {
    Request::Write(Write { key: key("users:7"), expect, expiry: Expiry::Never, value: PHP })
}

fn modify(modification: Modification<'static>) -> Request<'static> {
    Request::Modify(Modify { key: key("users:7"), expiry: Expiry::Keep, modification })
}

fn look(question: Question<'static>) -> Request<'static> {
    Request::Look(Look { key: key("users:7"), question })
}

fn set(value: ValueRef<'static>) -> Request<'static> {
    let (expect, expiry) = (Expect::Any, Expiry::Never);
    Request::Write(Write { key: key("users"), expect, expiry, value })
}

fn items() -> Vec<ValueRef<'static>> {
    vec![ValueRef::raw("x"), ValueRef::Int(5)]
}

fn field() -> FieldName<'static> {
    FieldName::new("name").expect("a short name")
}

fn increment_field() -> Modification<'static> {
    Modification::MapIncrement { field: field(), by: Number::Int(1), initial: Some(Number::Int(0)) }
}

fn addition() -> AddWithin {
    let (by, initial) = (Number::Int(-3), Some(Number::Int(0)));
    let (least, greatest) = (Some(Number::Int(0)), Some(Number::Float(9.5)));
    AddWithin { by, initial, least, greatest, clamp: true }
}

fn for_a_while() -> Request<'static> {
    let (expect, expiry) = (Expect::Absent, Expiry::After(ttl()));
    Request::Write(Write { key: key("lock"), expect, expiry, value: ValueRef::Int(1) })
}

fn lock(permits: u32, wait: bool) -> Request<'static> {
    let permits = NonZeroU32::new(permits).expect("one at least");
    Request::Lock(Lock { name: lock_name(), permits, ttl: ttl(), wait })
}

fn renewal() -> Renewal<'static> {
    Renewal { name: lock_name(), token: 70_000, ttl: ttl() }
}

fn lock_name() -> LockName<'static> {
    LockName::new("mail").expect("short")
}

fn ttl() -> Ttl {
    Ttl::from_millis(30_000).expect("half a minute")
}

fn steps(key: Key<'_>) -> Vec<Step<'_>> {
    vec![
        Step::Require { key, expect: Expect::Value(ValueRef::Int(1)) },
        Step::Set { key, expiry: Expiry::After(ttl()), value: ValueRef::raw("new") },
        Step::Increment { key, by: Number::Int(1), initial: None, expiry: Expiry::Keep },
        Step::Delete { key },
        Step::RequireLock { name: lock_name(), token: 70_000 },
        Step::Modify { key, expiry: Expiry::Keep, modification: Modification::Append(b"more") },
    ]
}

pub fn replies() -> Vec<Seed> {
    let entry = Entry { revision: 7, ttl_ms: None, value: PHP };
    let int = Entry { revision: 300, ttl_ms: Some(30_000), value: ValueRef::Int(5) };
    let tag = ValueTag::Encoded(Encoding::Raw);
    let info = KeyInfo { key: key("users:7"), revision: 7, tag, size: 20, ttl_ms: Some(1) };
    let existence = Existence { revision: 7, ttl_ms: Some(1 << 40) };
    vec![
        reply("got", Reply::Got(Some(entry))),
        reply("got_none", Reply::Got(None)),
        reply("got_many", Reply::GotMany(vec![Some(entry), None, Some(int)])),
        reply("stored", Reply::Written(Written::Stored { revision: 8 })),
        reply("conflict", Reply::Written(Written::Conflict { current: 9 })),
        reply("incremented", Reply::Incremented { revision: 1, value: Number::Float(0.5) }),
        reply("deleted", Reply::Deleted { existed: true }),
        reply("existence", Reply::Existence(Some(existence))),
        reply("batch_applied", Reply::Batch(applied())),
        reply("batch_conflict", Reply::Batch(BatchReply::Conflict { step: 1, current: 7 })),
        reply("batch_refused", Reply::Batch(refused())),
        reply("keys", Reply::Keys { cursor: 3, keys: vec![info, info] }),
        reply("length", modified(Outcome::Length(4))),
        reply("number", modified(Outcome::Number(Number::Float(0.5)))),
        reply("out_of_bounds", modified(Outcome::OutOfBounds(Number::Int(2)))),
        reply("count", modified(Outcome::Count(2))),
        reply("looked_length", looked(Found::Length(3))),
        reply(
            "looked_values",
            looked(Found::Values(vec![Some(PHP), None, Some(ValueRef::Int(5))])),
        ),
        reply("looked_flags", looked(Found::Flags(vec![true, false]))),
        reply("got_map", Reply::Got(Some(Entry { revision: 7, ttl_ms: None, value: MAP }))),
        reply("values", modified(Outcome::Values(vec![PHP, ValueRef::Int(5)]))),
        reply("locked", Reply::Lock(LockReply::Locked { token: 70_000 })),
        reply("queued", Reply::Lock(LockReply::Queued { token: 7 })),
        reply("busy", Reply::Lock(LockReply::Busy)),
        reply("unlocked", Reply::Unlocked { released: true }),
        reply("renewed", Reply::Renewed { lost: vec![7, 70_000] }),
        reply("locks", Reply::Locks { cursor: 3, locks: vec![lock_info(); 2] }),
        reply(
            "entries",
            Reply::Entries { cursor: 0, entries: vec![(key("a"), entry), (key("b"), int)] },
        ),
        reply("counted", Reply::Counted { cursor: 10_000, count: 9 }),
        reply("watching", Reply::Watching(Watching::From(300))),
        reply("not_watching", Reply::Watching(Watching::Compacted(300))),
        reply("unwatched", Reply::Unwatched { count: 2 }),
        push("changed", changed(None, Change::Set { ttl_ms: None, value: Some(PHP) })),
        push("changed_for_a_while", changed(Some(7), Change::Set { ttl_ms: Some(1), value: None })),
        push("gone", changed(Some(7), Change::Deleted)),
        push("expired", changed(None, Change::Expired)),
        push("reached", Push::Reached { watch: Some(7), revision: 300, live: true }),
        push("compacted", Push::Compacted { watch: None, oldest: 1 << 40 }),
    ]
}

pub fn pushes() -> Vec<Seed> {
    let push = |name, push| from_server(name, &ToClient::<Reply<'_>, Push>::Push(push));
    vec![
        push("lock_granted", Push::LockGranted { token: 70_000 }),
        push("lock_lost", Push::LockLost { token: 7 }),
    ]
}

fn lock_info() -> LockInfo<'static> {
    let (permits, holders, waiters) = (2, 2, 300);
    LockInfo { name: lock_name(), permits, holders, waiters, token: 70_000, ttl_ms: 30_000 }
}

fn applied() -> BatchReply {
    let results = vec![
        StepResult::Held,
        StepResult::Stored,
        StepResult::Incremented(Number::Int(2)),
        StepResult::Deleted(true),
        StepResult::Length(4),
        StepResult::Count(2),
    ];
    BatchReply::Applied { revision: 8, results }
}

fn looked(found: Found<'_>) -> Reply<'_> {
    Reply::Looked(Looked { revision: 7, found })
}

fn modified(outcome: Outcome<'_>) -> Reply<'_> {
    Reply::Modified(Modified { revision: 7, ttl_ms: Some(1), outcome })
}

fn refused() -> BatchReply {
    let refusal = Refusal::new(Reason::NotANumber, "`visits` is raw");
    BatchReply::Refused { step: 2, refusal }
}

fn changed(watch: Option<u32>, change: Change<'static>) -> Push<'static> {
    Push::Changed { watch, key: key("users:7"), revision: 8, more: watch.is_some(), change }
}

fn reply(name: &'static str, reply: Reply<'_>) -> Seed {
    from_server(name, &ToClient::<_, Push<'_>>::Reply(7, reply))
}

fn push(name: &'static str, push: Push<'_>) -> Seed {
    from_server(name, &ToClient::<Reply<'_>, _>::Push(push))
}
