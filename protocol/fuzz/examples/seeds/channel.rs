//! One example of everything that channel-server hears and says.

use workyard_protocol::channel::{
    Ack, Answer, Ask, Cancel, Change, Consume, Delivery, DropHistory, Enqueue, Enter,
    FollowPresence, Histories, HistoryBounds, HistoryRule, Interest, KeepHistory, Member, Nack,
    Presence, PresenceChange, PresencePage, Publish, PublishMany, PublishOne, Push, Question,
    QueueStats, Queues, Reply, Request, Serve, Start, Subscribe, Subscription, Topic, Unanswered,
    UnansweredCause, Unsubscribe,
};
use workyard_protocol::{Encoding, Pattern, ToClient, Ttl, ValueRef};

use crate::{Seed, channel_name, from_server, group, queue, request};

const JSON: ValueRef<'_> = ValueRef::Encoded { encoding: Encoding::Json, bytes: b"{\"id\":7}" };

pub fn requests() -> Vec<Seed> {
    let text = ValueRef::raw("hello");
    let (orders, jobs) = (channel_name("orders.1"), queue("mail"));
    let channels = vec![orders, channel_name("news")];
    let pattern = Pattern::new("orders.>").expect("a pattern");
    vec![
        request("subscribe", Request::Subscribe(subscribe())),
        request("unsubscribe", Request::Unsubscribe(Unsubscribe { interests: interests() })),
        request("publish", Request::Publish(Publish { channel: orders, value: text })),
        request("publish_many", Request::PublishMany(PublishMany { channels, value: JSON })),
        request(
            "publish_one",
            Request::PublishOne(PublishOne { channel: orders, value: ValueRef::Float(1.5) }),
        ),
        request("enqueue", Request::Enqueue(Enqueue { queue: jobs, value: ValueRef::Int(-1) })),
        request("consume", Request::Consume(Consume { queue: jobs, prefetch: 100 })),
        request("ack", Request::Ack(Ack { job: 300 })),
        request("nack", Request::Nack(Nack { job: 300 })),
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
    let interests = interests().into_iter().chain(interests());
    let subscription = |(interest, start)| Subscription { interest, start };
    Subscribe { subscriptions: interests.zip(starts).map(subscription).collect() }
}

fn bounds() -> HistoryBounds {
    let age = Ttl::from_millis(60_000).expect("a minute");
    HistoryBounds { messages_max: 1000, bytes_max: 1 << 20, age }
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
    let stats =
        QueueStats { queue: queue("mail"), ready: 3, leased: 1, consumers: 2, oldest_ms: 9 };
    let pattern = Pattern::new("orders.>").expect("a pattern");
    let rule = HistoryRule { pattern, bounds: bounds() };
    vec![
        reply("done", Reply::Done),
        reply("published", Reply::Published { receivers: 3 }),
        reply("enqueued", Reply::Enqueued { job: 1 << 40 }),
        reply("subscribed", Reply::Subscribed { marks: vec![0, 300] }),
        reply("histories", Reply::Histories { cursor: 5, rules: vec![rule] }),
        reply("queues", Reply::Queues { cursor: 5, queues: vec![stats, stats] }),
        reply("presence", Reply::Presence(presence_page())),
        reply("asked", Reply::Asked { question: 300 }),
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
        push("job", Push::Job { queue: queue("mail"), job: 1, attempt: 2, value: JSON }),
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
