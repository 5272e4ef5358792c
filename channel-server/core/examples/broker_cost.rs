//! Prints what the broker itself costs: time for each operation, memory for each subscription.
//!
//! ```sh
//! cargo run --release -p workyard-channel-core --example broker_cost
//! ```
//!
//! The outbox does nothing with what it is handed, so only the broker's own work is counted.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::hint::black_box;
use std::time::Instant;
use workyard_channel_core::{Broker, BrokerLimits};
use workyard_engine::{Caller, Engine, Outbox, Publication, Route, SessionId, Time};
use workyard_protocol::channel::{
    Ack, ChannelWire, Consume, Enqueue, HistoryBounds, Interest, KeepHistory, Publish, PublishOne,
    Push, Reply, Request, Start, Subscribe, Subscription, Topic, Unsubscribe, WhenSlow,
};
use workyard_protocol::{ChannelName, GroupName, Pattern, QueueName, Refusal, Ttl, ValueRef};

const OPERATIONS: u32 = 500_000;

fn main() {
    println!("nanoseconds for each operation:");
    publish("publish to 1 subscriber", 1, |_| {});
    publish("publish to 100 subscribers", 100, |_| {});
    publish("publish to 100, an unrelated pattern is there", 100, |bench| {
        bench.subscribe(1, pattern("other.*"), None);
    });
    publish("publish to 100, a pattern matches too", 100, |bench| {
        bench.subscribe(1, pattern("bench.>"), None);
    });
    publish("publish to 100 and 1 of a group of 100", 100, |bench| {
        (0..100).for_each(|slot| bench.subscribe(slot, channel("bench.1"), Some("group")));
    });
    publish("publish to 100, the last 1000 are kept", 100, |bench| bench.keep(1000));
    publish("publish to 100, the last is kept", 100, |bench| bench.keep(1));
    publish("publish to nobody, the last 1000 are kept", 0, |bench| bench.keep(1000));
    publish("publish to 100 that hold the newest, all have room", 100, |bench| {
        (0..100).for_each(|slot| bench.hold(slot, channel("bench.1"), WhenSlow::DropOldest));
    });
    publish("publish to 100 that hold the latest, 1 has no room", 100, |bench| {
        (0..100).for_each(|slot| bench.hold(slot, channel("bench.1"), WhenSlow::Latest));
        bench.outbox.without_room = Some(SessionId::new(1, 0));
    });
    publish_in_turn("publish to 2 channels in turn, `>` matches too");
    publish_one("publish_one to 100 subscribers", 100);
    jobs("enqueue, hand out and ack, 1 consumer", 1);
    jobs("enqueue, hand out and ack, 100 consumers", 100);
    backlog("enqueue without consumer, consume, ack");
    replays();
    held("hold a message for a session without room", WhenSlow::DropOldest);
    held("hold the latest of 200 000 channels", WhenSlow::Latest);
    subscriptions();
}

/// A broker and the lease of the last job that was pushed.
struct Bench {
    broker: Broker,
    outbox: Nowhere,
}

#[derive(Default)]
struct Nowhere {
    pushed: Option<(SessionId, u64)>,
    is_full: bool,
    /// One that has no room, while others have.
    without_room: Option<SessionId>,
    /// Of what was published last.
    route: Option<Route>,
}

impl Outbox<ChannelWire> for Nowhere {
    fn reply(&mut self, to: Caller, reply: Reply<'_>) {
        black_box((to, &reply));
    }

    fn refuse(&mut self, _: Caller, refusal: Refusal) {
        panic!("{refusal}");
    }

    fn push(&mut self, to: SessionId, push: Push<'_>) {
        if let Push::Job { lease, .. } = push {
            self.pushed = Some((to, lease));
        }
    }

    fn publish(
        &mut self,
        publication: Publication<'_, Push<'_>>,
        _: impl IntoIterator<Item = SessionId>,
    ) {
        self.route = Some(publication.route);
        black_box(publication);
    }

