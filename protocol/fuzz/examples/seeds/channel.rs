//! One example of everything that channel-server hears and says.

use workyard_protocol::channel::{
    Ack, Answer, Ask, Backoff, Cancel, Cause, Change, Configure, Consume, Dead, DeadJob, Delivery,
    DropHistory, Enqueue, Enter, FollowPresence, Histories, HistoryBounds, HistoryRule, Interest,
    KeepHistory, Member, Nack, NackReason, Presence, PresenceChange, PresencePage, Publish,
    PublishMany, PublishOne, PublisherId, Push, Question, QueueSettings, QueueStats, Queues,
    Redrive, Remove, Renew, Reply, Request, Serve, Settings, SettingsInForce, Start, Subscribe,
    Subscription, Topic, Unanswered, UnansweredCause, Unsubscribe, WhenSlow,
};
use workyard_protocol::{Delay, Encoding, Pattern, ToClient, Ttl, ValueRef};

use crate::{Seed, channel_name, from_server, group, queue, request};

const JSON: ValueRef<'_> = ValueRef::Encoded { encoding: Encoding::Json, bytes: b"{\"id\":7}" };

pub fn requests() -> Vec<Seed> {
    let text = ValueRef::raw("hello");
    let (orders, jobs) = (channel_name("orders.1"), queue("mail"));
    let channels = vec![orders, channel_name("news")];
    let pattern = Pattern::new("orders.>").expect("a pattern");
    let delay = Delay::from_millis(70_000).expect("a short one");
    let id = PublisherId::new("order-17").ok();
    let reason = NackReason::new("no route").ok();
    vec![
        request("subscribe", Request::Subscribe(subscribe())),
        request("unsubscribe", Request::Unsubscribe(Unsubscribe { interests: interests() })),
        request("publish", Request::Publish(Publish { channel: orders, value: text })),
        request("publish_many", Request::PublishMany(PublishMany { channels, value: JSON })),
        request(
            "publish_one",
            Request::PublishOne(PublishOne { channel: orders, value: ValueRef::Float(1.5) }),
        ),
        request("enqueue", Request::Enqueue(Enqueue::new(jobs, ValueRef::Int(-1)))),
        request(
            "enqueue_special",
            Request::Enqueue(Enqueue { delay, priority: 7, id, ..Enqueue::new(jobs, JSON) }),
        ),
        request("consume", Request::Consume(Consume { queue: jobs, prefetch: 100 })),
        request("ack", Request::Ack(Ack { lease: 300 })),
        request("nack", Request::Nack(Nack::new(300))),
        request("nack_because", Request::Nack(Nack { lease: 1, delay: Some(delay), reason })),
        request("renew", Request::Renew(Renew { leases: vec![1, 300, 70_000] })),
        request("remove", Request::Remove(Remove { queue: jobs, job: 300 })),
        request("configure", Request::Configure(Configure { queue: jobs, settings: settings() })),
        request("settings", Request::Settings(Settings { queue: jobs })),
        request("dead", Request::Dead(Dead { queue: jobs, cursor: 300, limit: 10 })),
        request("redrive", Request::Redrive(Redrive { queue: jobs, cursor: 0, limit: 10_000 })),
        request("cancel", Request::Cancel(Cancel { queue: jobs })),
        request("keep_history", Request::KeepHistory(KeepHistory { pattern, bounds: bounds() })),
        request("drop_history", Request::DropHistory(DropHistory { pattern })),
        request("histories", Request::Histories(Histories { prefix: b"o", cursor: 1, limit: 9 })),
        request("queues", Request::Queues(Queues { prefix: b"m", cursor: 70_000, limit: 10 })),
        request(
            "ask",
            Request::Ask(Ask { channel: orders, timeout_ms: 5000, repeat: true, value: JSON }),
        ),
        request("answer", Request::Answer(Answer { question: 300, declined: false, value: text })),
        request("enter", Request::Enter(Enter { channel: orders, identity: Some(b"tom") })),
        request(
            "presence",
            Request::Presence(Presence { channel: orders, cursor: 300, limit: 10 }),
        ),
        request(
            "follow_presence",
            Request::FollowPresence(FollowPresence { channel: orders, on: true }),
        ),
        request("serve", Request::Serve(Serve { channel: orders, on: true })),
    ]
}

fn subscribe() -> Subscribe<'static> {
    let starts = [
        Start::Last { replay: 1, count: 300 },
        Start::Live,
        Start::Resume { replay: 70_000, epoch: 1 << 40, mark: 7 },
    ];
    let all = interests().into_iter().chain(interests());
    let from = |(interest, start)| Subscription { start, ..Subscription::live(interest) };
    let held =
        |interest| Subscription { when_slow: WhenSlow::DropOldest, ..Subscription::live(interest) };
    let held = interests().into_iter().map(held);
    Subscribe { subscriptions: all.zip(starts).map(from).chain(held).collect() }
}

fn bounds() -> HistoryBounds {
    let age = Ttl::from_millis(60_000).expect("a minute");
    HistoryBounds { messages_max: 1000, bytes_max: 1 << 20, age }
}

