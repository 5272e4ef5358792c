//! Fields of globaldata-server's messages.

use crate::control::refusal;
use crate::json::{
    bytes, field, field_name, flag, integer, integer_of, key, list, named, number, optional, text,
    value, variant,
};
use crate::service::Service;
use serde_json::Value as Json;
use std::num::NonZeroU32;
use workyard_protocol::globaldata::{
    AddWithin, Batch, BatchReply, Change, Count, Delete, End, Entries, Entry, Existence, Exists,
    Expect, Expiry, Found, Get, GetMany, GlobalDataWire, Increment, KeyInfo, Keys, Lock, LockInfo,
    LockReply, Locks, Look, Looked, Modification, Modified, Modify, Outcome, Push, PushItems,
    Question, RenewLocks, Renewal, Reply, Request, Step, StepResult, Touch, Unlock, Unwatch, Watch,
    WatchTopic, Watching, Write, Written,
};
use workyard_protocol::{Key, LockName, Ttl, ValueTag};

impl Service for GlobalDataWire {
    fn request(operation: &str, fields: &Json) -> Request<'static> {
        match operation {
            "get" => Request::Get(Get { key: key(fields) }),
            "get_many" => Request::GetMany(GetMany {
                keys: list(fields, "keys", |json| Key::new(bytes(json)).expect("a key")),
            }),
            "write" => Request::Write(Write {
                key: key(fields),
                expect: expect(field(fields, "expect")),
                expiry: expiry(field(fields, "expiry")),
                value: value(field(fields, "value")),
            }),
            "increment" => Request::Increment(Increment {
                key: key(fields),
                by: number(field(fields, "by")),
                initial: optional(fields, "initial", number),
                expiry: expiry(field(fields, "expiry")),
            }),
            "touch" => {
                Request::Touch(Touch { key: key(fields), ttl: optional(fields, "ttl", ttl) })
            }
            "delete" => {
                let expect = expect(field(fields, "expect"));
                Request::Delete(Delete { key: key(fields), expect })
            }
            "look" => Request::Look(Look {
                key: key(fields),
                question: question(field(fields, "question")),
            }),
            "modify" => Request::Modify(Modify {
                key: key(fields),
                expiry: expiry(field(fields, "expiry")),
                modification: modification(field(fields, "modification")),
            }),
            "exists" => Request::Exists(Exists { key: key(fields) }),
            "batch" => Request::Batch(Batch { steps: list(fields, "steps", step) }),
            "keys" => Request::Keys(Keys {
                prefix: bytes(field(fields, "prefix")),
                cursor: integer(fields, "cursor"),
                limit: integer(fields, "limit"),
            }),
            "lock" => Request::Lock(Lock {
                name: lock_name(fields),
                permits: NonZeroU32::new(integer(fields, "permits")).expect("a permit"),
                ttl: ttl(field(fields, "ttl")),
                wait: flag(fields, "wait"),
            }),
            "unlock" => {
                Request::Unlock(Unlock { name: lock_name(fields), token: integer(fields, "token") })
            }
            "renew_locks" => {
                Request::RenewLocks(RenewLocks { renewals: list(fields, "renewals", renewal) })
            }
            "locks" => Request::Locks(Locks {
                prefix: bytes(field(fields, "prefix")),
                cursor: integer(fields, "cursor"),
                limit: integer(fields, "limit"),
            }),
            other => watch_request(other, fields),
        }
    }

    fn reply(operation: &str, fields: &Json) -> Reply<'static> {
        match operation {
            "got" => Reply::Got(optional(fields, "entry", entry)),
            "got_many" => Reply::GotMany(list(fields, "entries", |json| {
                (!json.is_null()).then(|| entry(json))
            })),
            "written" => Reply::Written(written(fields)),
            "incremented" => Reply::Incremented {
                revision: integer(fields, "revision"),
                value: number(field(fields, "value")),
            },
            "deleted" => Reply::Deleted { existed: flag(fields, "existed") },
            "existence" => Reply::Existence(optional(fields, "existence", existence)),
            "batch_ended" => Reply::Batch(batch_ended(fields)),
            "keys_page" => Reply::Keys {
                cursor: integer(fields, "cursor"),
                keys: list(fields, "keys", key_info),
            },
            "looked" => Reply::Looked(Looked {
                revision: integer(fields, "revision"),
                found: found(field(fields, "found")),
            }),
            "modified" => Reply::Modified(Modified {
                revision: integer(fields, "revision"),
                ttl_ms: optional(fields, "ttl_ms", integer_of),
                outcome: outcome(field(fields, "outcome")),
            }),
            "claimed" => Reply::Lock(claimed(fields)),
            "unlocked" => Reply::Unlocked { released: flag(fields, "released") },
            "renewed" => Reply::Renewed { lost: list(fields, "lost", integer_of) },
            "locks_page" => Reply::Locks {
                cursor: integer(fields, "cursor"),
                locks: list(fields, "locks", lock_info),
            },
            "watching" => Reply::Watching(watching(fields)),
            "unwatched" => Reply::Unwatched { count: integer(fields, "count") },
            "counted" => Reply::Counted {
                cursor: integer(fields, "cursor"),
                count: integer(fields, "count"),
            },
            "entries_page" => Reply::Entries {
                cursor: integer(fields, "cursor"),
                entries: list(fields, "entries", |json| (key(json), entry(json))),
            },
            other => panic!("no reply: {other}"),
        }
    }

    fn push(operation: &str, fields: &Json) -> Option<Push<'static>> {
        Some(match operation {
            "lock_granted" => Push::LockGranted { token: integer(fields, "token") },
            "lock_lost" => Push::LockLost { token: integer(fields, "token") },
            "changed" => Push::Changed {
                watch: watch(fields),
                key: key(fields),
                revision: integer(fields, "revision"),
                more: flag(fields, "more"),
                change: change(field(fields, "change")),
            },
            "reached" => Push::Reached {
                watch: watch(fields),
                revision: integer(fields, "revision"),
                live: flag(fields, "live"),
            },
            "compacted" => {
                Push::Compacted { watch: watch(fields), oldest: integer(fields, "oldest") }
            }
            _ => return None,
        })
    }
}

