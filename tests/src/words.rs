//! Short ways to write requests and pushes, so that suites read as dialogues.

use workyard_protocol::channel::{self, Delivery, Interest, Topic};
use workyard_protocol::globaldata::{self, Expect, Expiry};
use workyard_protocol::{ChannelName, GroupName, Key, Number, Pattern, QueueName, ValueRef};

/// Interest in a channel.
#[must_use]
pub fn channel(name: &str) -> Interest<'_> {
    let name = ChannelName::new(name).expect("a short name");
    Interest { topic: Topic::Channel(name), group: None }
}

/// Interest in all channels of a pattern.
#[must_use]
pub fn pattern(pattern: &str) -> Interest<'_> {
    let pattern = Pattern::new(pattern).expect("a pattern");
    Interest { topic: Topic::Pattern(pattern), group: None }
}

/// The same interest, as one of a queue group.
#[must_use]
pub fn grouped<'a>(interest: Interest<'a>, group: &'a str) -> Interest<'a> {
    Interest { group: Some(GroupName::new(group).expect("a short name")), ..interest }
}

/// Subscribes to one thing.
#[must_use]
pub fn subscribe(interest: Interest<'_>) -> channel::Request<'_> {
    channel::Request::Subscribe(channel::Subscribe::to([interest]))
}

/// Unsubscribes from one thing.
#[must_use]
pub fn unsubscribe(interest: Interest<'_>) -> channel::Request<'_> {
    let interests = vec![interest];
    channel::Request::Unsubscribe(channel::Unsubscribe { interests })
}

/// Publishes bytes.
#[must_use]
pub fn publish<'a>(name: &'a str, value: &'a [u8]) -> channel::Request<'a> {
    channel::Request::Publish(channel::Publish {
        channel: ChannelName::new(name).expect("a short name"),
        value: ValueRef::raw(value),
    })
}

/// Publishes a number.
#[must_use]
pub fn publish_number(name: &str, number: i64) -> channel::Request<'_> {
    channel::Request::Publish(channel::Publish {
        channel: ChannelName::new(name).expect("a short name"),
        value: ValueRef::Int(number),
    })
}

/// Publishes bytes to one subscriber.
#[must_use]
pub fn publish_one<'a>(name: &'a str, value: &'a [u8]) -> channel::Request<'a> {
    channel::Request::PublishOne(channel::PublishOne {
        channel: ChannelName::new(name).expect("a short name"),
        value: ValueRef::raw(value),
    })
}

/// Publishes bytes to several channels.
#[must_use]
pub fn publish_many<'a>(names: &[&'a str], value: &'a [u8]) -> channel::Request<'a> {
    let name = |name: &&'a str| ChannelName::new(*name).expect("a short name");
    channel::Request::PublishMany(channel::PublishMany {
        channels: names.iter().map(name).collect(),
        value: ValueRef::raw(value),
    })
}

/// How a publish is answered.
#[must_use]
pub fn published(receivers: u64) -> channel::Reply<'static> {
    channel::Reply::Published { receivers }
}

/// A message to everybody, of this number.
#[must_use]
pub fn message<'a>(name: &'a str, sequence: u64, value: &'a [u8]) -> channel::Push<'a> {
    delivered(Delivery::Everybody, name, sequence, ValueRef::raw(value))
}

/// A number to everybody, in a message of this number.
#[must_use]
pub fn number_message(name: &str, sequence: u64, number: i64) -> channel::Push<'_> {
    delivered(Delivery::Everybody, name, sequence, ValueRef::Int(number))
}

/// A message to one subscriber, by the publisher's choice.
#[must_use]
pub fn message_to_one<'a>(name: &'a str, value: &'a [u8]) -> channel::Push<'a> {
    delivered(Delivery::One, name, 0, ValueRef::raw(value))
}

/// A message to one of a group, of this number.
#[must_use]
pub fn message_to_group<'a>(
    group: &'a str,
    name: &'a str,
    sequence: u64,
    value: &'a [u8],
) -> channel::Push<'a> {
    let group = GroupName::new(group).expect("a short name");
    delivered(Delivery::Group(group), name, sequence, ValueRef::raw(value))
}

fn delivered<'a>(
    delivery: Delivery<'a>,
    name: &'a str,
    sequence: u64,
    value: ValueRef<'a>,
) -> channel::Push<'a> {
    channel::Push::Message {
        delivery,
        channel: ChannelName::new(name).expect("a short name"),
        sequence,
        position: 0,
        value,
    }
}