    fn continues(&mut self, route: Route) -> bool {
        self.route == Some(route)
    }

    fn has_room(&mut self, session: SessionId) -> bool {
        !self.is_full && self.without_room != Some(session)
    }

    fn disconnect(&mut self, session: SessionId, refusal: Refusal) {
        unreachable!("{session} is not slow: {refusal}")
    }
}

impl Bench {
    fn new() -> Self {
        Self { broker: Broker::new(BrokerLimits::default()), outbox: Nowhere::default() }
    }

    fn ask(&mut self, slot: u32, request: Request<'_>) {
        let caller = Caller { session: SessionId::new(slot, 0), request: 1 };
        self.broker.handle(Time::default(), caller, request, &mut self.outbox);
    }

    fn subscribe(&mut self, slot: u32, topic: Topic<'_>, group: Option<&str>) {
        let group = group.map(|name| GroupName::new(name).expect("short"));
        let interest = Interest { topic, group };
        self.ask(slot, Request::Subscribe(Subscribe::to([interest])));
    }

    fn hold(&mut self, slot: u32, topic: Topic<'_>, when_slow: WhenSlow) {
        let live = Subscription::live(Interest { topic, group: None });
        let subscriptions = vec![Subscription { when_slow, ..live }];
        self.ask(slot, Request::Subscribe(Subscribe { subscriptions }));
    }

    fn keep(&mut self, messages_max: u64) {
        let age = Ttl::from_millis(3_600_000).expect("an hour");
        let bounds = HistoryBounds { messages_max, bytes_max: 1 << 20, age };
        let pattern = Pattern::new("bench.*").expect("a pattern");
        self.ask(0, Request::KeepHistory(KeepHistory { pattern, bounds }));
    }

    fn publish(&mut self, name: &str) {
        let channel = ChannelName::new(name).expect("short");
        self.ask(0, Request::Publish(Publish { channel, value: ValueRef::raw("payload") }));
    }
}

fn channel(name: &str) -> Topic<'_> {
    Topic::Channel(ChannelName::new(name).expect("short"))
}

fn pattern(text: &str) -> Topic<'_> {
    Topic::Pattern(Pattern::new(text).expect("a pattern"))
}

fn report(what: &str, count: u32, mut operation: impl FnMut(u32)) {
    let start = Instant::now();
    (0..count).for_each(&mut operation);
    let each = start.elapsed().as_nanos() as f64 / f64::from(count);
    println!("  {each:7.1}  {what}");
}

fn publish(what: &str, subscribers: u32, prepare: impl FnOnce(&mut Bench)) {
    let mut bench = Bench::new();
    (0..subscribers).for_each(|slot| bench.subscribe(slot, channel("bench.1"), None));
    prepare(&mut bench);
    report(what, OPERATIONS, |_| bench.publish(black_box("bench.1")));
}

fn publish_in_turn(what: &str) {
    let mut bench = Bench::new();
    bench.subscribe(0, channel("bench.1"), None);
    bench.subscribe(1, channel("bench.2"), None);
    bench.subscribe(2, pattern(">"), None);
    let names = ["bench.1", "bench.2"];
    report(what, OPERATIONS, |at| bench.publish(black_box(names[at as usize % 2])));
}

fn publish_one(what: &str, subscribers: u32) {
    let mut bench = Bench::new();
    (0..subscribers).for_each(|slot| bench.subscribe(slot, channel("bench.1"), None));
    let name = ChannelName::new("bench.1").expect("short");
    let request = PublishOne { channel: name, value: ValueRef::raw("payload") };
    report(what, OPERATIONS, |_| bench.ask(0, Request::PublishOne(black_box(request))));
}

fn queue() -> QueueName<'static> {
    QueueName::new("bench").expect("short")
}

fn enqueue() -> Request<'static> {
    Request::Enqueue(Enqueue::new(queue(), ValueRef::raw("payload")))
}

