//! Subscriptions with history: nothing lost, nothing doubled, in order, or exactly what is gone.

use crate::support::{builder, client, next};
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use workyard_channel::{ChannelClient, Event, Keep, Message, Subscription};
use workyard_tests::clients::{BACKOFF, event, within};
use workyard_tests::{ChannelWire, Daemon, Endpoint, Setup};

const KEEP: Keep =
    Keep { messages_max: 100_000, bytes_max: 1 << 26, age: Duration::from_secs(600) };

fn daemon() -> Daemon<ChannelWire> {
    Setup::new().listen("127.0.0.1:0").start()
}

/// A way to a daemon that can be cut, and closed.
struct Way {
    address: String,
    gate: watch::Sender<Gate>,
}

#[derive(Default)]
struct Gate {
    cuts: u32,
    is_closed: bool,
}

impl Way {
    async fn to(daemon: &Daemon<ChannelWire>) -> Self {
        let Endpoint::Tcp(target) = daemon.endpoint().clone() else { panic!("a TCP address") };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let gate = watch::Sender::new(Gate::default());
        let mut cut = gate.subscribe();
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                if cut.borrow_and_update().is_closed {
                    continue;
                }
                let Ok(mut far) = TcpStream::connect(target).await else { continue };
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = cut.changed() => {}
                }
            }
        });
        Self { address, gate }
    }

    fn cut(&self) {
        self.gate.send_modify(|gate| gate.cuts += 1);
    }

    fn close(&self, is_closed: bool) {
        self.gate.send_modify(|gate| gate.is_closed = is_closed);
    }

    async fn client(&self) -> ChannelClient {
        let builder = ChannelClient::builder(self.address.as_str()).backoff(BACKOFF);
        within(builder.connect()).await.unwrap()
    }
}

/// The number in the next message, before which nothing is missing.
async fn number(subscription: &mut Subscription) -> u64 {
    let message = next(subscription).await;
    assert_eq!((message.missed_before(), message.interrupted_before()), (0, false), "{message:?}");
    message.decode().unwrap()
}

async fn publish(publisher: &ChannelClient, channel: &str, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        publisher.send(channel, &number).await.unwrap();
    }
    publisher.flush().await.unwrap();
}

