//! What becomes of messages when the connection breaks or the broker is gone: nothing is lost, and with
//! QoS 2 nothing comes twice.

use crate::peer::{Listener, VERSIONS, client_at, is_silent, lasting, next, publish};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::sleep;
use workyard_mqtt::{Acknowledge, ErrorKind, Mqtt, Qos, Subscribe, Version};
use workyard_testbed::{Mosquitto, PATIENCE, Relay, eventually};

const MESSAGES: usize = 300;

/// Publishes numbers, all at the same time, and waits until every one of them is acknowledged.
async fn publish_all(mqtt: &Mqtt, qos: Qos) {
    let publishing: Vec<_> = (0..MESSAGES)
        .map(|number| {
            let mqtt = mqtt.clone();
            tokio::spawn(async move { mqtt.publish("n", number.to_string(), qos, false).await })
        })
        .collect();
    for published in publishing {
        published.await.unwrap().unwrap();
    }
}

/// How often each came.
fn counts(payloads: &[String]) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for payload in payloads {
        *counts.entry(payload.parse().unwrap()).or_default() += 1;
    }
    counts
}

/// Cuts the connections again and again until it is dropped.
fn cutting(relay: &std::sync::Arc<Relay>) -> tokio::task::JoinHandle<()> {
    let relay = std::sync::Arc::clone(relay);
    tokio::spawn(async move {
        loop {
            relay.cut_after_bytes(random_between(200, 4000));
            sleep(Duration::from_millis(20)).await;
            relay.cut();
        }
    })
}

/// Different each time, and no further crate for it.
fn random_between(low: usize, high: usize) -> usize {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(0);
    low + usize::try_from(random % (high - low) as u64).unwrap()
}

async fn published_through_cuts(version: Version, qos: Qos) -> BTreeMap<usize, usize> {
    let broker = Mosquitto::start().await;
    let listener = Listener::start(broker.address(), "n", Some("listener")).await;
    let relay = std::sync::Arc::new(Relay::to(broker.address()).await);
    let mqtt = client_at(&broker.url_at(relay.address()), |options| {
        options.version = version;
        options.inflight_max = 20;
        // However often a message is the first one that a cut connection leaves without an answer.
        options.calls.retry.attempts_max = 1000;
        options.reconnect.first = Duration::from_millis(1);
        options.reconnect.max = Duration::from_millis(5);
        lasting(options, "publisher");
    });
    mqtt.ready().await.unwrap();
    let cutting = cutting(&relay);
    let published = tokio::time::timeout(PATIENCE * 3, publish_all(&mqtt, qos)).await;
    cutting.abort();
    published.expect("everything is acknowledged in time");
    assert!(mqtt.stats().connected > 2, "{:?}", mqtt.stats());
    mqtt.publish("n", MESSAGES.to_string(), Qos::ExactlyOnce, false).await.unwrap();
    eventually("the last one has come", async || {
        counts(&listener.payloads(1).await).len() > MESSAGES
    })
    .await;
    counts(&listener.payloads(MESSAGES).await)
}

#[tokio::test]
async fn published_with_qos_1_nothing_is_lost_through_cuts() {
    for version in VERSIONS {
        let counts = published_through_cuts(version, Qos::AtLeastOnce).await;
        assert_eq!(counts.len(), MESSAGES + 1);
    }
}

#[tokio::test]
async fn published_with_qos_2_everything_comes_once_through_cuts() {
    for version in VERSIONS {
        let counts = published_through_cuts(version, Qos::ExactlyOnce).await;
        assert_eq!(counts.len(), MESSAGES + 1);
        assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    }
}

#[tokio::test]
async fn received_with_qos_2_everything_comes_once_through_cuts() {
    for version in VERSIONS {
        // Of what it has to queue for a client that is there, Mosquitto 2.0.11 loses some.
        let broker = Mosquitto::setup().line("max_inflight_messages 1000").start().await;
        let relay = std::sync::Arc::new(Relay::to(broker.address()).await);
        let mqtt = client_at(&broker.url_at(relay.address()), |options| {
            options.version = version;
            options.receive_max = 1000;
            options.reconnect.first = Duration::from_millis(1);
            options.reconnect.max = Duration::from_millis(5);
            lasting(options, "subscriber");
        });
        let mut subscription = mqtt.subscribe("n", Qos::ExactlyOnce).await.unwrap();
        // One after the other, so that it takes some cuts.
        let publisher = client_at(&broker.url(), |options| options.inflight_max = 1);
        let cutting = cutting(&relay);
        publish_all(&publisher, Qos::ExactlyOnce).await;
        let mut payloads = Vec::new();
        while payloads.len() < MESSAGES {
            payloads.push(next(&mut subscription).await.text());
        }
        cutting.abort();
        assert!(is_silent(&mut subscription).await);
        assert_eq!(counts(&payloads).len(), MESSAGES);
        assert!(mqtt.stats().connected > 2, "{:?}", mqtt.stats());
    }
}

