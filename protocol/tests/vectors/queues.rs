//! Fields of what channel-server hears and says of queues.

use crate::channel::{content, queue};
use crate::json::{bytes, field, flag, integer, integer_of, list, optional, text, variant};
use serde_json::Value as Json;
use workyard_protocol::Delay;
use workyard_protocol::channel::{
    Ack, Backoff, Cancel, Cause, Configure, Consume, Dead, DeadJob, Enqueue, Nack, NackReason,
    PublisherId, QueueSettings, QueueStats, Queues, Redrive, Remove, Renew, Reply, Request,
    Settings, SettingsInForce,
};

/// A request about queues.
pub(crate) fn request(operation: &str, fields: &Json) -> Request<'static> {
    match operation {
        "enqueue" => Request::Enqueue(Enqueue {
            queue: queue(fields),
            delay: delay_of(fields, "delay_ms"),
            priority: integer(fields, "priority"),
            id: optional(fields, "id", publisher_id),
            value: content(fields),
        }),
        "consume" => Request::Consume(Consume {
            queue: queue(fields),
            prefetch: integer(fields, "prefetch"),
        }),
        "ack" => Request::Ack(Ack { lease: integer(fields, "lease") }),
        "nack" => Request::Nack(Nack {
            lease: integer(fields, "lease"),
            delay: optional(fields, "delay_ms", delay),
            reason: optional(fields, "reason", reason),
        }),
        "renew" => Request::Renew(Renew { leases: list(fields, "leases", integer_of) }),
        "cancel" => Request::Cancel(Cancel { queue: queue(fields) }),
        "queues" => Request::Queues(Queues {
            prefix: bytes(field(fields, "prefix")),
            cursor: integer(fields, "cursor"),
            limit: integer(fields, "limit"),
        }),
        "remove" => Request::Remove(Remove { queue: queue(fields), job: integer(fields, "job") }),
        "configure" => {
            Request::Configure(Configure { queue: queue(fields), settings: settings(fields) })
        }
        "settings" => Request::Settings(Settings { queue: queue(fields) }),
        "dead" => Request::Dead(Dead {
            queue: queue(fields),
            cursor: integer(fields, "cursor"),
            limit: integer(fields, "limit"),
        }),
        "redrive" => Request::Redrive(Redrive {
            queue: queue(fields),
            cursor: integer(fields, "cursor"),
            limit: integer(fields, "limit"),
        }),
        other => panic!("no request: {other}"),
    }
}

/// A reply about queues.
pub(crate) fn reply(operation: &str, fields: &Json) -> Reply<'static> {
    match operation {
        "enqueued" => {
            Reply::Enqueued { job: integer(fields, "job"), duplicate: flag(fields, "duplicate") }
        }
        "queues_page" => Reply::Queues {
            cursor: integer(fields, "cursor"),
            queues: list(fields, "queues", stats),
        },
        "renewed" => Reply::Renewed { lost: list(fields, "lost", integer_of) },
        "counted" => {
            Reply::Counted { jobs: integer(fields, "jobs"), cursor: integer(fields, "cursor") }
        }
        "queue_settings" => Reply::Settings {
            own: settings(field(fields, "own")),
            in_force: in_force(field(fields, "in_force")),
        },
        "dead_page" => {
            Reply::Dead { cursor: integer(fields, "cursor"), jobs: list(fields, "jobs", dead_job) }
        }
        other => panic!("no reply: {other}"),
    }
}

fn stats(json: &Json) -> QueueStats<'static> {
    QueueStats {
        queue: queue(json),
        ready: integer(json, "ready"),
        leased: integer(json, "leased"),
        delayed: integer(json, "delayed"),
        dead: integer(json, "dead"),
        consumers: integer(json, "consumers"),
        oldest_ms: integer(json, "oldest_ms"),
    }
}

fn settings(json: &Json) -> QueueSettings {
    QueueSettings {
        lease_ms: optional(json, "lease_ms", integer_of),
        attempts_max: optional(json, "attempts_max", integer_of),
        backoff: optional(json, "backoff", backoff),
        dedup_window: optional(json, "dedup_window_ms", delay),
        jobs_max: optional(json, "jobs_max", integer_of),
        bytes_max: optional(json, "bytes_max", integer_of),
    }
}

fn in_force(json: &Json) -> SettingsInForce {
    SettingsInForce {
        lease_ms: integer(json, "lease_ms"),
        attempts_max: integer(json, "attempts_max"),
        backoff: backoff(&json["backoff"]),
        dedup_window: delay_of(json, "dedup_window_ms"),
        jobs_max: integer(json, "jobs_max"),
        bytes_max: integer(json, "bytes_max"),
    }
}

fn dead_job(json: &Json) -> DeadJob<'static> {
    DeadJob {
        job: integer(json, "job"),
        attempts: integer(json, "attempts"),
        cause: match text(json, "cause") {
            "nack" => Cause::Nack,
            "expiry" => Cause::Expiry,
            "disconnect" => Cause::Disconnect,
            other => panic!("no cause: {other}"),
        },
        reason: optional(json, "reason", reason),
        age_ms: integer(json, "age_ms"),
        size: integer(json, "size"),
    }
}

fn reason(json: &Json) -> NackReason<'static> {
    let text = std::str::from_utf8(bytes(json)).expect("a text");
    NackReason::new(text).expect("a reason within its limit")
}

fn publisher_id(json: &Json) -> PublisherId<'static> {
    PublisherId::new(bytes(json)).expect("an id within its limit")
}

fn delay_of(fields: &Json, name: &str) -> Delay {
    delay(&fields[name])
}

fn delay(json: &Json) -> Delay {
    Delay::from_millis(integer_of(json)).expect("a delay within its limit")
}

fn backoff(json: &Json) -> Backoff {
    if json == "none" {
        return Backoff::None;
    }
    match variant(json) {
        ("fixed", millis) => Backoff::Fixed(delay(millis)),
        ("exponential", both) => Backoff::Exponential {
            first: delay_of(both, "first_ms"),
            max: delay_of(both, "max_ms"),
        },
        other => panic!("no backoff: {other:?}"),
    }
}