fn lock_name(fields: &Json) -> LockName<'static> {
    LockName::new(bytes(field(fields, "name"))).expect("a name within its limit")
}

fn renewal(json: &Json) -> Renewal<'static> {
    let (name, token) = (lock_name(json), integer(json, "token"));
    Renewal { name, token, ttl: ttl(field(json, "ttl")) }
}

fn claimed(json: &Json) -> LockReply {
    if json.as_str() == Some("busy") {
        return LockReply::Busy;
    }
    match variant(json) {
        ("locked", token) => LockReply::Locked { token: integer_of(token) },
        ("queued", token) => LockReply::Queued { token: integer_of(token) },
        other => panic!("no claim: {other:?}"),
    }
}

fn lock_info(json: &Json) -> LockInfo<'static> {
    LockInfo {
        name: lock_name(json),
        permits: integer(json, "permits"),
        holders: integer(json, "holders"),
        waiters: integer(json, "waiters"),
        token: integer(json, "token"),
        ttl_ms: integer(json, "ttl_ms"),
    }
}

/// Those about watches, and about what there is when they begin.
fn watch_request(operation: &str, fields: &Json) -> Request<'static> {
    match operation {
        "watch" => Request::Watch(Watch {
            watch: integer(fields, "watch"),
            topics: list(fields, "topics", topic),
            values: flag(fields, "values"),
            after: optional(fields, "after", integer_of),
        }),
        "unwatch" => Request::Unwatch(Unwatch { topics: list(fields, "topics", topic) }),
        "count" => Request::Count(Count {
            prefix: bytes(field(fields, "prefix")),
            cursor: integer(fields, "cursor"),
        }),
        "entries" => Request::Entries(Entries {
            prefix: bytes(field(fields, "prefix")),
            cursor: integer(fields, "cursor"),
            limit: integer(fields, "limit"),
        }),
        other => panic!("no request: {other}"),
    }
}

fn watch(fields: &Json) -> Option<u32> {
    optional(fields, "watch", integer_of)
}

