//! Bounds, and calls that are given up.

use crate::peer::{VERSIONS, client, client_at, lasting, next};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use workyard_mqtt::{ErrorKind, Qos};
use workyard_testbed::{Mosquitto, PATIENCE, Relay, eventually};

#[tokio::test]
async fn a_stalled_broker_is_not_waited_for_too_long() {
    let broker = Mosquitto::start().await;
    for version in VERSIONS {
        let relay = Relay::to(broker.address()).await;
        let mqtt = client_at(&broker.url_at(relay.address()), |options| {
            options.version = version;
            options.calls.request_timeout = Duration::from_millis(300);
        });
        mqtt.ready().await.unwrap();
        relay.stall();
        let started = Instant::now();
        let error = mqtt.publish("a", "x", Qos::AtLeastOnce, false).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, true), "{error}");
        assert!(error.to_string().contains("not acknowledged within 300ms"), "{error}");
        assert!(started.elapsed() < PATIENCE);
        relay.pass();
        mqtt.publish("a", "x", Qos::AtLeastOnce, false).await.unwrap();
    }
}

#[tokio::test]
async fn what_waits_is_bounded_by_number_and_by_bytes() {
    let mut broker = Mosquitto::start().await;
    let mqtt = client(&broker, |options| {
        options.queue_max = 10;
        options.queue_bytes_max = 10_000;
    });
    mqtt.ready().await.unwrap();
    broker.process.kill().await;
    let send = |length: usize| {
        let mqtt = mqtt.clone();
        tokio::spawn(
            async move { mqtt.publish("a", vec![0; length], Qos::AtLeastOnce, false).await },
        )
    };
    let mut waiting: Vec<_> = (0..9).map(|_| send(100)).collect();
    eventually("nine wait", async || mqtt.queued() == 9).await;
    let error = mqtt.publish("a", vec![0; 9_500], Qos::AtLeastOnce, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    assert!(error.to_string().contains("queue_bytes_max"), "{error}");
    waiting.push(send(100));
    eventually("ten wait", async || mqtt.queued() == 10).await;
    let error = mqtt.publish("a", "", Qos::AtMostOnce, false).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Busy, false), "{error}");
    assert!(error.to_string().contains("queue_max"), "{error}");
    broker.process.start_again().await;
    for sent in waiting {
        sent.await.unwrap().unwrap();
    }
    assert_eq!(mqtt.queued(), 0);
}

#[tokio::test]
async fn calls_are_bounded_too() {
    let mut broker = Mosquitto::start().await;
    broker.process.kill().await;
    let mqtt = client(&broker, |options| {
        options.calls.calls_max = 1;
        options.calls.waiting_max = 0;
    });
    let clone = mqtt.clone();
    let _waits = tokio::spawn(async move { clone.publish("a", "", Qos::AtMostOnce, false).await });
    eventually("one is under way", async || mqtt.stats().calls == 1).await;
    let error = mqtt.publish("a", "", Qos::AtMostOnce, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
}

#[tokio::test]
async fn calls_that_are_given_up_spoil_nothing() {
    for version in VERSIONS {
        let broker = Mosquitto::start().await;
        let relay = Relay::to(broker.address()).await;
        let mqtt = client_at(&broker.url_at(relay.address()), |options| {
            options.version = version;
            options.inflight_max = 3;
            lasting(options, "given-up");
        });
        let mut kept = mqtt.subscribe("kept", Qos::ExactlyOnce).await.unwrap();
        relay.slow(Duration::from_micros(300));
        for number in 0..300u64 {
            let patience = Duration::from_micros(number * 37 % 2000);
            let qos = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce][number as usize % 3];
            let _ = timeout(patience, mqtt.publish("lost", "x", qos, false)).await;
            let _ = timeout(patience, mqtt.subscribe(format!("s/{}", number % 5), qos)).await;
            if number % 50 == 0 {
                relay.cut();
            }
        }
        relay.pass();
        let mut texts = BTreeSet::new();
        for number in 0..50 {
            mqtt.publish("kept", number.to_string(), Qos::ExactlyOnce, false).await.unwrap();
            texts.insert(next(&mut kept).await.text());
        }
        assert_eq!(texts.len(), 50);
        eventually("nothing is left", async || mqtt.queued() == 0).await;
        let mut late = mqtt.subscribe("s/1", Qos::AtLeastOnce).await.unwrap();
        mqtt.publish("s/1", "y", Qos::AtLeastOnce, false).await.unwrap();
        assert_eq!(next(&mut late).await.text(), "y");
        assert!(mqtt.stats().cancelled > 0);
    }
}

#[tokio::test]
async fn a_message_that_the_broker_will_not_have_blocks_no_other() {
    let broker = Mosquitto::setup().line("max_packet_size 10000").start().await;
    for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
        for kept in [true, false] {
            let mqtt = client(&broker, |options| {
                if kept {
                    lasting(options, "large");
                }
            });
            // With 3.1.1 the broker says nothing of its limit.
            let large = mqtt.publish("a", vec![0; 20_000], qos, false).await.unwrap_err();
            assert_eq!(large.kind(), ErrorKind::Disconnected, "{large}");
            assert!(large.outcome_unknown(), "{large}");
            mqtt.publish("a", "x", qos, false).await.unwrap();
            assert!(mqtt.stats().connected <= 5, "{:?}", mqtt.stats());
            mqtt.close().await;
        }
    }
}

#[tokio::test]
async fn of_a_message_that_was_given_up_nothing_is_kept() {
    let mut broker = Mosquitto::start().await;
    broker.process.kill().await;
    for version in VERSIONS {
        let mqtt = client(&broker, |options| {
            options.version = version;
            options.calls.request_timeout = Duration::from_millis(50);
            options.calls.retry.attempts_max = 1;
        });
        let payload = Bytes::from(vec![1; 100_000]);
        let error = mqtt.publish("a", payload.clone(), Qos::AtLeastOnce, false).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        assert!(payload.is_unique(), "{version:?}");
        let publishing = mqtt.publish("a", payload.clone(), Qos::AtLeastOnce, false);
        assert!(timeout(Duration::from_millis(10), publishing).await.is_err());
        assert!(payload.is_unique(), "{version:?}");
    }
}
