//! Who gets which message, and what happens to subscriptions over time.

use crate::peer::{VERSIONS, client, client_at, is_silent, lasting, next, publish};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;
use workyard_mqtt::{Acknowledge, ErrorKind, Overflow, Qos, State, Subscribe};
use workyard_testbed::{Mosquitto, Relay, eventually};

#[tokio::test]
async fn overlapping_filters_get_each_message_once() {
    for (copies, version) in
        [(false, VERSIONS[0]), (true, VERSIONS[0]), (false, VERSIONS[1]), (true, VERSIONS[1])]
    {
        let line = format!("allow_duplicate_messages {copies}");
        let broker = Mosquitto::setup().line(&line).start().await;
        let mqtt = client(&broker, |options| {
            options.version = version;
            options.overlapping_copies = copies;
        });
        let mut subscriptions = Vec::new();
        for filter in ["a/#", "a/+", "+/b", "a/b", "a/b", "#"] {
            subscriptions.push(mqtt.subscribe(filter, Qos::AtLeastOnce).await.unwrap());
        }
        for text in ["1", "1", "2"] {
            publish(broker.address(), &["-t", "a/b", "-m", text, "-q", "1"]).await;
        }
        for subscription in &mut subscriptions {
            let mut texts = Vec::new();
            for _ in 0..3 {
                texts.push(next(subscription).await.text());
            }
            assert_eq!(texts, ["1", "1", "2"], "{} {version:?}", subscription.filter());
            assert!(is_silent(subscription).await, "{} {version:?}", subscription.filter());
        }
    }
}

#[tokio::test]
async fn retained_messages_come_with_the_subscription() {
    let broker = Mosquitto::start().await;
    for version in VERSIONS {
        let mqtt = client(&broker, |options| options.version = version);
        mqtt.publish("r/1", "kept", Qos::AtLeastOnce, true).await.unwrap();
        let mut subscription = mqtt.subscribe("r/+", Qos::AtLeastOnce).await.unwrap();
        let message = next(&mut subscription).await;
        assert_eq!((message.text(), message.retain), ("kept".to_owned(), true));
        mqtt.publish("r/1", "", Qos::AtLeastOnce, true).await.unwrap();
        assert!(!next(&mut subscription).await.retain);
        let mut other = mqtt.subscribe("r/1", Qos::AtLeastOnce).await.unwrap();
        assert!(is_silent(&mut other).await);
    }
}

