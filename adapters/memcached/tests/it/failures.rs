//! Servers that are gone, silent or come back: what is called again, and what never is.

use crate::common::{FOREVER, MOMENT, open, relayed, server, url};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::task::coop;
use workyard_memcached::{ErrorKind, Memcached, Options};
use workyard_testbed::{Memcached as Server, Port, Told, eventually};

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let nowhere = Port::free();
    let memcached = open(([127, 0, 0, 1], nowhere.number()).into());
    let error = memcached.ready().await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unreachable, false));
    let place = format!("memcached 127.0.0.1:{}: READY: no connection: ", nowhere.number());
    assert!(error.to_string().starts_with(&place), "{error}");
    let error = memcached.set("key", "v", FOREVER).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unreachable, Some("SET")));
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let (mut server, memcached) = server().await;
    for round in 0..3 {
        memcached.set("key", "v", FOREVER).await.unwrap();
        server.process.kill().await;
        server.process.start_again().await;
        // A write, which is never made twice: the connection of before is not even tried.
        memcached.set("key", "v", FOREVER).await.unwrap();
        assert_eq!(memcached.stats().connected, round + 2);
    }
    assert_eq!(memcached.stats().failed.len(), 0);
}

#[tokio::test]
async fn a_connection_that_was_closed_is_not_tried_by_a_task_that_has_had_its_turn() {
    let (mut server, memcached) = server().await;
    for round in 0..3 {
        memcached.set("key", "v", FOREVER).await.unwrap();
        server.process.restart().await;
        poll_fn(|context| {
            while let Poll::Ready(turn) = coop::poll_proceed(context) {
                turn.made_progress();
            }
            Poll::Ready(())
        })
        .await;
        memcached.set("key", "v", FOREVER).await.unwrap();
        assert_eq!(memcached.stats().connected, round + 2);
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_not_made_again() {
    let (server, relay, mut options) = relayed().await;
    options.calls.retry.attempts_max = 5;
    let direct = open(server.address());
    let memcached = Memcached::with(options).unwrap();
    direct.set("n", 0_u64, FOREVER).await.unwrap();
    direct.set("text", "", FOREVER).await.unwrap();
    for round in 1..=20 {
        relay.cut_answer_to("incr");
        let error = memcached.incr("n", 1).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
        assert_eq!(direct.get("n").await.unwrap().unwrap().number().unwrap(), round);
        relay.cut_answer_to("append");
        let error = memcached.append("text", "x").await.unwrap_err();
        assert!(error.outcome_unknown(), "{error}");
    }
    assert_eq!(direct.get("text").await.unwrap().unwrap().data.len(), 20);
    assert_eq!(memcached.stats().repeated, 0);
    assert_eq!(memcached.stats().lost, 40);
}

#[tokio::test]
async fn reading_is_made_again() {
    let (_server, relay, mut options) = relayed().await;
    options.calls.retry.attempts_max = 2;
    let memcached = Memcached::with(options).unwrap();
    memcached.set("key", "v", FOREVER).await.unwrap();
    relay.cut_answer_to("get");
    assert_eq!(memcached.get("key").await.unwrap(), Some("v".into()));
    relay.cut_answer_to("get");
    assert_eq!(memcached.get_many(&["key"]).await.unwrap(), [Some("v".into())]);
    assert_eq!(memcached.stats().repeated, 2);
}

#[tokio::test]
async fn a_request_that_is_cut_in_two_does_nothing() {
    let (server, relay, options) = relayed().await;
    let (direct, memcached) = (open(server.address()), Memcached::with(options).unwrap());
    for bytes in 1..=21 {
        relay.cut_after_bytes(bytes);
        let error = memcached.set("key", "value", FOREVER).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Disconnected, "{bytes}");
        assert_eq!(direct.get("key").await.unwrap(), None, "{bytes}");
    }
    memcached.set("key", "value", FOREVER).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_killed_with_calls_under_way_fails_them_and_serves_again() {
    let mut server = Server::start().await;
    let memcached = Memcached::open(&format!("{}?attempts_max=1", url(server.address()))).unwrap();
    memcached.ready().await.unwrap();
    server.process.pause().await;
    let calls: Vec<_> = (0..8)
        .map(|number| {
            let memcached = memcached.clone();
            tokio::spawn(async move { memcached.incr(format!("n{number}"), 1).await })
        })
        .collect();
    eventually("calls are under way", async || memcached.stats().calls == 8).await;
    // Each has written its request.
    tokio::time::sleep(MOMENT).await;
    server.process.kill().await;
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Disconnected | ErrorKind::Unreachable),
            "{error}"
        );
    }
    server.process.start_again().await;
    assert_eq!(memcached.incr("n0", 1).await.unwrap(), None);
    assert_eq!(memcached.stats().calls, 0);
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for() {
    let (_server, relay, mut options) = relayed().await;
    options.calls.call_timeout = Duration::from_secs(60);
    let memcached = Memcached::with(options).unwrap();
    memcached.set("key", "v", FOREVER).await.unwrap();
    relay.stall();
    let begun = Instant::now();
    let error = memcached.set("key", "w", FOREVER).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, true));
    assert!((0.3..30.0).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
    relay.pass();
    // The late answer is nobody's.
    for _ in 0..10 {
        assert_eq!(memcached.get("absent").await.unwrap(), None);
        assert!(memcached.get("key").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_is_unreachable_in_time() {
    // Its queue of connections is full, as that of a machine behind a firewall that drops everything.
    let listener = socket_that_takes_nobody();
    let address = listener.local_addr().unwrap();
    let mut options = Options::new(url(address));
    options.calls.connect_timeout = Duration::from_millis(200);
    options.calls.retry.attempts_max = 1;
    let memcached = Memcached::with(options).unwrap();
    let mut held = Vec::new();
    let begun = Instant::now();
    let error = loop {
        let connect = tokio::net::TcpStream::connect(address);
        match tokio::time::timeout(MOMENT, connect).await {
            Ok(stream) => held.push(stream.unwrap()),
            Err(_) => break memcached.set("key", "v", FOREVER).await.unwrap_err(),
        }
        assert!(begun.elapsed() < Duration::from_secs(5));
    };
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unreachable, false));
    assert!(error.to_string().ends_with("no connection within 200ms"), "{error}");
}

fn socket_that_takes_nobody() -> std::net::TcpListener {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    socket.listen(1).unwrap().into_std().unwrap()
}

#[tokio::test]
async fn a_server_that_is_down_is_left_alone_and_found_again() {
    let (mut server, memcached) = {
        let server = Server::start().await;
        let mut options = Options::new(url(server.address()));
        options.calls.retry.attempts_max = 1;
        options.calls.breaker.failures_max = 3;
        options.calls.breaker.open_for = Duration::from_millis(200);
        (server, Memcached::with(options).unwrap())
    };
    server.process.kill().await;
    for _ in 0..3 {
        let error = memcached.get("key").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
    }
    let error = memcached.get("key").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    assert!(memcached.stats().circuit_open);
    server.process.start_again().await;
    eventually("it is tried again", async || memcached.get("key").await.is_ok()).await;
    assert!(!memcached.stats().circuit_open);
}

#[tokio::test]
async fn closing_waits_for_calls_and_takes_no_more() {
    let (_server, relay, mut options) = relayed().await;
    options.calls.request_timeout = Duration::from_secs(5);
    options.calls.call_timeout = Duration::from_secs(5);
    let memcached = Memcached::with(options).unwrap();
    memcached.ready().await.unwrap();
    relay.slow(MOMENT);
    let call = tokio::spawn({
        let memcached = memcached.clone();
        async move { memcached.set("key", "v", FOREVER).await }
    });
    eventually("it is under way", async || memcached.stats().calls == 1).await;
    memcached.close().await;
    call.await.unwrap().unwrap();
    let error = memcached.get("key").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    eventually("no connection is left", async || relay.open() == 0).await;
}

#[tokio::test]
async fn whoever_observes_is_told_of_calls_and_connections() {
    let mut server = Server::start().await;
    let told = Arc::new(Told::default());
    let mut options = Options::new(url(server.address()));
    options.calls.retry.attempts_max = 2;
    options.observer = Some(told.clone());
    let memcached = Memcached::with(options).unwrap();
    memcached.set("key", "v", FOREVER).await.unwrap();
    assert!(memcached.get("key").await.unwrap().is_some());
    server.process.kill().await;
    memcached.get("key").await.unwrap_err();
    let place = format!("memcached {}", server.address());
    let lines = told.lines();
    let [connected, set, get, first, second, failed] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(*connected, format!("{place} connected"));
    assert_eq!((set, get), (&format!("{place} SET 1 ok"), &format!("{place} GET 1 ok")));
    for lost in [first, second] {
        assert!(lost.starts_with(&format!("{place} lost: ")), "{lost}");
    }
    assert_eq!(*failed, format!("{place} GET 2 Unreachable"));
}
