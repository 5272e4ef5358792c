//! Any message of either service. What they borrow lives as long as the test does.

mod interests;
mod pushes;

pub(crate) use interests::{history_rule, interest, pattern, start, subscription, when_slow};
pub(crate) use pushes::channel_push;

use crate::random_queues::{queue_reply, queue_request};
use crate::random_watches::topic;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::num::NonZeroU32;
use workyard_protocol::channel::{
    self, Answer, Change, Delivery, Enter, FollowPresence, HistoryRule, Member, Presence,
    PresenceChange, PresencePage, Unanswered, UnansweredCause,
};
use workyard_protocol::container::{put_field, put_item};
use workyard_protocol::globaldata::{
    self, AddWithin, BatchReply, End, Entry, Existence, Expect, Expiry, Found, KeyInfo, LockInfo,
    LockReply, Modification, Modified, Outcome, PushItems, Question, Renewal, Step, StepResult,
    Watching, Written,
};
use workyard_protocol::limits::{QUESTION_MS_MAX, TTL_MS_MAX};
use workyard_protocol::{
    ChannelName, Encoding, FieldName, GroupName, Key, LockName, Number, QueueName, Reason, Refusal,
    Ttl, ValueRef,
};

pub(crate) fn channel_request() -> impl Strategy<Value = channel::Request<'static>> {
    use channel::{
        Ask, DropHistory, Histories, KeepHistory, Publish, PublishMany, PublishOne, Request, Serve,
        Subscribe, Unsubscribe,
    };
    prop_oneof![
        vec(subscription(), 0..4)
            .prop_map(|subscriptions| Request::Subscribe(Subscribe { subscriptions })),
        vec(interest(), 0..4).prop_map(|interests| Request::Unsubscribe(Unsubscribe { interests })),
        (channel(), value())
            .prop_map(|(channel, value)| Request::Publish(Publish { channel, value })),
        (vec(channel(), 0..4), value())
            .prop_map(|(channels, value)| Request::PublishMany(PublishMany { channels, value })),
        (channel(), value())
            .prop_map(|(channel, value)| Request::PublishOne(PublishOne { channel, value })),
        queue_request(),
        (channel(), 1..=QUESTION_MS_MAX, any::<bool>(), value()).prop_map(
            |(channel, timeout_ms, repeat, value)| Request::Ask(Ask {
                channel,
                timeout_ms,
                repeat,
                value
            })
        ),
        answer().prop_map(Request::Answer),
        (channel(), option::of(bytes()))
            .prop_map(|(channel, identity)| Request::Enter(Enter { channel, identity })),
        (channel(), wide(), 1..=1000u32).prop_map(|(channel, cursor, limit)| {
            Request::Presence(Presence { channel, cursor, limit })
        }),
        (channel(), any::<bool>())
            .prop_map(|(channel, on)| Request::FollowPresence(FollowPresence { channel, on })),
        (channel(), any::<bool>()).prop_map(|(channel, on)| Request::Serve(Serve { channel, on })),
        history_rule().prop_map(|HistoryRule { pattern, bounds }| {
            Request::KeepHistory(KeepHistory { pattern, bounds })
        }),
        pattern().prop_map(|pattern| Request::DropHistory(DropHistory { pattern })),
        (bytes(), wide(), 1..=1000u32).prop_map(|(prefix, cursor, limit)| {
            Request::Histories(Histories { prefix, cursor, limit })
        }),
    ]
}

pub(crate) fn channel_reply() -> impl Strategy<Value = channel::Reply<'static>> {
    use channel::Reply;
    prop_oneof![
        Just(Reply::Done),
        wide().prop_map(|receivers| Reply::Published { receivers }),
        queue_reply(),
        wide().prop_map(|question| Reply::Asked { question }),
        presence_page().prop_map(Reply::Presence),
        vec(wide(), 0..4).prop_map(|marks| Reply::Subscribed { marks }),
        (wide(), vec(history_rule(), 0..4))
            .prop_map(|(cursor, rules)| Reply::Histories { cursor, rules }),
    ]
}

