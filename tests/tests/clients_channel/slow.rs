//! Who reads too slowly loses messages, and is told exactly how many.

use crate::support::{builder, client, daemon, next, next_text};
use std::collections::BTreeMap;
use tokio::runtime::{self, Runtime};
use workyard_channel::{ChannelClient, Event, Events, GapCause, Subscription};
use workyard_protocol::NO_REPLY;
use workyard_tests::clients::{event, within};
use workyard_tests::words::{publish, published};
use workyard_tests::{ChannelPeer, ChannelWire, Daemon, Setup};

#[tokio::test]
async fn a_slow_subscription_loses_its_own_messages_alone() {
    let daemon = daemon();
    let publisher = client(&daemon).await;
    let narrow = builder(&daemon).subscription_messages_max(10).connect().await.unwrap();
    let mut events = narrow.events();
    let mut slow = narrow.subscribe("news").await.unwrap();
    let mut other = narrow.subscribe("other").await.unwrap();
    for round in 0..3 {
        for number in 0..100 {
            publisher.send("news", &number).await.unwrap();
        }
        publisher.publish("other", &round).await.unwrap();
        assert_eq!(next_text(&mut other).await, round.to_string(), "others go on");
        assert_eq!(lost(&mut events, 90).await, [(Some("news".to_owned()), 90)].into());
        let first = next(&mut slow).await;
        assert_eq!((first.decode::<u32>().unwrap(), first.missed_before()), (0, 0));
        for number in 1..10 {
            let message = next(&mut slow).await;
            assert_eq!((message.decode::<u32>().unwrap(), message.missed_before()), (number, 0));
        }
        publisher.publish("news", "after").await.unwrap();
        let after = next(&mut slow).await;
        assert_eq!((after.value().to_string().as_str(), after.missed_before()), ("after", 90));
        publisher.publish("news", "then").await.unwrap();
        assert_eq!(next(&mut slow).await.missed_before(), 0, "it is told once");
    }
}

#[tokio::test]
async fn a_subscription_is_bounded_in_bytes_too() {
    let daemon = daemon();
    let publisher = client(&daemon).await;
    let narrow = builder(&daemon).subscription_bytes_max(64 * 1024).connect().await.unwrap();
    let mut events = narrow.events();
    let mut slow = narrow.subscribe("news").await.unwrap();
    let large = "x".repeat(30 * 1024);
    for _ in 0..12 {
        publisher.publish("news", &large).await.unwrap();
    }
    assert_eq!(lost(&mut events, 10).await.values().sum::<u64>(), 10);
    for _ in 0..2 {
        assert_eq!(next(&mut slow).await.missed_before(), 0);
    }
    let larger = "x".repeat(100 * 1024);
    publisher.publish("news", &larger).await.unwrap();
    let message = next(&mut slow).await;
    assert_eq!((message.decode::<String>().unwrap(), message.missed_before()), (larger, 10));
}

/// What events say was lost here, by channel, once it is as many.
async fn lost(events: &mut Events, count: u64) -> BTreeMap<Option<String>, u64> {
    let mut by_channel = BTreeMap::new();
    while by_channel.values().sum::<u64>() < count {
        let (channel, missed, cause) = event(events, gap).await;
        assert_eq!(cause, GapCause::Subscription);
        *by_channel.entry(channel).or_default() += missed;
    }
    by_channel
}

fn gap(event: Event) -> Option<(Option<String>, u64, GapCause)> {
    match event {
        Event::Gap { channel, numbers, missed, cause } => {
            let numbers = numbers.expect("all of one channel");
            assert_eq!(missed, numbers.end() - numbers.start() + 1);
            let channel = channel.map(|name| String::from_utf8_lossy(&name).into_owned());
            Some((channel, missed, cause))
        }
        _ => None,
    }
}

/// A client whose runtime moves only while it is asked something: between, it is stalled.
pub(crate) struct Stalling {
    pub(crate) runtime: Runtime,
    pub(crate) client: ChannelClient,
    pub(crate) events: Events,
}

/// A subscription, and what is expected of it.
struct Reader {
    subscription: Subscription,
    channels: &'static [&'static str],
    /// The last number that it received or knows to be missing, by channel.
    last: BTreeMap<String, u64>,
    received: u64,
    missed: u64,
}

