//! Fields of channel-server's messages.

use crate::json::{bytes, field, flag, integer, integer_of, list, optional, text, value, variant};
use crate::service::Service;
use serde_json::Value as Json;
use workyard_protocol::channel::{
    Ack, Answer, Ask, Cancel, Change, ChannelWire, Consume, Delivery, Enqueue, Enter,
    FollowPresence, Interest, Member, Nack, Presence, PresenceChange, PresencePage, Publish,
    PublishMany, PublishOne, Push, Question, QueueStats, Queues, Reply, Request, Serve, Subscribe,
    Topic, Unanswered, UnansweredCause, Unsubscribe,
};
use workyard_protocol::{ChannelName, GroupName, Pattern, QueueName, ValueRef};

impl Service for ChannelWire {
    fn request(operation: &str, fields: &Json) -> Request<'static> {
        match operation {
            "subscribe" => Request::Subscribe(Subscribe { interests: interests(fields) }),
            "unsubscribe" => Request::Unsubscribe(Unsubscribe { interests: interests(fields) }),
            "publish" => {
                Request::Publish(Publish { channel: channel(fields), value: content(fields) })
            }
            "publish_many" => Request::PublishMany(PublishMany {
                channels: list(fields, "channels", channel_name),
                value: content(fields),
            }),
            "publish_one" => {
                Request::PublishOne(PublishOne { channel: channel(fields), value: content(fields) })
            }
            "enqueue" => Request::Enqueue(Enqueue { queue: queue(fields), value: content(fields) }),
            "consume" => Request::Consume(Consume {
                queue: queue(fields),
                prefetch: integer(fields, "prefetch"),
            }),
            "ack" => Request::Ack(Ack { job: integer(fields, "job") }),
            "nack" => Request::Nack(Nack { job: integer(fields, "job") }),
            "cancel" => Request::Cancel(Cancel { queue: queue(fields) }),
            "queues" => Request::Queues(Queues {
                prefix: bytes(field(fields, "prefix")),
                cursor: integer(fields, "cursor"),
                limit: integer(fields, "limit"),
            }),
            "ask" => Request::Ask(Ask {
                channel: channel(fields),
                timeout_ms: integer(fields, "timeout_ms"),
                repeat: flag(fields, "repeat"),
                value: content(fields),
            }),
            "answer" => Request::Answer(answer(fields)),
            "serve" => Request::Serve(Serve { channel: channel(fields), on: flag(fields, "on") }),
            "enter" => Request::Enter(Enter {
                channel: channel(fields),
                identity: optional(fields, "identity", bytes),
            }),
            "presence" => Request::Presence(Presence {
                channel: channel(fields),
                cursor: integer(fields, "cursor"),
                limit: integer(fields, "limit"),
            }),
            "follow_presence" => Request::FollowPresence(FollowPresence {
                channel: channel(fields),
                on: flag(fields, "on"),
            }),
            other => panic!("no request: {other}"),
        }
    }

    fn reply(operation: &str, fields: &Json) -> Reply<'static> {
        match operation {
            "done" => Reply::Done,
            "published" => Reply::Published { receivers: integer(fields, "receivers") },
            "enqueued" => Reply::Enqueued { job: integer(fields, "job") },
            "queues_page" => Reply::Queues {
                cursor: integer(fields, "cursor"),
                queues: list(fields, "queues", stats),
            },
            "asked" => Reply::Asked { question: integer(fields, "question") },
            "presence_page" => Reply::Presence(PresencePage {
                cursor: integer(fields, "cursor"),
                subscribers: integer(fields, "subscribers"),
                pattern_subscribers: integer(fields, "pattern_subscribers"),
                responders: integer(fields, "responders"),
                members: integer(fields, "members"),
                groups: integer(fields, "groups"),
                group_list: list(fields, "group_list", |json| {
                    (group(field(json, "group")), integer(json, "subscriptions"))
                }),
                member_list: list(fields, "member_list", member),
            }),
            other => panic!("no reply: {other}"),
        }
    }

    fn push(operation: &str, fields: &Json) -> Option<Push<'static>> {
        Some(match operation {
            "message" => Push::Message {
                delivery: delivery(field(fields, "delivery")),
                channel: channel(fields),
                sequence: integer(fields, "sequence"),
                value: content(fields),
            },
            "gap" => Push::Gap {
                channel: optional(fields, "channel", channel_name),
                from: integer(fields, "from"),
                to: integer(fields, "to"),
                missed: integer(fields, "missed"),
            },
            "job" => Push::Job {
                queue: queue(fields),
                job: integer(fields, "job"),
                attempt: integer(fields, "attempt"),
                value: content(fields),
            },
            "question" => Push::Question(Question {
                question: integer(fields, "question"),
                channel: channel(fields),
                attempt: integer(fields, "attempt"),
                timeout_ms: integer(fields, "timeout_ms"),
                value: content(fields),
            }),
            "answered" => Push::Answered(answer(fields)),
            "unanswered" => Push::Unanswered(Unanswered {
                question: integer(fields, "question"),
                cause: cause(text(fields, "cause")),
            }),
            "presence_change" => Push::Presence(PresenceChange {
                channel: channel(fields),
                change: change(field(fields, "change")),
            }),
            _ => return None,
        })
    }
}