pub(crate) fn globaldata_request() -> impl Strategy<Value = globaldata::Request<'static>> {
    use globaldata::{
        Batch, Count, Delete, Entries, Exists, Get, GetMany, Increment, Keys, Lock, Locks, Look,
        Modify, RenewLocks, Request, Touch, Unlock, Unwatch, Watch, Write,
    };
    prop_oneof![
        key().prop_map(|key| Request::Get(Get { key })),
        vec(key(), 0..4).prop_map(|keys| Request::GetMany(GetMany { keys })),
        (key(), expect(), expiry(), value()).prop_map(|(key, expect, expiry, value)| {
            Request::Write(Write { key, expect, expiry, value })
        }),
        (key(), number(), option::of(number()), expiry()).prop_map(|(key, by, initial, expiry)| {
            Request::Increment(Increment { key, by, initial, expiry })
        }),
        (key(), option::of(ttl())).prop_map(|(key, ttl)| Request::Touch(Touch { key, ttl })),
        (key(), expect()).prop_map(|(key, expect)| Request::Delete(Delete { key, expect })),
        (key(), expiry(), modification()).prop_map(|(key, expiry, modification)| {
            Request::Modify(Modify { key, expiry, modification })
        }),
        (key(), question()).prop_map(|(key, question)| Request::Look(Look { key, question })),
        key().prop_map(|key| Request::Exists(Exists { key })),
        (lock_name(), 1..=u32::MAX, ttl(), any::<bool>()).prop_map(|(name, permits, ttl, wait)| {
            let permits = NonZeroU32::new(permits).expect("one at least");
            Request::Lock(Lock { name, permits, ttl, wait })
        }),
        (lock_name(), wide()).prop_map(|(name, token)| Request::Unlock(Unlock { name, token })),
        vec(renewal(), 0..4).prop_map(|renewals| Request::RenewLocks(RenewLocks { renewals })),
        (bytes(), wide(), 1..=1000u32).prop_map(|(prefix, cursor, limit)| Request::Locks(Locks {
            prefix,
            cursor,
            limit
        })),
        vec(step(), 0..6).prop_map(|steps| Request::Batch(Batch { steps })),
        (bytes(), wide(), 1..=1000u32).prop_map(|(prefix, cursor, limit)| Request::Keys(Keys {
            prefix,
            cursor,
            limit
        })),
        (bytes(), wide(), 1..=1000u32).prop_map(|(prefix, cursor, limit)| Request::Entries(
            Entries { prefix, cursor, limit }
        )),
        (bytes(), wide()).prop_map(|(prefix, cursor)| Request::Count(Count { prefix, cursor })),
        (any::<u32>(), vec(topic(), 0..4), any::<bool>(), option::of(wide())).prop_map(
            |(watch, topics, values, after)| Request::Watch(Watch { watch, topics, values, after })
        ),
        vec(topic(), 0..4).prop_map(|topics| Request::Unwatch(Unwatch { topics })),
    ]
}

