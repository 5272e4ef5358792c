//! How a connection begins: WebSocket, credentials, brokers that are not there.

use crate::peer::{client, client_at, next};
use std::time::{Duration, Instant};
use workyard_mqtt::{ErrorKind, Qos, State};
use workyard_testbed::{Mosquitto, PATIENCE, Relay, eventually};

#[tokio::test]
async fn it_speaks_over_web_socket() {
    let broker = Mosquitto::start().await;
    for version in crate::peer::VERSIONS {
        let mqtt = client_at(&broker.web_socket_url(), |options| options.version = version);
        let mut subscription = mqtt.subscribe("a", Qos::ExactlyOnce).await.unwrap();
        for length in [0, 10, 70_000, 300_000] {
            let payload = vec![7; length];
            mqtt.publish("a", payload.clone(), Qos::ExactlyOnce, false).await.unwrap();
            assert_eq!(next(&mut subscription).await.payload, payload);
        }
        mqtt.close().await;
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_at_once_and_tried_again_slowly() {
    let broker = Mosquitto::setup().user("app", "secret").start().await;
    client(&broker, |_| ()).ready().await.unwrap();
    for version in crate::peer::VERSIONS {
        let relay = Relay::to(broker.address()).await;
        let url = format!("mqtt://app:wrong-one@{}", relay.address());
        let mqtt = client_at(&url, |options| {
            options.version = version;
            options.reconnect.max = Duration::from_secs(60);
        });
        let started = Instant::now();
        let error = mqtt.publish("a", "x", Qos::AtLeastOnce, false).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(!error.outcome_unknown());
        assert_eq!(mqtt.subscribe("a", Qos::AtMostOnce).await.unwrap_err().kind(), error.kind());
        assert_eq!(mqtt.ready().await.unwrap_err().kind(), ErrorKind::Refused);
        assert!(started.elapsed() < PATIENCE);
        assert!(!format!("{error:?} {mqtt:?}").contains("wrong-one"));
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(relay.connections(), 1);
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_waited_for() {
    let mut broker = Mosquitto::start().await;
    broker.process.kill().await;
    let mqtt = client(&broker, |options| {
        options.calls.connect_timeout = Duration::from_millis(300);
    });
    let error = mqtt.ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    let publishing = mqtt.publish("a", "x", Qos::AtLeastOnce, false);
    let (published, ()) = tokio::join!(publishing, broker.process.start_again());
    published.unwrap();
    assert!(mqtt.stats().lost > 0);
}

#[tokio::test]
async fn a_call_says_why_it_was_late_and_that_nothing_was_sent() {
    let mut broker = Mosquitto::start().await;
    broker.process.kill().await;
    let mqtt = client(&broker, |options| {
        options.calls.request_timeout = Duration::from_millis(200);
        options.calls.retry.attempts_max = 1;
    });
    let error = mqtt.publish("a", "x", Qos::AtLeastOnce, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(
        error.to_string().contains("not sent within 200ms: not connected: no connection"),
        "{error}"
    );
    assert!(!error.outcome_unknown() && error.is_transient());
    assert_eq!(mqtt.queued(), 0);
    let error = mqtt.subscribe("a", Qos::AtMostOnce).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, false));
}

#[tokio::test]
async fn what_speaks_something_else_is_told() {
    let broker = Mosquitto::start().await;
    // The WebSocket port is asked without one, and the other way round.
    let plain = format!("mqtt://{}", broker.web_socket_address());
    let web = format!("ws://{}", broker.address());
    for url in [plain, web] {
        let mqtt = client_at(&url, |options| {
            options.calls.connect_timeout = Duration::from_millis(500);
        });
        let error = mqtt.ready().await.unwrap_err();
        // The broker closes, resets, or waits for more.
        let kinds = [
            ErrorKind::Disconnected,
            ErrorKind::Protocol,
            ErrorKind::Refused,
            ErrorKind::TimedOut,
            ErrorKind::Unreachable,
        ];
        assert!(kinds.contains(&error.kind()), "{error:?}");
        assert!(!error.outcome_unknown(), "{error:?}");
    }
}

#[tokio::test]
async fn a_lost_connection_is_seen_and_made_again() {
    let broker = Mosquitto::start().await;
    let relay = Relay::to(broker.address()).await;
    let mqtt = client_at(&broker.url_at(relay.address()), |_| ());
    mqtt.ready().await.unwrap();
    let mut states = mqtt.status().watch();
    states.mark_unchanged();
    relay.cut();
    let down = states.wait_for(|state| matches!(state, State::Down(_))).await.unwrap().clone();
    assert!(format!("{down:?}").contains("the connection was lost"), "{down:?}");
    eventually("it is back", async || matches!(mqtt.status().state(), State::Ready)).await;
    assert_eq!((mqtt.stats().connected, mqtt.stats().lost), (2, 1));
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_noticed() {
    let broker = Mosquitto::start().await;
    let relay = Relay::to(broker.address()).await;
    let mqtt = client_at(&broker.url_at(relay.address()), |options| {
        options.keepalive = Duration::from_secs(1);
        options.calls.connect_timeout = Duration::from_millis(500);
    });
    mqtt.ready().await.unwrap();
    // Silence alone is none of it: the probes are answered.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(mqtt.stats().lost, 0);
    relay.stall();
    let started = Instant::now();
    eventually("it is noticed", async || mqtt.stats().lost > 0).await;
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    relay.pass();
    mqtt.publish("a", "x", Qos::AtLeastOnce, false).await.unwrap();
}