fn interests(fields: &Json) -> Vec<Interest<'static>> {
    list(fields, "interests", |json| Interest {
        topic: match json.get("pattern") {
            Some(pattern) => Topic::Pattern(Pattern::new(bytes(pattern)).expect("a pattern")),
            None => Topic::Channel(channel(json)),
        },
        group: optional(json, "group", group),
    })
}

fn delivery(json: &Json) -> Delivery<'static> {
    match json.as_str() {
        Some("everybody") => Delivery::Everybody,
        Some("one") => Delivery::One,
        Some(other) => panic!("no delivery: {other}"),
        None => match variant(json) {
            ("group", name) => Delivery::Group(group(name)),
            other => panic!("no delivery: {other:?}"),
        },
    }
}

fn answer(fields: &Json) -> Answer<'static> {
    Answer {
        question: integer(fields, "question"),
        declined: flag(fields, "declined"),
        value: content(fields),
    }
}

fn cause(name: &str) -> UnansweredCause {
    match name {
        "timed_out" => UnansweredCause::TimedOut,
        "responder_gone" => UnansweredCause::ResponderGone,
        "asker_slow" => UnansweredCause::AskerSlow,
        other => panic!("no cause: {other}"),
    }
}

fn member(json: &Json) -> Member<'static> {
    Member { session: integer(json, "session"), identity: bytes(field(json, "identity")) }
}

fn change(json: &Json) -> Change<'static> {
    match json.as_str() {
        Some("missed") => Change::Missed,
        Some(other) => panic!("no change: {other}"),
        None => match variant(json) {
            ("joined", json) => Change::Joined(member(json)),
            ("left", session) => Change::Left { session: integer_of(session) },
            other => panic!("no change: {other:?}"),
        },
    }
}

fn stats(json: &Json) -> QueueStats<'static> {
    QueueStats {
        queue: queue(json),
        ready: integer(json, "ready"),
        leased: integer(json, "leased"),
        consumers: integer(json, "consumers"),
        oldest_ms: integer(json, "oldest_ms"),
    }
}

fn content(fields: &Json) -> ValueRef<'static> {
    value(field(fields, "value"))
}

fn channel(fields: &Json) -> ChannelName<'static> {
    channel_name(field(fields, "channel"))
}

fn channel_name(json: &Json) -> ChannelName<'static> {
    ChannelName::new(bytes(json)).expect("a name within its limit")
}

fn queue(fields: &Json) -> QueueName<'static> {
    QueueName::new(bytes(field(fields, "queue"))).expect("a name within its limit")
}

fn group(json: &Json) -> GroupName<'static> {
    GroupName::new(bytes(json)).expect("a name within its limit")
}