pub(crate) fn globaldata_reply() -> impl Strategy<Value = globaldata::Reply<'static>> {
    use globaldata::Reply;
    let info = (key(), wide(), value(), any::<u32>(), option::of(wide())).prop_map(
        |(key, revision, value, size, ttl_ms)| KeyInfo {
            key,
            revision,
            tag: value.tag(),
            size,
            ttl_ms,
        },
    );
    let existence =
        (wide(), option::of(wide())).prop_map(|(revision, ttl_ms)| Existence { revision, ttl_ms });
    prop_oneof![
        option::of(entry()).prop_map(Reply::Got),
        vec(option::of(entry()), 0..4).prop_map(Reply::GotMany),
        wide().prop_map(|revision| Reply::Written(Written::Stored { revision })),
        wide().prop_map(|current| Reply::Written(Written::Conflict { current })),
        (wide(), number()).prop_map(|(revision, value)| Reply::Incremented { revision, value }),
        any::<bool>().prop_map(|existed| Reply::Deleted { existed }),
        option::of(existence).prop_map(Reply::Existence),
        batch_reply().prop_map(Reply::Batch),
        (wide(), vec(info, 0..4)).prop_map(|(cursor, keys)| Reply::Keys { cursor, keys }),
        (wide(), option::of(wide()), outcome()).prop_map(|(revision, ttl_ms, outcome)| {
            Reply::Modified(Modified { revision, ttl_ms, outcome })
        }),
        lock_reply().prop_map(Reply::Lock),
        any::<bool>().prop_map(|released| Reply::Unlocked { released }),
        vec(wide(), 0..4).prop_map(|lost| Reply::Renewed { lost }),
        (wide(), vec(lock_info(), 0..4)).prop_map(|(cursor, locks)| Reply::Locks { cursor, locks }),
        (wide(), found()).prop_map(|(revision, found)| {
            Reply::Looked(globaldata::Looked { revision, found })
        }),
        wide().prop_map(|revision| Reply::Watching(Watching::From(revision))),
        wide().prop_map(|oldest| Reply::Watching(Watching::Compacted(oldest))),
        any::<u32>().prop_map(|count| Reply::Unwatched { count }),
        (wide(), wide()).prop_map(|(cursor, count)| Reply::Counted { cursor, count }),
        (wide(), vec((key(), entry()), 0..4))
            .prop_map(|(cursor, entries)| Reply::Entries { cursor, entries }),
    ]
}

pub(crate) fn refusal() -> impl Strategy<Value = Refusal> {
    (any::<u16>(), ".{0,20}").prop_map(|(code, text)| Refusal::new(Reason::from_code(code), text))
}

/// Integers of every width that the encoding tells apart.
pub(crate) fn wide() -> impl Strategy<Value = u64> {
    prop_oneof![0..300u64, 65_000..66_000u64, any::<u32>().prop_map(u64::from), any::<u64>()]
}

pub(crate) fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        (-300..300i64).prop_map(Number::Int),
        any::<i64>().prop_map(Number::Int),
        any::<u64>().prop_map(|bits| Number::Float(f64::from_bits(bits))),
    ]
}

pub(crate) fn bytes() -> impl Strategy<Value = &'static [u8]> {
    prop_oneof![
        4 => vec(any::<u8>(), 0..12),
        1 => vec(any::<u8>(), 249..260),
    ]
    .prop_map(|bytes| &*bytes.leak())
}

fn answer() -> impl Strategy<Value = Answer<'static>> {
    (wide(), any::<bool>(), value()).prop_map(|(question, declined, value)| Answer {
        question,
        declined,
        value,
    })
}

fn member() -> impl Strategy<Value = Member<'static>> {
    (wide(), bytes()).prop_map(|(session, identity)| Member { session, identity })
}

fn change() -> impl Strategy<Value = Change<'static>> {
    prop_oneof![
        member().prop_map(Change::Joined),
        wide().prop_map(|session| Change::Left { session }),
        Just(Change::Missed),
    ]
}

fn presence_page() -> impl Strategy<Value = PresencePage<'static>> {
    let counts = (wide(), wide(), wide(), wide(), wide());
    (wide(), counts, vec((group(), wide()), 0..4), vec(member(), 0..4)).prop_map(
        |(cursor, counts, group_list, member_list)| {
            let (subscribers, pattern_subscribers, responders, members, groups) = counts;
            PresencePage {
                cursor,
                subscribers,
                pattern_subscribers,
                responders,
                members,
                groups,
                group_list,
                member_list,
            }
        },
    )
}

fn cause() -> impl Strategy<Value = UnansweredCause> {
    prop_oneof![
        Just(UnansweredCause::TimedOut),
        Just(UnansweredCause::ResponderGone),
        Just(UnansweredCause::AskerSlow),
    ]
}

fn lock_reply() -> impl Strategy<Value = LockReply> {
    prop_oneof![
        wide().prop_map(|token| LockReply::Locked { token }),
        wide().prop_map(|token| LockReply::Queued { token }),
        Just(LockReply::Busy),
    ]
}