/// A queue's name.
#[must_use]
pub fn queue(name: &str) -> QueueName<'_> {
    QueueName::new(name).expect("a short name")
}

/// Stores a job.
#[must_use]
pub fn enqueue<'a>(name: &'a str, value: &'a [u8]) -> channel::Request<'a> {
    channel::Request::Enqueue(channel::Enqueue::new(queue(name), ValueRef::raw(value)))
}

/// How a job that is stored is answered.
#[must_use]
pub fn enqueued(job: u64) -> channel::Reply<'static> {
    channel::Reply::Enqueued { job, duplicate: false }
}

/// Asks for jobs.
#[must_use]
pub fn consume(name: &str, prefetch: u32) -> channel::Request<'_> {
    channel::Request::Consume(channel::Consume { queue: queue(name), prefetch })
}

/// Finishes a job.
#[must_use]
pub fn ack(lease: u64) -> channel::Request<'static> {
    channel::Request::Ack(channel::Ack { lease })
}

/// Gives a job back.
#[must_use]
pub fn nack(lease: u64) -> channel::Request<'static> {
    channel::Request::Nack(channel::Nack::new(lease))
}

/// Prolongs leases.
#[must_use]
pub fn renew(leases: &[u64]) -> channel::Request<'static> {
    channel::Request::Renew(channel::Renew { leases: leases.to_vec() })
}

/// Wants no more jobs.
#[must_use]
pub fn cancel(name: &str) -> channel::Request<'_> {
    channel::Request::Cancel(channel::Cancel { queue: queue(name) })
}

/// Asks for the first page of queues.
#[must_use]
pub fn queues(prefix: &str) -> channel::Request<'_> {
    channel::Request::Queues(channel::Queues { prefix: prefix.as_bytes(), cursor: 0, limit: 1000 })
}

/// A job that is handed out, with the lease that a server gives unless it is set otherwise.
#[must_use]
pub fn job<'a>(
    name: &'a str,
    job: u64,
    attempt: u32,
    lease: u64,
    value: &'a [u8],
) -> channel::Push<'a> {
    let (queue, value) = (queue(name), ValueRef::raw(value));
    channel::Push::Job { queue, job, attempt, lease, lease_ms: 30_000, value }
}

/// A variable's name.
#[must_use]
pub fn key(name: &str) -> Key<'_> {
    Key::new(name).expect("a short name")
}

/// Reads a variable.
#[must_use]
pub fn get(name: &str) -> globaldata::Request<'_> {
    globaldata::Request::Get(globaldata::Get { key: key(name) })
}

/// How a read of a variable that exists is answered.
#[must_use]
pub fn got(revision: u64, value: ValueRef<'_>) -> globaldata::Reply<'_> {
    globaldata::Reply::Got(Some(globaldata::Entry { revision, ttl_ms: None, value }))
}

/// Sets a variable, whatever it was.
#[must_use]
pub fn set<'a>(name: &'a str, value: ValueRef<'a>) -> globaldata::Request<'a> {
    write(name, Expect::Any, value)
}

/// Sets a variable if it is as expected.
#[must_use]
pub fn write<'a>(
    name: &'a str,
    expect: Expect<'a>,
    value: ValueRef<'a>,
) -> globaldata::Request<'a> {
    write_for(name, expect, Expiry::Never, value)
}

/// Sets a variable if it is as expected, and says when it expires.
#[must_use]
pub fn write_for<'a>(
    name: &'a str,
    expect: Expect<'a>,
    expiry: Expiry,
    value: ValueRef<'a>,
) -> globaldata::Request<'a> {
    let key = key(name);
    globaldata::Request::Write(globaldata::Write { key, expect, expiry, value })
}

/// How a write that happened is answered.
#[must_use]
pub fn stored(revision: u64) -> globaldata::Reply<'static> {
    globaldata::Reply::Written(globaldata::Written::Stored { revision })
}

/// How a write that did not happen is answered.
#[must_use]
pub fn conflict(current: u64) -> globaldata::Reply<'static> {
    globaldata::Reply::Written(globaldata::Written::Conflict { current })
}

/// Adds to a variable.
#[must_use]
pub fn increment(name: &str, by: Number, initial: Option<Number>) -> globaldata::Request<'_> {
    let (key, expiry) = (key(name), Expiry::Keep);
    globaldata::Request::Increment(globaldata::Increment { key, by, initial, expiry })
}
