//! How connections begin and end.

use crate::broker::{Broker, MOMENT, broker, drained, opened, relayed, to, with_queue};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use workyard_amqp::{Amqp, Consume, ErrorKind, Options, State, Tls};
use workyard_testbed::{Authority, Port, Relay, eventually};

#[tokio::test]
async fn a_server_that_is_there_is_ready() {
    let amqp = opened("").await;
    assert!(matches!(amqp.status().state(), State::Connecting));
    amqp.ready().await.unwrap();
    amqp.ready().await.unwrap();
    assert!(matches!(amqp.status().state(), State::Ready));
    assert_eq!(amqp.stats().connected, 1);
    amqp.channel().await.unwrap();
}

#[tokio::test]
async fn who_is_not_wanted_is_refused_and_does_not_storm() {
    let rabbit = &broker().await.rabbit;
    let vhost = rabbit.vhost().await;
    let relay = Relay::to(rabbit.address()).await;
    let there = relay.address();
    for (url, code) in [
        (format!("amqp://worker:wrong-secret@{there}/{vhost}"), "403"),
        (format!("amqp://nobody:secret@{there}/{vhost}"), "403"),
        (format!("amqp://worker:secret@{there}/no-such-vhost"), "530"),
    ] {
        let before = relay.connections();
        let amqp = Amqp::open(&url).unwrap();
        let error = amqp.ready().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some(code)), "{error}");
        for _ in 0..50 {
            let error = amqp.publish(&to("a", "x")).await.unwrap_err();
            assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Refused, false));
        }
        sleep(MOMENT).await;
        assert_eq!(relay.connections() - before, 1);
        let shown = format!("{error} {error:?} {amqp:?} {:?}", Options::new(url.as_str()));
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[tokio::test]
async fn where_nobody_is_nothing_is_sent() {
    let port = Port::free();
    let url = format!("amqp://127.0.0.1:{}?connect_timeout=200ms&attempts_max=1", port.number());
    let amqp = Amqp::open(&url).unwrap();
    let started = Instant::now();
    for error in [amqp.ready().await, amqp.publish(&to("a", "x")).await] {
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unreachable, false));
        assert!(error.to_string().contains("Connection refused"), "{error}");
    }
    assert!(started.elapsed() < Duration::from_secs(3));
    amqp.close().await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let (relay, amqp, _) = relayed("connect_timeout=200ms&attempts_max=1").await;
    relay.stall();
    let started = Instant::now();
    let error = amqp.ready().await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, false));
    let error = amqp.publish(&to("a", "x")).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unreachable, false));
    assert!(started.elapsed() < Duration::from_secs(3));
    relay.pass();
    eventually("it is connected", async || amqp.ready().await.is_ok()).await;
}

#[tokio::test]
async fn a_silent_server_is_found_by_its_heartbeat() {
    let (relay, amqp, _) = relayed("heartbeat=1s").await;
    amqp.ready().await.unwrap();
    sleep(Duration::from_millis(2500)).await;
    assert_eq!(amqp.stats().lost, 0);
    relay.stall();
    let mut states = amqp.status().watch();
    let down = states.wait_for(|state| matches!(state, State::Down(_)));
    tokio::time::timeout(Duration::from_secs(6), down).await.unwrap().unwrap();
    relay.pass();
    eventually("it is connected again", async || amqp.ready().await.is_ok()).await;
}

#[tokio::test]
async fn tls_is_for_those_who_trust_each_other() {
    let Broker { authority, rabbit } = broker().await;
    let url = rabbit.tls_url(&rabbit.vhost().await);
    let trust = |ca| Tls { ca: Some(ca), ..Tls::default() };
    let mut options = Options::new(url);
    options.tls = trust(authority.certificate());
    let amqp = Amqp::with(options.clone()).unwrap();
    with_queue(&amqp, "a").await;
    amqp.publish(&to("a", "x".repeat(1_000_000))).await.unwrap();
    assert_eq!(drained(&amqp, "a").await.into_keys().next().unwrap().len(), 1_000_000);
    let stranger = Authority::new();
    options.tls = trust(stranger.certificate());
    let error = Amqp::with(options).unwrap().ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

#[tokio::test]
async fn a_close_is_graceful() {
    let (relay, amqp, other) = relayed("").await;
    with_queue(&amqp, "a").await;
    let mut queue = amqp.consume(Consume::from("a")).await.unwrap();
    amqp.close().await;
    assert!(queue.next().await.is_none());
    for error in [amqp.publish(&to("a", "x")).await, amqp.ready().await] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Closed);
    }
    assert!(matches!(amqp.status().state(), State::Closed));
    amqp.close().await;
    eventually("the connection is gone", async || relay.open() == 0).await;
    assert!(drained(&other, "a").await.is_empty());
    let never = opened("").await;
    never.close().await;
    assert_eq!(never.ready().await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_connection_that_nobody_wants_ends() {
    let (relay, amqp, _) = relayed("").await;
    with_queue(&amqp, "a").await;
    let queue = amqp.consume(Consume::from("a")).await.unwrap();
    drop(amqp);
    sleep(MOMENT).await;
    assert_eq!(relay.open(), 1);
    drop(queue);
    eventually("the connection is gone", async || relay.open() == 0).await;
}