fn renewal() -> impl Strategy<Value = Renewal<'static>> {
    (lock_name(), wide(), ttl()).prop_map(|(name, token, ttl)| Renewal { name, token, ttl })
}

fn lock_info() -> impl Strategy<Value = LockInfo<'static>> {
    let counts = (any::<u32>(), any::<u32>(), any::<u32>());
    (lock_name(), counts, wide(), wide()).prop_map(
        |(name, (permits, holders, waiters), token, ttl_ms)| LockInfo {
            name,
            permits,
            holders,
            waiters,
            token,
            ttl_ms,
        },
    )
}

fn lock_name() -> impl Strategy<Value = LockName<'static>> {
    bytes().prop_map(|bytes| LockName::new(bytes).expect("short"))
}

fn expect() -> impl Strategy<Value = Expect<'static>> {
    prop_oneof![
        Just(Expect::Any),
        Just(Expect::Absent),
        wide().prop_map(Expect::Revision),
        value().prop_map(Expect::Value),
    ]
}

fn modification() -> impl Strategy<Value = Modification<'static>> {
    // A bound that is NaN is refused, as is a least above the greatest.
    let bound = || -100..100i64;
    let add_within = (
        number(),
        option::of(number()),
        option::of(bound().prop_map(Number::Int)),
        option::of((100..200i64).prop_map(|int| Number::Float(int as f64))),
        any::<bool>(),
    );
    prop_oneof![
        bytes().prop_map(Modification::Append),
        bytes().prop_map(Modification::Prepend),
        bound().prop_map(|int| Modification::Min(Number::Int(int))),
        bound().prop_map(|int| Modification::Max(Number::Float(int as f64))),
        add_within.prop_map(|(by, initial, least, greatest, clamp)| {
            Modification::AddWithin(AddWithin { by, initial, least, greatest, clamp })
        }),
        value().prop_map(Modification::Swap),
        Just(Modification::Take),
        (end(), vec(item(), 0..4), option::of(1..300u32))
            .prop_map(|(end, items, keep)| { Modification::Push(PushItems { end, items, keep }) }),
        (end(), 1..=16_384u32).prop_map(|(end, count)| Modification::Pop { end, count }),
        vec(item(), 0..4).prop_map(Modification::SetAdd),
        vec(item(), 0..4).prop_map(Modification::SetRemove),
        vec((field(), item()), 0..4).prop_map(Modification::MapSet),
        vec(field(), 0..4).prop_map(Modification::MapRemove),
        (field(), number(), option::of(number()))
            .prop_map(|(field, by, initial)| { Modification::MapIncrement { field, by, initial } }),
    ]
}

fn question() -> impl Strategy<Value = Question<'static>> {
    prop_oneof![
        Just(Question::Length),
        (any::<i64>(), 1..=16_384u32).prop_map(|(start, count)| Question::Range { start, count }),
        vec(item(), 0..4).prop_map(Question::Contains),
        vec(field(), 0..4).prop_map(Question::Fields),
    ]
}

fn found() -> impl Strategy<Value = Found<'static>> {
    prop_oneof![
        wide().prop_map(Found::Length),
        vec(option::of(value()), 0..4).prop_map(Found::Values),
        vec(any::<bool>(), 0..4).prop_map(Found::Flags),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Front), Just(End::Back)]
}

fn outcome() -> impl Strategy<Value = Outcome<'static>> {
    prop_oneof![
        wide().prop_map(Outcome::Length),
        number().prop_map(Outcome::Number),
        number().prop_map(Outcome::OutOfBounds),
        vec(value(), 0..4).prop_map(Outcome::Values),
        wide().prop_map(Outcome::Count),
    ]
}

pub(crate) fn expiry() -> impl Strategy<Value = Expiry> {
    prop_oneof![
        Just(Expiry::Never),
        Just(Expiry::Keep),
        ttl().prop_map(Expiry::After),
        ttl().prop_map(Expiry::AfterIfNew),
    ]
}