fn jobs(what: &str, consumers: u32) {
    let mut bench = Bench::new();
    for slot in 0..consumers {
        bench.ask(slot, Request::Consume(Consume { queue: queue(), prefetch: 1 }));
    }
    report(what, OPERATIONS, |_| {
        bench.ask(0, enqueue());
        let (to, lease) = bench.outbox.pushed.take().expect("a consumer is idle");
        bench.broker.handle(
            Time::default(),
            Caller { session: to, request: 1 },
            Request::Ack(Ack { lease }),
            &mut bench.outbox,
        );
    });
}

fn backlog(what: &str) {
    let mut bench = Bench::new();
    report(what, OPERATIONS, |at| {
        bench.ask(0, enqueue());
        if at + 1 == OPERATIONS {
            bench.ask(0, Request::Consume(Consume { queue: queue(), prefetch: 1000 }));
            for lease in 1..=u64::from(OPERATIONS) {
                bench.ask(0, Request::Ack(Ack { lease }));
            }
        }
    });
}

/// Messages for one session, each on a channel with a name of 14 bytes.
fn held(what: &str, when_slow: WhenSlow) {
    const COUNT: u32 = 200_000;
    let limits = BrokerLimits {
        held_messages_per_subscription_max: COUNT as usize,
        held_bytes_per_subscription_max: usize::MAX,
        held_bytes_max: usize::MAX,
        ..BrokerLimits::default()
    };
    let mut bench = Bench { broker: Broker::new(limits), outbox: Nowhere::default() };
    bench.hold(1, pattern("held.>"), when_slow);
    bench.outbox.is_full = true;
    let before = resident_bytes();
    report(what, COUNT, |at| bench.publish(&format!("held.{at:09}")));
    let used = resident_bytes().zip(before).map(|(after, before)| after.saturating_sub(before));
    if let Some(used) = used {
        println!("bytes for each of these messages: {}", used / u64::from(COUNT));
    }
}

/// A million channels with names of 16 bytes, over a hundred sessions.
fn subscriptions() {
    const COUNT: u32 = 1_000_000;
    let before = resident_bytes();
    let mut bench = Bench::new();
    let mut name = String::new();
    report("subscribe, 1 000 000 channels over 100 sessions", COUNT, |at| {
        use std::fmt::Write;
        name.clear();
        write!(name, "channel-{at:08}").expect("a String takes everything");
        bench.subscribe(at % 100, channel(&name), None);
    });
    let used = resident_bytes().zip(before).map(|(after, before)| after - before);
    report("disconnect with 10 000 subscriptions each", 100, |slot| {
        bench.broker.close(Time::default(), SessionId::new(slot, 0), &mut bench.outbox);
    });
    if let Some(used) = used {
        println!("bytes for each of these subscriptions: {}", used / u64::from(COUNT));
    }
}

/// Twenty thousand replays of patterns whose session does not read.
fn replays() {
    const COUNT: u32 = 20_000;
    let mut bench = Bench::new();
    bench.keep(1);
    bench.outbox.is_full = true;
    report("begin a replay, 20 000 patterns, one session that does not read", COUNT, |at| {
        let (text, start) = (format!("other.{at}"), Start::Last { replay: at + 1, count: 1 });
        let interest = Interest { topic: pattern(&text), group: None };
        let subscription = Subscription { start, ..Subscription::live(interest) };
        bench.ask(0, Request::Subscribe(Subscribe { subscriptions: vec![subscription] }));
    });
    report("publish to nobody beside them, the last is kept", 2000, |_| bench.publish("bench.1"));
    report("end such a subscription", COUNT, |at| {
        let text = format!("other.{at}");
        let interests = vec![Interest { topic: pattern(&text), group: None }];
        bench.ask(0, Request::Unsubscribe(Unsubscribe { interests }));
    });
}

/// Linux only; elsewhere the figure is left out.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