fn settings() -> QueueSettings {
    let delay = |millis| Delay::from_millis(millis).expect("a short one");
    QueueSettings {
        lease_ms: Some(60_000),
        attempts_max: Some(5),
        backoff: Some(Backoff::Exponential { first: delay(1000), max: delay(60_000) }),
        dedup_window: Some(Delay::NONE),
        jobs_max: Some(1000),
        bytes_max: Some(1 << 20),
    }
}

fn in_force() -> SettingsInForce {
    SettingsInForce {
        lease_ms: 30_000,
        attempts_max: 10,
        backoff: Backoff::None,
        dedup_window: Delay::NONE,
        jobs_max: 10_000_000,
        bytes_max: 1 << 30,
    }
}

fn interests() -> Vec<Interest<'static>> {
    let pattern = Pattern::new("orders.*.>").expect("a pattern");
    vec![
        Interest { topic: Topic::Channel(channel_name("news")), group: None },
        Interest { topic: Topic::Pattern(pattern), group: Some(group("workers")) },
    ]
}

const TOM: Member<'_> = Member { session: 1 << 32, identity: b"tom" };

fn presence_page() -> PresencePage<'static> {
    PresencePage {
        cursor: 300,
        subscribers: 1,
        pattern_subscribers: 2,
        responders: 3,
        members: 4,
        groups: 1,
        group_list: vec![(group("workers"), 5)],
        member_list: vec![TOM, TOM],
    }
}

pub fn replies() -> Vec<Seed> {
    let pattern = Pattern::new("orders.>").expect("a pattern");
    let rule = HistoryRule { pattern, bounds: bounds() };
    let stats = QueueStats {
        queue: queue("mail"),
        ready: 3,
        leased: 1,
        delayed: 300,
        dead: 4,
        consumers: 2,
        oldest_ms: 9,
    };
    let dead = |cause, reason: Option<&'static str>| DeadJob {
        job: 300,
        attempts: 10,
        cause,
        reason: reason.map(|text| NackReason::new(text).expect("a short one")),
        age_ms: 70_000,
        size: 64,
    };
    vec![
        reply("done", Reply::Done),
        reply("published", Reply::Published { receivers: 3 }),
        reply("enqueued", Reply::Enqueued { job: 1 << 40, duplicate: true }),
        reply("subscribed", Reply::Subscribed { marks: vec![0, 300] }),
        reply("histories", Reply::Histories { cursor: 5, rules: vec![rule] }),
        reply("queues", Reply::Queues { cursor: 5, queues: vec![stats, stats] }),
        reply("presence", Reply::Presence(presence_page())),
        reply("asked", Reply::Asked { question: 300 }),
        reply("renewed", Reply::Renewed { lost: vec![1, 300] }),
        reply("counted", Reply::Counted { jobs: 300, cursor: 70_000 }),
        reply("settings", Reply::Settings { own: settings(), in_force: in_force() }),
        reply(
            "dead",
            Reply::Dead {
                cursor: 301,
                jobs: vec![dead(Cause::Nack, Some("no route")), dead(Cause::Disconnect, None)],
            },
        ),
    ]
}

pub fn pushes() -> Vec<Seed> {
    let (channel, value) = (channel_name("news"), ValueRef::raw("hello"));
    let question = Question { question: 300, channel, attempt: 2, timeout_ms: 5000, value };
    let changed = |change| Push::Presence(PresenceChange { channel, change });
    let cause = UnansweredCause::ResponderGone;
    let message =
        |delivery, sequence| Push::Message { delivery, channel, sequence, position: 9, value };
    vec![
        push("message", message(Delivery::Everybody, 70_000)),
        push("message_one", message(Delivery::One, 0)),
        push("message_group", message(Delivery::Group(group("workers")), 3)),
        push(
            "gap",
            Push::Gap { channel: Some(channel), from: 300, to: 311, missed: 12, replay: 0 },
        ),
        push(
            "gap_of_many",
            Push::Gap { channel: None, from: 0, to: 0, missed: 1 << 20, replay: 3 },
        ),
        push("replayed", Push::Replayed { replay: 7, channel, sequence: 1, position: 2, value }),
        push("caught_up", Push::CaughtUp { replay: 7, mark: 300 }),
        push(
            "job",
            Push::Job {
                queue: queue("mail"),
                job: 1,
                attempt: 2,
                lease: 300,
                lease_ms: 30_000,
                value: JSON,
            },
        ),
        push("presence_joined", changed(Change::Joined(TOM))),
        push("presence_left", changed(Change::Left { session: TOM.session })),
        push("presence_missed", changed(Change::Missed)),
        push("question", Push::Question(question)),
        push("answered", Push::Answered(Answer { question: 300, declined: true, value })),
        push("unanswered", Push::Unanswered(Unanswered { question: 300, cause })),
    ]
}

fn reply(name: &'static str, reply: Reply<'_>) -> Seed {
    from_server(name, &ToClient::<_, Push<'_>>::Reply(7, reply))
}

fn push(name: &'static str, push: Push<'_>) -> Seed {
    from_server(name, &ToClient::<Reply<'_>, _>::Push(push))
}
