//! What the tests of this client say and hear.

use crate::support::{FakeServer, Frame, Peer};
use workyard_channel::{Builder, ChannelClient};
use workyard_protocol::channel::{
    Delivery, Enqueue, HistoryBounds, Interest, KeepHistory, Nack, Push, Reply, Request, Start,
    Subscribe, Topic, WhenSlow,
};
use workyard_protocol::{ChannelName, QueueName, RequestId, ValueRef};

pub(crate) async fn connected(server: &FakeServer) -> (ChannelClient, Peer) {
    connected_as(server, ChannelClient::builder(server.address())).await
}

pub(crate) async fn connected_as(server: &FakeServer, builder: Builder) -> (ChannelClient, Peer) {
    let (client, peer) = tokio::join!(builder.connect(), server.welcome());
    (client.unwrap(), peer)
}

/// A request in a few words: `subscribe a pattern:b.* c@group`, `consume mails 10`, `ack 7`.
pub(crate) fn in_words(request: &Request<'_>) -> String {
    match request {
        Request::Subscribe(request) => subscribed(request),
        Request::Unsubscribe(request) => format!("unsubscribe {}", interests(&request.interests)),
        Request::Consume(request) => format!("consume {} {}", request.queue, request.prefetch),
        Request::Cancel(request) => format!("cancel {}", request.queue),
        Request::Publish(request) => {
            format!("publish {} {}", request.channel, request.value.to_value())
        }
        Request::PublishOne(request) => {
            format!("publish_one {} {}", request.channel, request.value.to_value())
        }
        Request::PublishMany(request) => {
            format!("publish_many {:?} {}", request.channels, request.value.to_value())
        }
        Request::Ask(request) => {
            let (channel, value) = (request.channel, request.value.to_value());
            let again = if request.repeat { ", repeatable" } else { "" };
            format!("ask {channel} {value} {} ms{again}", request.timeout_ms)
        }
        Request::Answer(request) => {
            let verb = if request.declined { "decline" } else { "answer" };
            format!("{verb} {} {}", request.question, request.value.to_value())
        }
        Request::Serve(request) => {
            let no_more = if request.on { "" } else { "no more " };
            format!("serve {no_more}{}", request.channel)
        }
        Request::Enter(request) => match request.identity {
            Some(identity) => {
                format!("enter {} {}", request.channel, String::from_utf8_lossy(identity))
            }
            None => format!("leave {}", request.channel),
        },
        Request::Presence(request) => {
            format!("presence {} {} {}", request.channel, request.cursor, request.limit)
        }
        Request::FollowPresence(request) => {
            let no_more = if request.on { "" } else { "no more " };
            format!("follow {no_more}{}", request.channel)
        }
        Request::KeepHistory(KeepHistory { pattern, bounds }) => {
            let HistoryBounds { messages_max, bytes_max, age } = bounds;
            format!("keep_history {pattern} {messages_max} {bytes_max} {}", age.as_millis())
        }
        Request::DropHistory(request) => format!("drop_history {}", request.pattern),
        Request::Histories(request) => {
            let prefix = String::from_utf8_lossy(request.prefix);
            format!("histories {prefix:?} {} {}", request.cursor, request.limit)
        }
        about_queues => queues_in_words(about_queues),
    }
}

fn queues_in_words(request: &Request<'_>) -> String {
    match request {
        Request::Ack(request) => format!("ack {}", request.lease),
        Request::Nack(Nack { lease, delay: None, reason: None }) => format!("nack {lease}"),
        Request::Nack(Nack { lease, delay, reason }) => {
            format!("nack {lease} {delay:?} {reason:?}")
        }
        Request::Renew(request) => format!("renew {:?}", request.leases),
        Request::Remove(request) => format!("remove {} {}", request.queue, request.job),
        Request::Configure(request) => {
            format!("configure {} {:?}", request.queue, request.settings)
        }
        Request::Settings(request) => format!("settings {}", request.queue),
        Request::Dead(request) => format!("dead {} {}", request.queue, request.cursor),
        Request::Redrive(request) => format!("redrive {} {}", request.queue, request.cursor),
        Request::Enqueue(request) => {
            let plain = Enqueue::new(request.queue, request.value);
            let special = match *request == plain {
                true => String::new(),
                false => {
                    let (delay, id) = (request.delay.as_millis(), request.id);
                    format!(" in {delay} ms of {} as {id:?}", request.priority)
                }
            };
            format!("enqueue {} {}{special}", request.queue, request.value.to_value())
        }
        Request::Queues(request) => {
            let prefix = String::from_utf8_lossy(request.prefix);
            format!("queues {prefix:?} {} {}", request.cursor, request.limit)
        }
        other => panic!("{other:?} has no words yet"),
    }
}

fn subscribed(request: &Subscribe<'_>) -> String {
    let all: Vec<_> = request.subscriptions.iter().map(|wanted| wanted.interest).collect();
    let starts = request.subscriptions.iter().filter_map(|wanted| match wanted.start {
        Start::Live => None,
        Start::Last { replay, count } => Some(format!(" from the last {count} as {replay}")),
        Start::Resume { replay, epoch, mark } => {
            Some(format!(" from {mark} of {epoch} as {replay}"))
        }
    });
    let policies = request.subscriptions.iter().filter_map(|wanted| match wanted.when_slow {
        WhenSlow::DropNewest => None,
        when_slow => Some(format!(" {when_slow:?}")),
    });
    let (starts, policies) = (starts.collect::<String>(), policies.collect::<String>());
    format!("subscribe {}{starts}{policies}", interests(&all))
}

fn interests(all: &[Interest<'_>]) -> String {
    let mut words: Vec<_> = all.iter().map(interest).collect();
    words.sort_unstable();
    words.join(" ")
}

fn interest(interest: &Interest<'_>) -> String {
    let group = interest.group.map_or(String::new(), |group| format!("@{group}"));
    match interest.topic {
        Topic::Channel(channel) => format!("{channel}{group}"),
        Topic::Pattern(pattern) => format!("pattern:{pattern}{group}"),
    }
}

/// The next request, which must be this one; its id.
pub(crate) async fn hear(peer: &mut Peer, expected: &str) -> RequestId {
    let frame = peer.next().await.unwrap_or_else(|| panic!("hung up instead of {expected}"));
    let (id, words) = read(&frame);
    assert_eq!(words, expected);
    id
}

fn read(frame: &Frame) -> (RequestId, String) {
    let (id, request) = frame.request::<Request<'_>>();
    (id, in_words(&request))
}

/// Hears a request and answers it by `Done`.
pub(crate) async fn grant(peer: &mut Peer, expected: &str) {
    let id = hear(peer, expected).await;
    peer.reply(id, Reply::Done).await;
}

pub(crate) async fn message(peer: &mut Peer, delivery: Delivery<'_>, channel: &str, number: i64) {
    let channel = ChannelName::new(channel).unwrap();
    let (sequence, value) = (number.unsigned_abs() + 1, ValueRef::Int(number));
    peer.push(Push::Message { delivery, channel, sequence, position: 0, value }).await;
}

/// A job whose lease has the same number as it, and lasts for as long as a test.
pub(crate) async fn job(peer: &mut Peer, queue: &str, number: u64) {
    leased(peer, queue, number, 30_000).await;
}

pub(crate) async fn leased(peer: &mut Peer, queue: &str, number: u64, lease_ms: u32) {
    let queue = QueueName::new(queue).unwrap();
    let value = ValueRef::Int(number.cast_signed());
    let (job, lease) = (number, number);
    peer.push(Push::Job { queue, job, attempt: 1, lease, lease_ms, value }).await;
}