impl Reader {
    fn new(subscription: Subscription, channels: &'static [&'static str]) -> Self {
        Self { subscription, channels, last: BTreeMap::new(), received: 0, missed: 0 }
    }

    /// Reads until the last of all its channels. A reader of one channel misses exactly the numbers
    /// that are left out; one of several can only tell the sum.
    async fn read_to(&mut self, number: u64) {
        while self.channels.iter().any(|name| self.last.get(*name) != Some(&number)) {
            let message = next(&mut self.subscription).await;
            let text = message.decode::<String>().unwrap();
            let number: u64 = text.trim_end_matches('.').parse().unwrap();
            let last = self.last.entry(message.channel_str().into_owned()).or_default();
            if let [_] = self.channels {
                assert_eq!(
                    (message.sequence(), number),
                    (number, *last + 1 + message.missed_before())
                );
                if message.missed_before() > 0 {
                    let missed = *last + 1..=number - 1;
                    assert_eq!(message.missed_numbers_before(), Some(missed));
                }
            }
            assert!(number > *last, "out of order");
            *last = number;
            self.received += 1;
            self.missed += message.missed_before();
        }
    }
}

impl Stalling {
    pub(crate) fn new(daemon: &Daemon<ChannelWire>) -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(client(daemon));
        Self { runtime, events: client.events(), client }
    }

    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(within(future))
    }
}

/// Publishes these numbers to both channels, far more than a stalled connection holds.
pub(crate) fn flood(publisher: &mut ChannelPeer, numbers: std::ops::Range<u64>) {
    for number in numbers {
        // Two KiB each.
        let text = format!("{number}{}", ".".repeat(2048));
        publisher.send(NO_REPLY, publish("a", text.as_bytes()));
        publisher.send(NO_REPLY, publish("b", text.as_bytes()));
    }
    publisher.expect_silence();
}

#[test]
fn what_the_server_passed_by_is_told_exactly() {
    // A unix socket holds some hundred KiB, whatever the system's settings for TCP are.
    let setup = Setup::<ChannelWire>::new().unix_socket("channel.sock");
    let daemon = setup.flag("--write-buffer-bytes-max", "64KiB").start();
    let mut stalling = Stalling::new(&daemon);
    let subscribe = |name| stalling.run(stalling.client.subscribe(name)).unwrap();
    let mut readers =
        vec![Reader::new(subscribe("a"), &["a"]), Reader::new(subscribe("b"), &["b"])];
    let pattern = stalling.run(stalling.client.subscribe_pattern("*")).unwrap();
    readers.push(Reader::new(pattern, &["a", "b"]));

    let mut publisher = daemon.peer();
    let mut last = 0;
    for _ in 0..3 {
        flood(&mut publisher, last + 1..last + 1000);
        last += 1000;
        stalling.run(stalling.client.ping()).unwrap();
        let text = last.to_string();
        publisher.ask(publish("a", text.as_bytes()), published(1));
        publisher.ask(publish("b", text.as_bytes()), published(1));
        readers.iter_mut().for_each(|reader| stalling.run(reader.read_to(last)));
    }
    for reader in &readers[..2] {
        assert!(reader.missed > 100, "the client was not stalled");
        assert_eq!(reader.received + reader.missed, last);
    }
    let sum = readers[0].missed + readers[1].missed;
    assert_eq!(readers[2].missed, sum);
    let mut told = BTreeMap::new();
    while told.values().sum::<u64>() < sum {
        let (channel, missed, cause) = stalling.runtime.block_on(event(&mut stalling.events, gap));
        assert_eq!(cause, GapCause::Server);
        *told.entry(channel.unwrap()).or_default() += missed;
    }
    let expected = [("a".to_owned(), readers[0].missed), ("b".to_owned(), readers[1].missed)];
    assert_eq!(told, expected.into());
}

#[test]
fn a_stalled_client_is_disconnected_where_that_is_wanted() {
    let setup = Setup::<ChannelWire>::new().unix_socket("channel.sock");
    let setup = setup.flag("--write-buffer-bytes-max", "64KiB");
    let daemon = setup.flag("--slow-consumer", "disconnect").start();
    let mut stalling = Stalling::new(&daemon);
    let mut subscription = stalling.run(stalling.client.subscribe("a")).unwrap();
    let mut publisher = daemon.peer();
    flood(&mut publisher, 1..1000);
    let lost = |event| matches!(event, Event::Disconnected { .. }).then_some(());
    stalling.runtime.block_on(event(&mut stalling.events, lost));
    // It comes back by itself, and knows that something is missing.
    let back = |event| matches!(event, Event::Connected { .. }).then_some(());
    stalling.runtime.block_on(event(&mut stalling.events, back));
    stalling.run(stalling.client.ping()).unwrap();
    publisher.ask(publish("a", b"back"), published(1));
    let interrupted = async {
        loop {
            let message = subscription.next().await.unwrap();
            if *message.value() == workyard_channel::Value::text("back") {
                return message.interrupted_before();
            }
        }
    };
    assert!(stalling.run(interrupted));
}
