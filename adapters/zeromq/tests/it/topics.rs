//! PUB and SUB.

use crate::peer::{MOMENT, SOON, address, binds, connects, peer};
use std::time::Duration;
use workyard_testbed::{Port, PythonPeer, eventually};
use workyard_zeromq::{ErrorKind, Message, Publisher, Subscriber};

/// Publishes until somebody has it, as one has to: who subscribes may not have been heard yet.
async fn publish(publisher: &Publisher, message: &str, peers: usize) {
    eventually("it is wanted", async || publisher.send(message).await.unwrap() == peers).await;
}

#[tokio::test]
async fn libzmq_gets_what_it_subscribes_to() {
    let publisher = Publisher::with(binds()).unwrap();
    publisher.ready().await.unwrap();
    let address = publisher.addresses()[0];
    let mut news = peer("SUB", "connect", address, &["SUBSCRIBE=news."]).await;
    let mut all = peer("SUB", "connect", address, &["SUBSCRIBE="]).await;
    publish(&publisher, "news.1", 2).await;
    assert_eq!(publisher.send(Message::of(["weather.1", "rain"])).await.unwrap(), 1);
    assert_eq!(publisher.send(Message::of(["news.2", "more"])).await.unwrap(), 2);
    assert_eq!(after_first(&mut news).await, "news.2|more");
    assert_eq!(after_first(&mut all).await, "weather.1|rain");
    assert_eq!(all.ask("recv").await, "news.2|more");
}

/// What comes after the first, which may have been sent more than once.
async fn after_first(peer: &mut PythonPeer) -> String {
    loop {
        match peer.ask("recv").await {
            first if first == "news.1" => {}
            other => return other,
        }
    }
}

#[tokio::test]
async fn libzmq_publishes_and_prefixes_come_and_go() {
    let port = Port::free();
    let mut libzmq = peer("PUB", "bind", address(&port), &[]).await;
    let subscriber = Subscriber::with(connects(address(&port))).unwrap();
    subscriber.subscribe("a").await.unwrap();
    subscriber.subscribe([0xff]).await.unwrap();
    subscriber.ready().await.unwrap();
    let mut count = 0;
    let mut hears = async |prefix: char, patience: Duration| {
        count += 1;
        libzmq.ask(&format!("send {prefix}{count}")).await;
        let mut expected = vec![u8::try_from(prefix).unwrap()];
        expected.extend_from_slice(count.to_string().as_bytes());
        // Those that came too late for the patience before are passed over.
        while let Ok(message) = subscriber.recv_within(patience).await {
            if message.parts()[0] == expected {
                return true;
            }
        }
        false
    };
    for prefix in ['a', '\u{ff}'] {
        eventually("it is heard", async || hears(prefix, MOMENT).await).await;
    }
    assert!(hears('a', SOON).await && hears('\u{ff}', SOON).await && !hears('b', MOMENT).await);
    subscriber.subscribe("b").await.unwrap();
    eventually("it is heard", async || hears('b', MOMENT).await).await;
    subscriber.subscribe("a").await.unwrap();
    assert!(subscriber.unsubscribe("a").await.unwrap());
    assert!(hears('a', SOON).await, "it was subscribed to twice");
    assert!(subscriber.unsubscribe("a").await.unwrap());
    assert!(!subscriber.unsubscribe("a").await.unwrap());
    assert!(!hears('a', MOMENT).await && hears('b', SOON).await);
    let error = subscriber.subscribe([0; 4097]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn subscriptions_outlive_the_publisher() {
    let port = Port::free();
    let mut libzmq = peer("PUB", "bind", address(&port), &[]).await;
    let mut options = connects(address(&port));
    options.subscribe = vec!["first".to_owned()];
    let subscriber = Subscriber::with(options).unwrap();
    subscriber.ready().await.unwrap();
    subscriber.subscribe("second").await.unwrap();
    for round in 0..3 {
        for text in ["first", "second"] {
            let text = format!("{text} {round}");
            eventually("it is heard", async || {
                libzmq.ask(&format!("send {text}")).await;
                let heard = subscriber.recv_within(MOMENT).await;
                heard.is_ok_and(|message| message == text.as_str().into())
            })
            .await;
        }
        assert_eq!(libzmq.ask("send third").await, "sent");
        libzmq.process.kill().await;
        eventually("its end is noticed", async || subscriber.peers() == 0).await;
        libzmq.start_again().await;
        assert_eq!(libzmq.line().await, "ready");
        subscriber.ready().await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_subscriber_misses_messages_which_is_counted_and_nobody_waits() {
    let mut options = binds();
    options.send_queue_max = 5;
    let publisher = Publisher::with(options).unwrap();
    publisher.ready().await.unwrap();
    let slow = peer("SUB", "connect", publisher.addresses()[0], &["SUBSCRIBE=", "RCVHWM=1"]).await;
    let mut quick = peer("SUB", "connect", publisher.addresses()[0], &["SUBSCRIBE=last"]).await;
    eventually("both are there", async || publisher.send("last").await.unwrap() == 2).await;
    slow.process.pause().await;
    let large = vec![7; 1 << 20];
    eventually("messages are missed", async || {
        publisher.send(large.clone()).await.unwrap();
        publisher.dropped() > 10
    })
    .await;
    assert_eq!(quick.ask("recv").await, "last");
    slow.process.resume();
}

#[tokio::test]
async fn subscribers_of_the_same_identity_leave_each_other_alone() {
    let publisher = Publisher::with(binds()).unwrap();
    publisher.ready().await.unwrap();
    let address = publisher.addresses()[0];
    let subscriber = || {
        let mut options = connects(address);
        options.identity = "app".to_owned();
        options.subscribe = vec!["news".to_owned()];
        Subscriber::with(options).unwrap()
    };
    let (first, second) = (subscriber(), subscriber());
    first.ready().await.unwrap();
    second.ready().await.unwrap();
    let mut libzmq = peer("SUB", "connect", address, &["IDENTITY=app", "SUBSCRIBE=news"]).await;
    publish(&publisher, "news.1", 3).await;
    for subscriber in [&first, &second] {
        assert_eq!(subscriber.recv_within(SOON).await.unwrap(), "news.1".into());
    }
    assert_eq!(libzmq.ask("recv").await, "news.1");
    assert_eq!((publisher.peers(), publisher.stats().connected), (3, 3));
}

#[tokio::test]
async fn many_prefixes_between_two_of_our_own() {
    let publisher = Publisher::with(binds()).unwrap();
    publisher.ready().await.unwrap();
    let subscriber = Subscriber::with(connects(publisher.addresses()[0])).unwrap();
    for number in 0..500 {
        subscriber.subscribe(format!("topic-{number}.")).await.unwrap();
    }
    subscriber.ready().await.unwrap();
    publish(&publisher, "topic-499.a", 1).await;
    assert_eq!(subscriber.recv_within(SOON).await.unwrap(), "topic-499.a".into());
    assert_eq!(publisher.send("topic-500.a").await.unwrap(), 0);
    assert_eq!(publisher.send("topic-7").await.unwrap(), 0);
    assert_eq!(publisher.send("topic-7.").await.unwrap(), 1);
}
