//! One request of every operation, such that every byte of it is needed.

use std::num::NonZeroU32;
use workyard_protocol::channel::{
    self, Answer, Ask, Backoff, Configure, Dead, DropHistory, Enqueue, Enter, FollowPresence,
    Histories, HistoryBounds, KeepHistory, Nack, NackReason, Presence, PublishMany, PublishOne,
    PublisherId, QueueSettings, Redrive, Remove, Serve, Settings, Start, Subscribe, Subscription,
    WhenSlow,
};
use workyard_protocol::globaldata::{
    self, AddWithin, Batch, Count, Delete, End, Entries, Exists, Expect, Expiry, GetMany, Keys,
    Lock, Locks, Look, Modification, Modify, PushItems, Question, RenewLocks, Renewal, Step, Touch,
    Unlock, Unwatch, Watch, WatchTopic,
};
use workyard_protocol::{ChannelName, Delay, FieldName, LockName, Number, Pattern, Ttl, ValueRef};
use workyard_tests::raw::body;
use workyard_tests::words::{
    ack, cancel, consume, get, grouped, increment, key, pattern, publish_number, queue, queues,
    renew, subscribe, unsubscribe, write,
};
use workyard_tests::{Canary, ChannelWire, GlobalDataWire};

/// A service whose operations are all here.
pub(crate) trait Sampled: Canary {
    /// The body of a frame for each of its operations.
    fn samples() -> Vec<Vec<u8>>;
}

impl Sampled for ChannelWire {
    fn samples() -> Vec<Vec<u8>> {
        let value = ValueRef::Int(7);
        let name = ChannelName::new("name").expect("a short name");
        let start = Start::Resume { replay: 300, epoch: 70_000, mark: 1 << 40 };
        let when_slow = WhenSlow::DropOldest;
        let all = Pattern::new("sample.*").expect("a pattern");
        let age = Ttl::from_millis(300).expect("a short one");
        let bounds = HistoryBounds { messages_max: 300, bytes_max: 70_000, age };
        let many = PublishMany { channels: vec![name, name], value };
        let delay = Delay::from_millis(300).expect("a short one");
        let reason = NackReason::new("no route").ok();
        let settings = QueueSettings {
            lease_ms: Some(300),
            attempts_max: Some(3),
            backoff: Some(Backoff::Exponential { first: delay, max: delay }),
            dedup_window: Some(delay),
            jobs_max: Some(300),
            bytes_max: Some(70_000),
        };
        let requests = [
            subscribe(grouped(pattern("sample.>"), "group")),
            channel::Request::Subscribe(Subscribe {
                subscriptions: vec![
                    Subscription { start, ..Subscription::live(pattern("sample.>")) },
                    Subscription { when_slow, ..Subscription::live(pattern("sample.*")) },
                ],
            }),
            channel::Request::KeepHistory(KeepHistory { pattern: all, bounds }),
            channel::Request::DropHistory(DropHistory { pattern: all }),
            channel::Request::Histories(Histories { prefix: b"sample", cursor: 1, limit: 999 }),
            unsubscribe(grouped(pattern("sample.>"), "group")),
            publish_number("name", 7),
            channel::Request::PublishMany(many),
            channel::Request::PublishOne(PublishOne { channel: name, value }),
            channel::Request::Enqueue(Enqueue {
                delay,
                priority: 7,
                id: Some(PublisherId::new("id").expect("a short one")),
                ..Enqueue::new(queue("sample"), value)
            }),
            consume("sample", 300),
            ack(70_000),
            channel::Request::Nack(Nack { lease: 70_000, delay: Some(delay), reason }),
            renew(&[1, 70_000]),
            cancel("sample"),
            queues("sample"),
            channel::Request::Ask(Ask { channel: name, timeout_ms: 300, repeat: true, value }),
            channel::Request::Answer(Answer { question: 70_000, declined: true, value }),
            channel::Request::Serve(Serve { channel: name, on: true }),
            channel::Request::Enter(Enter { channel: name, identity: Some(b"tom") }),
            channel::Request::Presence(Presence { channel: name, cursor: 1, limit: 999 }),
            channel::Request::FollowPresence(FollowPresence { channel: name, on: true }),
            channel::Request::Remove(Remove { queue: queue("sample"), job: 70_000 }),
            channel::Request::Configure(Configure { queue: queue("sample"), settings }),
            channel::Request::Settings(Settings { queue: queue("sample") }),
            channel::Request::Dead(Dead { queue: queue("sample"), cursor: 300, limit: 9 }),
            channel::Request::Redrive(Redrive { queue: queue("sample"), cursor: 300, limit: 9 }),
        ];
        requests.into_iter().map(body::<Self>).collect()
    }
}