fn topic(json: &Json) -> WatchTopic<'static> {
    let (kind, name) = variant(json);
    let name = Key::new(bytes(name)).expect("a key");
    match kind {
        "key" => WatchTopic::Key(name),
        "prefix" => WatchTopic::Prefix(name),
        other => panic!("no topic: {other}"),
    }
}

fn watching(json: &Json) -> Watching {
    match variant(json) {
        ("from", revision) => Watching::From(integer_of(revision)),
        ("compacted", oldest) => Watching::Compacted(integer_of(oldest)),
        other => panic!("no beginning of a watch: {other:?}"),
    }
}

fn change(json: &Json) -> Change<'static> {
    match json.as_str() {
        Some("deleted") => Change::Deleted,
        Some("expired") => Change::Expired,
        Some(other) => panic!("no change: {other}"),
        None => match variant(json) {
            ("set", fields) => Change::Set {
                ttl_ms: optional(fields, "ttl_ms", integer_of),
                value: optional(fields, "value", value),
            },
            other => panic!("no change: {other:?}"),
        },
    }
}

fn expect(json: &Json) -> Expect<'static> {
    match json.as_str() {
        Some("any") => Expect::Any,
        Some("absent") => Expect::Absent,
        Some(other) => panic!("no expectation: {other}"),
        None => match variant(json) {
            ("revision", revision) => Expect::Revision(integer_of(revision)),
            ("value", expected) => Expect::Value(value(expected)),
            other => panic!("no expectation: {other:?}"),
        },
    }
}

fn expiry(json: &Json) -> Expiry {
    match json.as_str() {
        Some("never") => Expiry::Never,
        Some("keep") => Expiry::Keep,
        Some(other) => panic!("no expiry: {other}"),
        None => match variant(json) {
            ("after", millis) => Expiry::After(ttl(millis)),
            ("after_if_new", millis) => Expiry::AfterIfNew(ttl(millis)),
            other => panic!("no expiry: {other:?}"),
        },
    }
}

fn ttl(json: &Json) -> Ttl {
    Ttl::from_millis(integer_of(json)).expect("a ttl within its bounds")
}

fn modification(json: &Json) -> Modification<'static> {
    if json.as_str() == Some("take") {
        return Modification::Take;
    }
    match variant(json) {
        ("append", content) => Modification::Append(bytes(content)),
        ("prepend", content) => Modification::Prepend(bytes(content)),
        ("min", content) => Modification::Min(number(content)),
        ("max", content) => Modification::Max(number(content)),
        ("add_within", fields) => Modification::AddWithin(AddWithin {
            by: number(field(fields, "by")),
            initial: optional(fields, "initial", number),
            least: optional(fields, "least", number),
            greatest: optional(fields, "greatest", number),
            clamp: flag(fields, "clamp"),
        }),
        ("swap", content) => Modification::Swap(value(content)),
        ("push", fields) => Modification::Push(PushItems {
            end: end(field(fields, "end")),
            items: list(fields, "items", value),
            keep: optional(fields, "keep", integer_of),
        }),
        ("pop", fields) => {
            Modification::Pop { end: end(field(fields, "end")), count: integer(fields, "count") }
        }
        ("set_add", _) => Modification::SetAdd(list(json, "set_add", value)),
        ("set_remove", _) => Modification::SetRemove(list(json, "set_remove", value)),
        ("map_set", _) => Modification::MapSet(list(json, "map_set", named)),
        ("map_remove", _) => Modification::MapRemove(list(json, "map_remove", field_name)),
        ("map_increment", fields) => Modification::MapIncrement {
            field: field_name(field(fields, "field")),
            by: number(field(fields, "by")),
            initial: optional(fields, "initial", number),
        },
        other => panic!("no modification: {other:?}"),
    }
}

fn end(json: &Json) -> End {
    match json.as_str() {
        Some("front") => End::Front,
        Some("back") => End::Back,
        other => panic!("no end: {other:?}"),
    }
}

fn question(json: &Json) -> Question<'static> {
    if json.as_str() == Some("length") {
        return Question::Length;
    }
    match variant(json) {
        ("range", fields) => Question::Range {
            start: field(fields, "start").as_i64().expect("64 bits"),
            count: integer(fields, "count"),
        },
        ("contains", _) => Question::Contains(list(json, "contains", value)),
        ("fields", _) => Question::Fields(list(json, "fields", field_name)),
        other => panic!("no question: {other:?}"),
    }
}