#[tokio::test]
async fn shared_subscriptions_share() {
    let broker = Mosquitto::start().await;
    let clients = VERSIONS.map(|version| client(&broker, |options| options.version = version));
    let mut subscriptions = Vec::new();
    for mqtt in &clients {
        subscriptions.push(mqtt.subscribe("$share/group/w/+", Qos::AtLeastOnce).await.unwrap());
    }
    for number in 0..10 {
        clients[0].publish("w/x", number.to_string(), Qos::AtLeastOnce, false).await.unwrap();
    }
    let mut texts = Vec::new();
    for subscription in &mut subscriptions {
        for _ in 0..5 {
            texts.push(next(subscription).await.text());
        }
        assert!(is_silent(subscription).await);
    }
    texts.sort_unstable();
    assert_eq!(texts, (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_the_broker_says_of_itself_is_heard_by_name_only() {
    let broker = Mosquitto::setup().line("sys_interval 1").start().await;
    let mqtt = client(&broker, |_| ());
    let mut all = mqtt.subscribe("#", Qos::AtMostOnce).await.unwrap();
    let mut own = mqtt.subscribe("$SYS/broker/uptime", Qos::AtMostOnce).await.unwrap();
    assert_eq!(next(&mut own).await.topic, "$SYS/broker/uptime");
    assert!(is_silent(&mut all).await);
}

#[tokio::test]
async fn a_dropped_subscription_ends_at_the_broker() {
    let broker = Mosquitto::start().await;
    let mqtt = client(&broker, |_| ());
    drop(mqtt.subscribe("gone", Qos::AtMostOnce).await.unwrap());
    mqtt.subscribe("told", Qos::AtMostOnce).await.unwrap().unsubscribe().await.unwrap();
    let log = broker.process.log();
    assert_eq!(log.matches("Received UNSUBSCRIBE").count(), 2, "{log}");
}

#[tokio::test]
async fn subscriptions_come_back_with_the_connection() {
    for version in VERSIONS {
        let mut broker = Mosquitto::start().await;
        let relay = Relay::to(broker.address()).await;
        let url = broker.url_at(relay.address());
        let mqtt = client_at(&url, |options| options.version = version);
        let mut subscriptions = Vec::new();
        for number in 0..100 {
            let filter = format!("f/{number}");
            subscriptions.push(mqtt.subscribe(filter, Qos::AtLeastOnce).await.unwrap());
        }
        relay.cut();
        broker.process.kill().await;
        broker.process.start_again().await;
        // Goes on only once all of them are restored.
        for number in 0..100 {
            let topic = format!("f/{number}");
            mqtt.publish(topic, "x", Qos::AtLeastOnce, false).await.unwrap();
        }
        for subscription in &mut subscriptions {
            assert_eq!(next(subscription).await.text(), "x");
        }
    }
}

#[tokio::test]
async fn subscriptions_end_with_the_session_where_that_is_wanted() {
    let broker = Mosquitto::start().await;
    let relay = Relay::to(broker.address()).await;
    let url = broker.url_at(relay.address());
    let mqtt = client_at(&url, |options| options.resubscribe = false);
    let mut subscription = mqtt.subscribe("a", Qos::AtLeastOnce).await.unwrap();
    relay.cut();
    let error = subscription.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    assert!(subscription.next().await.is_none());
}

#[tokio::test]
async fn who_is_too_slow_is_told_how_much_is_missing() {
    let broker = Mosquitto::start().await;
    let mqtt = client(&broker, |_| ());
    let small = |overflow| Subscribe::new(Qos::AtLeastOnce).buffer_max(2).overflow(overflow);
    let mut oldest = mqtt.subscribe("a", small(Overflow::DropOldest)).await.unwrap();
    let mut newest = mqtt.subscribe("a", small(Overflow::DropNewest)).await.unwrap();
    let mut fast = mqtt.subscribe("a", Qos::AtLeastOnce).await.unwrap();
    for number in 0..5 {
        mqtt.publish("a", number.to_string(), Qos::AtLeastOnce, false).await.unwrap();
        next(&mut fast).await;
    }
    for (slow, expected) in [(&mut oldest, ["3", "4"]), (&mut newest, ["0", "1"])] {
        let error = slow.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.to_string().contains("3 messages were dropped"), "{error}");
        assert_eq!([next(slow).await.text(), next(slow).await.text()], expected);
    }
}

#[tokio::test]
async fn a_handler_is_called_for_each_message_until_it_is_dropped() {
    let broker = Mosquitto::start().await;
    let mqtt = client(&broker, |_| ());
    let (sender, mut heard) = mpsc::unbounded_channel();
    let handler = mqtt
        .on("h/+", Qos::ExactlyOnce, move |message| {
            let sender = sender.clone();
            async move { sender.send(message.text()) }
        })
        .await
        .unwrap();
    for number in 0..10 {
        mqtt.publish("h/x", number.to_string(), Qos::ExactlyOnce, false).await.unwrap();
    }
    for number in 0..10 {
        assert_eq!(heard.recv().await.unwrap(), number.to_string());
    }
    assert!(handler.is_running());
    assert_eq!(handler.filter(), "h/+");
    drop(handler);
    assert!(heard.recv().await.is_none());
    eventually("it is ended at the broker", async || {
        broker.process.log().contains("Received UNSUBSCRIBE")
    })
    .await;
}

#[tokio::test]
async fn what_a_handler_fails_at_comes_again_after_the_next_connection() {
    for version in VERSIONS {
        let broker = Mosquitto::start().await;
        let relay = Relay::to(broker.address()).await;
        let mqtt = client_at(&broker.url_at(relay.address()), |options| {
            options.version = version;
            lasting(options, "handler");
        });
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let how = Subscribe::new(Qos::AtLeastOnce).acknowledge(Acknowledge::ByHand);
        let _handler = mqtt
            .on("a", how, move |message| {
                let call = counted.fetch_add(1, Ordering::SeqCst);
                async move {
                    assert_eq!(message.duplicate, call == 1);
                    if call == 0 { Err("the first time it does not work") } else { Ok(()) }
                }
            })
            .await
            .unwrap();
        mqtt.publish("a", "x", Qos::AtLeastOnce, false).await.unwrap();
        eventually("it has failed", async || calls.load(Ordering::SeqCst) == 1).await;
        for round in 1..=3 {
            let mut states = mqtt.status().watch();
            relay.cut();
            states.wait_for(|state| matches!(state, State::Down(_))).await.unwrap();
            mqtt.ready().await.unwrap();
            // It comes before this one, if it comes.
            mqtt.publish("a", "y", Qos::AtLeastOnce, false).await.unwrap();
            eventually("all are acknowledged", async || {
                broker.process.log().matches("Received PUBACK").count() == round + 1
            })
            .await;
            assert_eq!(calls.load(Ordering::SeqCst), round + 2, "{version:?}");
        }
    }
}