impl Sampled for GlobalDataWire {
    fn samples() -> Vec<Vec<u8>> {
        let name = key("sample");
        let value = ValueRef::Int(7);
        let expect = Expect::Value(ValueRef::raw("old"));
        let by = Number::Float(0.5);
        let initial = Some(Number::Int(-300));
        let ttl = Ttl::from_millis(300).expect("a short one");
        let expiry = Expiry::After(ttl);
        let lock = LockName::new("sample").expect("a short name");
        let steps = vec![
            Step::Require { key: name, expect },
            Step::Set { key: name, expiry, value },
            Step::Increment { key: name, by, initial, expiry },
            Step::Delete { key: name },
            Step::RequireLock { name: lock, token: 70_000 },
            Step::Modify { key: name, expiry, modification: Modification::Append(b"more") },
        ];
        let topics = vec![WatchTopic::Key(name), WatchTopic::Prefix(name)];
        let keys = vec![name, name];
        let page = Keys { prefix: b"sample", cursor: 1, limit: 999 };
        let bound = Some(Number::Int(300));
        let (least, greatest, clamp) = (bound, bound, true);
        let modify =
            |modification| globaldata::Request::Modify(Modify { key: name, expiry, modification });
        let permits = NonZeroU32::new(300).expect("some");
        let renewals = vec![Renewal { name: lock, token: 70_000, ttl }; 2];
        let field = FieldName::new("field").expect("a short name");
        let (items, keep) = (vec![ValueRef::raw("item"), value], Some(300));
        let look = |question| globaldata::Request::Look(Look { key: name, question });
        let requests = [
            get("sample"),
            globaldata::Request::GetMany(GetMany { keys }),
            write("sample", expect, value),
            write("sample", Expect::Revision(u64::MAX), value),
            increment("sample", by, initial),
            globaldata::Request::Touch(Touch { key: name, ttl: Some(ttl) }),
            globaldata::Request::Delete(Delete { key: name, expect }),
            modify(Modification::Append(b"more")),
            modify(Modification::Prepend(b"more")),
            modify(Modification::Min(by)),
            modify(Modification::Max(by)),
            modify(Modification::AddWithin(AddWithin { by, initial, least, greatest, clamp })),
            modify(Modification::Swap(value)),
            modify(Modification::Take),
            modify(Modification::Push(PushItems { end: End::Back, items: items.clone(), keep })),
            modify(Modification::Pop { end: End::Front, count: 300 }),
            modify(Modification::SetAdd(items.clone())),
            modify(Modification::SetRemove(items.clone())),
            modify(Modification::MapSet(vec![(field, value)])),
            modify(Modification::MapRemove(vec![field])),
            modify(Modification::MapIncrement { field, by, initial }),
            look(Question::Length),
            look(Question::Range { start: -300, count: 300 }),
            look(Question::Contains(items)),
            look(Question::Fields(vec![field])),
            globaldata::Request::Exists(Exists { key: name }),
            globaldata::Request::Batch(Batch { steps }),
            globaldata::Request::Lock(Lock { name: lock, permits, ttl, wait: true }),
            globaldata::Request::Unlock(Unlock { name: lock, token: 70_000 }),
            globaldata::Request::RenewLocks(RenewLocks { renewals }),
            globaldata::Request::Locks(Locks { prefix: b"sample", cursor: 1, limit: 999 }),
            globaldata::Request::Keys(page),
            globaldata::Request::Entries(Entries { prefix: b"sample", cursor: 1, limit: 999 }),
            globaldata::Request::Count(Count { prefix: b"sample", cursor: 1 }),
            watch_again(topics.clone()),
            globaldata::Request::Unwatch(Unwatch { topics }),
        ];
        requests.into_iter().map(body::<Self>).collect()
    }
}

fn watch_again(topics: Vec<WatchTopic<'_>>) -> globaldata::Request<'_> {
    globaldata::Request::Watch(Watch { watch: 1, topics, values: true, after: Some(300) })
}