fn found(json: &Json) -> Found<'static> {
    match variant(json) {
        ("length", length) => Found::Length(integer_of(length)),
        ("values", _) => {
            Found::Values(list(json, "values", |json| (!json.is_null()).then(|| value(json))))
        }
        ("flags", _) => Found::Flags(list(json, "flags", |json| json.as_bool().expect("a flag"))),
        other => panic!("nothing found: {other:?}"),
    }
}

fn outcome(json: &Json) -> Outcome<'static> {
    match variant(json) {
        ("length", content) => Outcome::Length(integer_of(content)),
        ("number", content) => Outcome::Number(number(content)),
        ("out_of_bounds", content) => Outcome::OutOfBounds(number(content)),
        ("values", _) => Outcome::Values(list(json, "values", value)),
        ("count", content) => Outcome::Count(integer_of(content)),
        other => panic!("no outcome: {other:?}"),
    }
}

fn step(json: &Json) -> Step<'static> {
    let (name, fields) = variant(json);
    if name == "require_lock" {
        return Step::RequireLock { name: lock_name(fields), token: integer(fields, "token") };
    }
    let key = key(fields);
    match name {
        "require" => Step::Require { key, expect: expect(field(fields, "expect")) },
        "set" => Step::Set {
            key,
            expiry: expiry(field(fields, "expiry")),
            value: value(field(fields, "value")),
        },
        "increment" => Step::Increment {
            key,
            by: number(field(fields, "by")),
            initial: optional(fields, "initial", number),
            expiry: expiry(field(fields, "expiry")),
        },
        "delete" => Step::Delete { key },
        "modify" => Step::Modify {
            key,
            expiry: expiry(field(fields, "expiry")),
            modification: modification(field(fields, "modification")),
        },
        other => panic!("no step: {other}"),
    }
}

fn entry(json: &Json) -> Entry<'static> {
    let Existence { revision, ttl_ms } = existence(json);
    Entry { revision, ttl_ms, value: value(field(json, "value")) }
}

fn existence(json: &Json) -> Existence {
    let ttl_ms = optional(json, "ttl_ms", integer_of);
    Existence { revision: integer(json, "revision"), ttl_ms }
}

fn written(fields: &Json) -> Written {
    let revision = integer(fields, "revision");
    if flag(fields, "stored") {
        Written::Stored { revision }
    } else {
        Written::Conflict { current: revision }
    }
}

fn batch_ended(fields: &Json) -> BatchReply {
    match variant(fields) {
        ("applied", fields) => BatchReply::Applied {
            revision: integer(fields, "revision"),
            results: list(fields, "results", result),
        },
        ("conflict", fields) => BatchReply::Conflict {
            step: integer(fields, "step"),
            current: integer(fields, "current"),
        },
        ("refused", fields) => {
            BatchReply::Refused { step: integer(fields, "step"), refusal: refusal(fields) }
        }
        other => panic!("no end of a batch: {other:?}"),
    }
}

fn result(json: &Json) -> StepResult {
    match json.as_str() {
        Some("held") => StepResult::Held,
        Some("stored") => StepResult::Stored,
        Some(other) => panic!("no result: {other}"),
        None => match variant(json) {
            ("incremented", sum) => StepResult::Incremented(number(sum)),
            ("deleted", existed) => StepResult::Deleted(existed.as_bool().expect("a flag")),
            ("length", length) => StepResult::Length(integer_of(length)),
            ("count", count) => StepResult::Count(integer_of(count)),
            other => panic!("no result: {other:?}"),
        },
    }
}

fn key_info(json: &Json) -> KeyInfo<'static> {
    let name = text(json, "tag");
    let tag = (0..=u8::MAX).filter_map(ValueTag::from_code).find(|tag| tag.name() == name);
    KeyInfo {
        key: key(json),
        revision: integer(json, "revision"),
        tag: tag.unwrap_or_else(|| panic!("no tag: {name}")),
        size: integer(json, "size"),
        ttl_ms: optional(json, "ttl_ms", integer_of),
    }
}