#[tokio::test]
async fn a_hundred_cuts_lose_nothing_and_double_nothing() {
    const COUNT: u64 = 20_000;
    let daemon = daemon();
    let publisher = client(&daemon).await;
    publisher.keep_history(">", KEEP).await.unwrap();
    let way = Way::to(&daemon).await;
    let subscriber = way.client().await;
    let mut one = subscriber.subscribe("news.1").with_history().await.unwrap();
    let mut two = subscriber.subscribe("news.1").with_history().await.unwrap();
    let mut all = subscriber.subscribe_pattern("news.*").with_history().await.unwrap();
    let publishing = tokio::spawn(async move {
        for number in 0..COUNT {
            publisher.send("news.1", &number).await.unwrap();
            if number % 100 == 99 {
                publisher.flush().await.unwrap();
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    });
    for expected in 0..COUNT {
        assert_eq!(number(&mut one).await, expected);
        assert_eq!(number(&mut two).await, expected);
        assert_eq!(number(&mut all).await, expected);
        if expected % (COUNT / 100) == 7 {
            way.cut();
        }
    }
    publishing.await.unwrap();
    assert_eq!(way.gate.borrow().cuts, 100);
}

#[tokio::test]
async fn the_last_messages_come_first_and_patterns_have_those_of_each_channel() {
    let daemon = daemon();
    let client = client(&daemon).await;
    client.keep_history("log.*", KEEP).await.unwrap();
    publish(&client, "log.a", 0..5).await;
    publish(&client, "log.b", 10..12).await;
    let mut last = client.subscribe("log.a").last(2).await.unwrap();
    assert_eq!([number(&mut last).await, number(&mut last).await], [3, 4]);
    let mut all = client.subscribe_pattern("log.*").last(1).await.unwrap();
    assert_eq!([number(&mut all).await, number(&mut all).await], [4, 11]);
    publish(&client, "log.a", [5]).await;
    assert_eq!([number(&mut last).await, number(&mut all).await], [5, 5]);
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_told_exactly() {
    let daemon = daemon();
    let publisher = client(&daemon).await;
    publisher.keep_history("a", Keep { messages_max: 3, ..KEEP }).await.unwrap();
    let way = Way::to(&daemon).await;
    let subscriber = way.client().await;
    let mut kept = subscriber.subscribe("a").with_history().await.unwrap();
    let mut all = subscriber.subscribe_pattern("*").with_history().await.unwrap();
    let mut unkept = subscriber.subscribe("b").with_history().await.unwrap();
    for channel in ["a", "b"] {
        publish(&publisher, channel, [1]).await;
    }
    assert_eq!([number(&mut kept).await, number(&mut unkept).await], [1, 1]);
    assert_eq!([number(&mut all).await, number(&mut all).await], [1, 1]);
    let mut events = subscriber.events();
    way.close(true);
    event(&mut events, |event| matches!(event, Event::Disconnected { .. }).then_some(())).await;
    publish(&publisher, "a", 2..=10).await;
    publish(&publisher, "b", 2..=5).await;
    way.close(false);
    event(&mut events, |event| matches!(event, Event::Connected { .. }).then_some(())).await;
    for subscription in [&mut kept, &mut all] {
        let first = next(subscription).await;
        assert_eq!((first.sequence(), first.missed_before()), (8, 6));
        assert_eq!(first.missed_numbers_before(), Some(2..=7));
        assert!(!first.interrupted_before());
        assert_eq!([number(subscription).await, number(subscription).await], [9, 10]);
    }
    within(subscriber.ping()).await.unwrap();
    publish(&publisher, "b", [6]).await;
    let first = next(&mut unkept).await;
    assert_eq!((first.sequence(), first.missed_before()), (6, 4));
    assert_eq!(first.missed_numbers_before(), Some(2..=5));
    // A pattern's channel that is not kept: there was a loss, and nobody says how large.
    assert!(next(&mut all).await.interrupted_before());
}

#[tokio::test]
async fn a_restart_of_the_server_is_told_and_nothing_of_the_new_one_is_lost() {
    let mut daemon = Setup::<ChannelWire>::new()
        .listen("127.0.0.1:0")
        .flag("--history", ">=1000,1MiB,1h")
        .start();
    let subscriber = builder(&daemon).connect().await.unwrap();
    let mut one = subscriber.subscribe("a").with_history().await.unwrap();
    let mut all = subscriber.subscribe_pattern("*").with_history().await.unwrap();
    let publisher = client(&daemon).await;
    publish(&publisher, "a", [1, 2]).await;
    for subscription in [&mut one, &mut all] {
        assert_eq!([number(subscription).await, number(subscription).await], [1, 2]);
    }
    drop(publisher);
    daemon.restart();
    let publisher = client(&daemon).await;
    publish(&publisher, "a", [3, 4]).await;
    for subscription in [&mut one, &mut all] {
        let first: Message = next(subscription).await;
        assert_eq!((first.decode::<u64>().unwrap(), first.interrupted_before()), (3, true));
        assert_eq!(number(subscription).await, 4);
    }
}

#[tokio::test]
async fn a_reader_slower_than_its_buffer_loses_nothing() {
    const COUNT: u64 = 2000;
    let daemon = daemon();
    let publisher = client(&daemon).await;
    publisher.keep_history("a", KEEP).await.unwrap();
    let narrow = builder(&daemon).subscription_messages_max(16).connect().await.unwrap();
    let mut slow = narrow.subscribe("a").with_history().await.unwrap();
    let mut plain = narrow.subscribe("a").await.unwrap();
    publish(&publisher, "a", 0..COUNT).await;
    for expected in 0..COUNT {
        assert_eq!(number(&mut slow).await, expected);
    }
    publish(&publisher, "a", [COUNT]).await;
    assert_eq!(number(&mut slow).await, COUNT);
    for expected in 0..16 {
        assert_eq!(number(&mut plain).await, expected);
    }
}

#[tokio::test]
async fn rules_are_made_listed_and_dropped() {
    let daemon = daemon();
    let client = client(&daemon).await;
    client.keep_history("a.>", KEEP).await.unwrap();
    let mut rules = client.histories("");
    let rule = rules.next().await.unwrap().unwrap();
    assert_eq!((rule.pattern_str().as_ref(), rule.keep), ("a.>", KEEP));
    assert!(rules.next().await.is_none());
    client.drop_history("a.>").await.unwrap();
    let error = client.drop_history("a.>").await.unwrap_err();
    assert_eq!(error.reason(), Some(workyard_channel::Reason::UnknownRule));
    let nothing = Keep { messages_max: 0, ..KEEP };
    let error = client.keep_history("a", nothing).await.unwrap_err();
    assert_eq!(error.kind(), workyard_channel::ErrorKind::InvalidArgument);
}