#[tokio::test]
async fn nothing_is_lost_when_the_broker_starts_again() {
    for version in VERSIONS {
        let mut broker = Mosquitto::start().await;
        let listener = Listener::start(broker.address(), "n", Some("listener")).await;
        let mqtt = client_at(&broker.url(), |options| {
            options.version = version;
            options.inflight_max = 5;
            options.calls.retry.attempts_max = 10;
            lasting(options, "publisher");
        });
        mqtt.ready().await.unwrap();
        let publishing = publish_all(&mqtt, Qos::ExactlyOnce);
        let restarting = async {
            for _ in 0..3 {
                sleep(Duration::from_millis(30)).await;
                broker.process.restart().await;
            }
        };
        tokio::join!(publishing, restarting);
        eventually("all have come", async || counts(&listener.payloads(1).await).len() == MESSAGES)
            .await;
        assert!(mqtt.stats().lost > 0);
    }
}

#[tokio::test]
async fn a_killed_broker_loses_nothing_that_it_has_not_acknowledged() {
    for version in VERSIONS {
        let mut broker = Mosquitto::start().await;
        let mqtt = client_at(&broker.url(), |options| {
            options.version = version;
            lasting(options, "both");
        });
        let mut subscription = mqtt.subscribe("n", Qos::AtLeastOnce).await.unwrap();
        mqtt.publish("n", "before", Qos::AtLeastOnce, false).await.unwrap();
        assert_eq!(next(&mut subscription).await.text(), "before");
        broker.process.pause().await;
        let publishing: Vec<_> = (0..50)
            .map(|number: u32| {
                let mqtt = mqtt.clone();
                let text = number.to_string();
                tokio::spawn(async move { mqtt.publish("n", text, Qos::AtLeastOnce, false).await })
            })
            .collect();
        eventually("all are queued", async || mqtt.queued() == 50).await;
        sleep(Duration::from_millis(20)).await;
        broker.process.kill().await;
        broker.process.start_again().await;
        for published in publishing {
            published.await.unwrap().unwrap();
        }
        let mut heard = Vec::new();
        while heard.len() < 50 {
            heard.push(next(&mut subscription).await.text());
        }
        heard.sort_by_key(|text| text.parse::<u32>().unwrap());
        assert_eq!(heard, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn without_a_lasting_session_qos_2_says_that_the_outcome_is_not_known() {
    for version in VERSIONS {
        let broker = Mosquitto::start().await;
        let relay = Relay::to(broker.address()).await;
        let mqtt = client_at(&broker.url_at(relay.address()), |options| options.version = version);
        mqtt.ready().await.unwrap();
        relay.cut_answer_to("the message");
        let error = mqtt.publish("n", "the message", Qos::ExactlyOnce, false).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Disconnected);
        assert!(error.outcome_unknown() && !error.is_transient(), "{error}");
        // With QoS 1 it is sent anew.
        relay.cut_answer_to("the message");
        mqtt.publish("n", "the message", Qos::AtLeastOnce, false).await.unwrap();
        assert!(!relay.is_waiting_to_cut());
    }
}

#[tokio::test]
async fn what_came_before_the_program_subscribed_is_not_lost() {
    for version in VERSIONS {
        let broker = Mosquitto::start().await;
        let url = broker.url();
        let open = move || {
            client_at(&url, |options| {
                options.version = version;
                lasting(options, "worker");
            })
        };
        let again = open();
        // A process that ends without a word: with its runtime the connection goes, and nobody is told that
        // the subscriptions are dropped.
        let earlier = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.unwrap();
            let kept = runtime.block_on(async {
                let mqtt = open();
                let one = mqtt.subscribe("one", Qos::ExactlyOnce).await.unwrap();
                (one, mqtt.subscribe("two", Qos::ExactlyOnce).await.unwrap())
            });
            drop(runtime);
            drop(kept);
        });
        earlier.join().unwrap();
        publish(broker.address(), &["-t", "one", "-m", "1", "-q", "2"]).await;
        publish(broker.address(), &["-t", "two", "-m", "2", "-q", "1"]).await;
        again.ready().await.unwrap();
        sleep(Duration::from_millis(50)).await;
        let mut two = again.subscribe("two", Qos::ExactlyOnce).await.unwrap();
        let mut one = again.subscribe("one", Qos::ExactlyOnce).await.unwrap();
        assert_eq!(next(&mut one).await.text(), "1");
        assert_eq!(next(&mut two).await.text(), "2");
        assert!(is_silent(&mut one).await && is_silent(&mut two).await);
    }
}

#[tokio::test]
async fn what_a_dropped_handler_has_not_handled_comes_to_the_next_process() {
    for version in VERSIONS {
        let broker = Mosquitto::start().await;
        let open = || {
            client_at(&broker.url(), |options| {
                options.version = version;
                lasting(options, "by-hand");
            })
        };
        let mqtt = open();
        let how = Subscribe::new(Qos::AtLeastOnce).acknowledge(Acknowledge::ByHand);
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let handler = mqtt.on("n", how, move |message| {
            let begun = begun.clone();
            async move {
                begun.send(message.text()).unwrap();
                std::future::pending::<Result<(), String>>().await
            }
        });
        let handler = handler.await.unwrap();
        for number in 0..3 {
            publish(broker.address(), &["-t", "n", "-m", &number.to_string(), "-q", "1"]).await;
        }
        assert_eq!(begins.recv().await.unwrap(), "0");
        sleep(Duration::from_millis(50)).await;
        drop(handler);
        sleep(Duration::from_millis(50)).await;
        mqtt.close().await;
        let again = open();
        let mut next_one = again.subscribe("n", how).await.unwrap();
        for number in 0..3 {
            assert_eq!(next(&mut next_one).await.text(), number.to_string(), "{version:?}");
        }
    }
}