fn ttl() -> impl Strategy<Value = Ttl> {
    prop_oneof![1..300u64, 1..=TTL_MS_MAX]
        .prop_map(|millis| Ttl::from_millis(millis).expect("within its bounds"))
}

fn step() -> impl Strategy<Value = Step<'static>> {
    prop_oneof![
        (key(), expect()).prop_map(|(key, expect)| Step::Require { key, expect }),
        (key(), expiry(), value()).prop_map(|(key, expiry, value)| Step::Set {
            key,
            expiry,
            value
        }),
        (key(), number(), option::of(number()), expiry())
            .prop_map(|(key, by, initial, expiry)| Step::Increment { key, by, initial, expiry }),
        key().prop_map(|key| Step::Delete { key }),
        (lock_name(), wide()).prop_map(|(name, token)| Step::RequireLock { name, token }),
        (key(), expiry(), modification()).prop_map(|(key, expiry, modification)| Step::Modify {
            key,
            expiry,
            modification
        }),
    ]
}

fn batch_reply() -> impl Strategy<Value = BatchReply> {
    let result = prop_oneof![
        Just(StepResult::Held),
        Just(StepResult::Stored),
        number().prop_map(StepResult::Incremented),
        any::<bool>().prop_map(StepResult::Deleted),
        wide().prop_map(StepResult::Length),
        wide().prop_map(StepResult::Count),
    ];
    prop_oneof![
        (wide(), vec(result, 0..6))
            .prop_map(|(revision, results)| BatchReply::Applied { revision, results }),
        (any::<u32>(), wide()).prop_map(|(step, current)| BatchReply::Conflict { step, current }),
        (any::<u32>(), refusal()).prop_map(|(step, refusal)| BatchReply::Refused { step, refusal }),
    ]
}

fn entry() -> impl Strategy<Value = Entry<'static>> {
    (wide(), option::of(wide()), value()).prop_map(|(revision, ttl_ms, value)| Entry {
        revision,
        ttl_ms,
        value,
    })
}

pub(crate) fn value() -> impl Strategy<Value = ValueRef<'static>> {
    prop_oneof![
        5 => item(),
        1 => vec(item(), 0..4).prop_map(|items| {
            let mut bytes = Vec::new();
            items.iter().for_each(|item| put_item(*item, &mut bytes));
            ValueRef::Encoded { encoding: Encoding::List, bytes: bytes.leak() }
        }),
        1 => (field(), item()).prop_map(|(field, item)| {
            let mut bytes = Vec::new();
            put_field(field, item, &mut bytes);
            ValueRef::Encoded { encoding: Encoding::Map, bytes: bytes.leak() }
        }),
    ]
}

/// What may stand in a list, set or map.
fn item() -> impl Strategy<Value = ValueRef<'static>> {
    let encoding = prop::sample::select(vec![
        Encoding::Raw,
        Encoding::Json,
        Encoding::Bincode,
        Encoding::Php,
        Encoding::MessagePack,
    ]);
    prop_oneof![
        number().prop_map(ValueRef::from),
        (encoding, bytes()).prop_map(|(encoding, bytes)| ValueRef::Encoded { encoding, bytes }),
    ]
}

fn channel() -> impl Strategy<Value = ChannelName<'static>> {
    bytes().prop_map(|bytes| ChannelName::new(bytes).expect("short"))
}

pub(crate) fn queue() -> impl Strategy<Value = QueueName<'static>> {
    bytes().prop_map(|bytes| QueueName::new(bytes).expect("short"))
}

fn group() -> impl Strategy<Value = GroupName<'static>> {
    bytes().prop_map(|bytes| GroupName::new(bytes).expect("short"))
}

fn field() -> impl Strategy<Value = FieldName<'static>> {
    bytes().prop_map(|bytes| FieldName::new(bytes).expect("short"))
}

pub(crate) fn key() -> impl Strategy<Value = Key<'static>> {
    bytes().prop_map(|bytes| Key::new(bytes).expect("short"))
}
