//! Fields of channel-server's messages.

use crate::json::{bytes, field, flag, integer, integer_of, list, optional, text, value, variant};
use crate::queues;
use crate::service::Service;
use serde_json::Value as Json;
use workyard_protocol::channel::{
    Answer, Ask, Change, ChannelWire, Delivery, DropHistory, Enter, FollowPresence, Histories,
    HistoryBounds, HistoryRule, Interest, KeepHistory, Member, Presence, PresenceChange,
    PresencePage, Publish, PublishMany, PublishOne, Push, Question, Reply, Request, Serve, Start,
    Subscribe, Subscription, Topic, Unanswered, UnansweredCause, Unsubscribe, WhenSlow,
};
use workyard_protocol::{ChannelName, GroupName, Pattern, QueueName, Ttl, ValueRef};

impl Service for ChannelWire {
    fn request(operation: &str, fields: &Json) -> Request<'static> {
        match operation {
            "subscribe" => Request::Subscribe(Subscribe {
                subscriptions: list(fields, "interests", |json| Subscription {
                    interest: interest(json),
                    start: start(field(json, "start")),
                    when_slow: when_slow(field(json, "when_slow")),
                }),
            }),
            "unsubscribe" => {
                Request::Unsubscribe(Unsubscribe { interests: list(fields, "interests", interest) })
            }
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
            "keep_history" => Request::KeepHistory(KeepHistory {
                pattern: pattern(fields),
                bounds: bounds(fields),
            }),
            "drop_history" => Request::DropHistory(DropHistory { pattern: pattern(fields) }),
            "histories" => Request::Histories(Histories {
                prefix: bytes(field(fields, "prefix")),
                cursor: integer(fields, "cursor"),
                limit: integer(fields, "limit"),
            }),
            other => queues::request(other, fields),
        }
    }

    fn reply(operation: &str, fields: &Json) -> Reply<'static> {
        match operation {
            "done" => Reply::Done,
            "published" => Reply::Published { receivers: integer(fields, "receivers") },
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
            "subscribed" => Reply::Subscribed { marks: list(fields, "marks", integer_of) },
            "histories_page" => Reply::Histories {
                cursor: integer(fields, "cursor"),
                rules: list(fields, "rules", |json| HistoryRule {
                    pattern: pattern(json),
                    bounds: bounds(json),
                }),
            },
            other => queues::reply(other, fields),
        }
    }

    fn push(operation: &str, fields: &Json) -> Option<Push<'static>> {
        Some(match operation {
            "message" => Push::Message {
                delivery: delivery(field(fields, "delivery")),
                channel: channel(fields),
                sequence: integer(fields, "sequence"),
                position: integer(fields, "position"),
                value: content(fields),
            },
            "gap" => Push::Gap {
                channel: optional(fields, "channel", channel_name),
                from: integer(fields, "from"),
                to: integer(fields, "to"),
                missed: integer(fields, "missed"),
                replay: integer(fields, "replay"),
            },
            "job" => Push::Job {
                queue: queue(fields),
                job: integer(fields, "job"),
                attempt: integer(fields, "attempt"),
                lease: integer(fields, "lease"),
                lease_ms: integer(fields, "lease_ms"),
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
            "replayed" => Push::Replayed {
                replay: integer(fields, "replay"),
                channel: channel(fields),
                sequence: integer(fields, "sequence"),
                position: integer(fields, "position"),
                value: content(fields),
            },
            "caught_up" => {
                Push::CaughtUp { replay: integer(fields, "replay"), mark: integer(fields, "mark") }
            }
            _ => return None,
        })
    }
}

fn interest(json: &Json) -> Interest<'static> {
    Interest {
        topic: match json.get("pattern") {
            Some(_) => Topic::Pattern(pattern(json)),
            None => Topic::Channel(channel(json)),
        },
        group: optional(json, "group", group),
    }
}

fn start(json: &Json) -> Start {
    if json.as_str() == Some("live") {
        return Start::Live;
    }
    match variant(json) {
        ("last", fields) => {
            Start::Last { replay: integer(fields, "replay"), count: integer(fields, "count") }
        }
        ("resume", fields) => Start::Resume {
            replay: integer(fields, "replay"),
            epoch: integer(fields, "epoch"),
            mark: integer(fields, "mark"),
        },
        other => panic!("no start: {other:?}"),
    }
}

fn when_slow(json: &Json) -> WhenSlow {
    match json.as_str() {
        Some("drop_newest") => WhenSlow::DropNewest,
        Some("latest") => WhenSlow::Latest,
        Some("drop_oldest") => WhenSlow::DropOldest,
        Some("disconnect") => WhenSlow::Disconnect,
        other => panic!("nothing for the slow: {other:?}"),
    }
}

fn pattern(fields: &Json) -> Pattern<'static> {
    Pattern::new(bytes(field(fields, "pattern"))).expect("a pattern")
}

fn bounds(fields: &Json) -> HistoryBounds {
    HistoryBounds {
        messages_max: integer(fields, "messages_max"),
        bytes_max: integer(fields, "bytes_max"),
        age: Ttl::from_millis(integer(fields, "age_ms")).expect("an age"),
    }
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

pub(crate) fn content(fields: &Json) -> ValueRef<'static> {
    value(field(fields, "value"))
}

fn channel(fields: &Json) -> ChannelName<'static> {
    channel_name(field(fields, "channel"))
}

fn channel_name(json: &Json) -> ChannelName<'static> {
    ChannelName::new(bytes(json)).expect("a name within its limit")
}

pub(crate) fn queue(fields: &Json) -> QueueName<'static> {
    QueueName::new(bytes(field(fields, "queue"))).expect("a name within its limit")
}

fn group(json: &Json) -> GroupName<'static> {
    GroupName::new(bytes(json)).expect("a name within its limit")
}
