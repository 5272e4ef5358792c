//! The paths of channel-server.

use crate::driver::{Bytes, Driver};
use crate::{Path, Step};
use workyard_channel_core::{Broker, BrokerLimits};
use workyard_protocol::channel::{
    Ack, ChannelWire, Consume, Enqueue, HistoryBounds, Interest, KeepHistory, Publish, PublishOne,
    Push, Request, Subscribe, Topic, Unsubscribe,
};
use workyard_protocol::{ChannelName, Pattern, QueueName, ToClient, Ttl, ValueRef, Wire};

const VALUE: [u8; 64] = [b'v'; 64];

pub(crate) const PATHS: &[Path] = &[
    Path { name: "publish/1", prepare: || publish(1, |_| {}) },
    Path { name: "publish/100", prepare: || publish(100, |_| {}) },
    Path { name: "publish/pattern", prepare: || publish(1, with_pattern) },
    Path { name: "publish/kept", prepare: || publish(1, kept) },
    Path { name: "publish/two-in-turn", prepare: publish_in_turn },
    Path { name: "publish-one/100", prepare: publish_one },
    Path { name: "subscribe-and-end", prepare: subscribe_and_end },
    Path { name: "job", prepare: job },
];

type Channels = Driver<Broker>;

fn subscribed(names: &[&str], subscribers: u32) -> Channels {
    let mut driver = Driver::new(Broker::new(BrokerLimits::default()));
    for slot in 0..subscribers {
        for name in names {
            driver.ask(slot, subscribe(Topic::Channel(channel(name))));
        }
    }
    driver
}

fn publish(subscribers: u32, more: fn(&mut Channels)) -> Step {
    let mut driver = subscribed(&["bench.1"], subscribers);
    more(&mut driver);
    let frame = publication("bench.1");
    Box::new(move || driver.walk(0, &frame))
}

fn with_pattern(driver: &mut Channels) {
    let pattern = Pattern::new("bench.>").expect("a pattern");
    driver.ask(1, subscribe(Topic::Pattern(pattern)));
}

fn kept(driver: &mut Channels) {
    let age = Ttl::from_millis(3_600_000).expect("an hour");
    let bounds = HistoryBounds { messages_max: 100, bytes_max: 1 << 20, age };
    let pattern = Pattern::new("bench.*").expect("a pattern");
    driver.ask(0, Request::KeepHistory(KeepHistory { pattern, bounds }));
}

fn publish_in_turn() -> Step {
    let mut driver = subscribed(&["bench.1", "bench.2"], 1);
    let frames = [publication("bench.1"), publication("bench.2")];
    let mut turn = 0;
    Box::new(move || {
        turn ^= 1;
        driver.walk(0, &frames[turn]);
    })
}

fn publish_one() -> Step {
    let mut driver = subscribed(&["bench.1"], 100);
    let request = PublishOne { channel: channel("bench.1"), value: ValueRef::raw(&VALUE) };
    let frame = Bytes::of(1, Request::PublishOne(request));
    Box::new(move || driver.walk(0, &frame))
}

fn subscribe_and_end() -> Step {
    let mut driver = subscribed(&["bench.1"], 10);
    let topic = Topic::Channel(channel("bench.2"));
    let interests = vec![Interest { topic, group: None }];
    let frames = [
        Bytes::of(1, subscribe(topic)),
        Bytes::of(2, Request::Unsubscribe(Unsubscribe { interests })),
    ];
    Box::new(move || frames.iter().for_each(|frame| driver.walk(3, frame)))
}

/// Enqueued, handed out and acknowledged.
fn job() -> Step {
    let queue = QueueName::new("bench").expect("short");
    let mut driver = Driver::new(Broker::new(BrokerLimits::default()));
    driver.ask(1, Request::Consume(Consume { queue, prefetch: 10 }));
    let enqueue = Enqueue::new(queue, ValueRef::raw(&VALUE));
    let enqueue = Bytes::unanswered(Request::Enqueue(enqueue));
    Box::new(move || {
        driver.walk(0, &enqueue);
        let lease = handed_out(&driver.said().last);
        driver.walk_new(1, 3, Request::Ack(Ack { lease }));
    })
}

fn handed_out(frame: &[u8]) -> u64 {
    type Said<'a> = ToClient<'a, <ChannelWire as Wire>::Reply<'a>, <ChannelWire as Wire>::Push<'a>>;
    match Said::decode(frame) {
        Ok(ToClient::Push(Push::Job { lease, .. })) => lease,
        other => panic!("it is handed out at once, but {other:?}"),
    }
}

fn publication(name: &str) -> Bytes {
    let request = Publish { channel: channel(name), value: ValueRef::raw(&VALUE) };
    Bytes::unanswered(Request::Publish(request))
}

fn subscribe(topic: Topic<'_>) -> Request<'_> {
    Request::Subscribe(Subscribe::to([Interest { topic, group: None }]))
}

fn channel(name: &str) -> ChannelName<'_> {
    ChannelName::new(name).expect("short")
}
