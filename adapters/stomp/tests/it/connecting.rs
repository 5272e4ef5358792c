//! How connections begin and end.

use crate::broker::{MOMENT, broker, drained, opened, place, relayed, texts, url};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use workyard_stomp::{ErrorKind, Options, State, Stomp, Tls};
use workyard_testbed::{Authority, Port, Relay, eventually};

#[tokio::test]
async fn a_server_that_is_there_is_ready() {
    let stomp = opened("").await;
    assert!(matches!(stomp.status().state(), State::Connecting));
    assert_eq!((stomp.stats().connected, stomp.agreed()), (0, None));
    stomp.ready().await.unwrap();
    stomp.ready().await.unwrap();
    assert!(matches!(stomp.status().state(), State::Ready));
    assert_eq!(stomp.stats().connected, 1);
}

#[tokio::test]
async fn who_is_not_wanted_is_refused_and_does_not_storm() {
    let (address, vhost) = place().await;
    let relay = Relay::to(address).await;
    let there = relay.address();
    let wrong = [
        format!("stomp://worker:wrong-secret@{there}/{vhost}"),
        format!("stomp://nobody:secret@{there}/{vhost}"),
        format!("stomp://worker:secret@{there}/no-such-vhost"),
    ];
    for url in &wrong {
        let before = relay.connections();
        let stomp = Stomp::open(url).unwrap();
        let error = stomp.ready().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Refused, Some("Bad CONNECT")),
            "{url}"
        );
        for _ in 0..100 {
            let error = stomp.send("/queue/a", "x", ()).await.unwrap_err();
            assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Refused, false));
        }
        sleep(MOMENT).await;
        assert_eq!(relay.connections() - before, 1);
        let shown = format!("{error} {error:?} {stomp:?} {:?}", Options::new(url.as_str()));
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[tokio::test]
async fn where_nobody_is_nothing_is_sent() {
    let port = Port::free();
    let address = ([127, 0, 0, 1], port.number()).into();
    let stomp = Stomp::open(&url(address, "v", "connect_timeout=200ms&attempts_max=1")).unwrap();
    let started = Instant::now();
    let error = stomp.ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let error = stomp.send("/queue/a", "x", ()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unreachable, false));
    assert!(error.to_string().contains("Connection refused"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(3));
    stomp.close().await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let (relay, stomp, _) = relayed("connect_timeout=200ms&attempts_max=1").await;
    relay.stall();
    let started = Instant::now();
    let error = stomp.ready().await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, false));
    let error = stomp.send("/queue/a", "x", ()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unreachable, false));
    assert!(started.elapsed() < Duration::from_secs(3));
    relay.pass();
    eventually("it is connected", async || stomp.ready().await.is_ok()).await;
    // One that stops to answer later is not ready either.
    relay.stall();
    assert_eq!(stomp.ready().await.unwrap_err().kind(), ErrorKind::TimedOut);
}

#[tokio::test]
async fn tls_is_for_those_who_trust_each_other() {
    let broker = broker().await;
    let vhost = broker.rabbit.vhost().await;
    let port = broker.rabbit.stomp_tls_address().port();
    let ca = broker.authority.certificate();
    for (scheme, host) in
        [("stomps", "localhost"), ("stomp+tls", "127.0.0.1"), ("stomp+ssl", "localhost")]
    {
        let url = format!("{scheme}://worker:secret@{host}:{port}/{vhost}?tls_ca={}", ca.display());
        let stomp = Stomp::open(&url).unwrap();
        let mut queue = stomp.subscribe("/queue/a").await.unwrap();
        stomp.send("/queue/a", vec![b'x'; 1_000_000], ()).await.unwrap();
        assert_eq!(texts(&mut queue, 1).await[0].len(), 1_000_000);
        drop(queue);
        stomp.close().await;
    }
    let mut options = Options::new(format!("stomps://worker:secret@localhost:{port}/{vhost}"));
    let stranger = Authority::new();
    let trust = |ca| Tls { ca: Some(ca), ..Tls::default() };
    options.tls = trust(stranger.certificate());
    let error = Stomp::with(options.clone()).unwrap().ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    // The name has to fit, too.
    options.tls = trust(ca);
    options.url = format!("stomps://worker:secret@localhost.localdomain:{port}/{vhost}");
    let error = Stomp::with(options).unwrap().ready().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Refused | ErrorKind::Unreachable), "{error}");
}

#[tokio::test]
async fn what_is_no_stomp_is_told_apart() {
    let broker = broker().await;
    let (stomp_port, ca) = (broker.rabbit.stomp_address().port(), broker.authority.certificate());
    let url = format!("stomps://localhost:{stomp_port}?tls_ca={}&connect_timeout=1s", ca.display());
    let error = Stomp::open(&url).unwrap().ready().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Unreachable), "{error}");
    // AMQP answers with its own name, or with nothing but a reset.
    let url = format!("stomp://{}?connect_timeout=1s", broker.rabbit.address());
    let error = Stomp::open(&url).unwrap().ready().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Disconnected), "{error}");
}

#[tokio::test]
async fn it_connects_from_where_it_is_told_to() {
    let stomp = opened("local_address=127.0.0.9").await;
    stomp.ready().await.unwrap();
    let broker = broker().await;
    eventually("the server knows", async || {
        let connections = broker.rabbit.manage("GET", "/api/connections", "").await;
        connections.contains("127.0.0.9")
    })
    .await;
    let stomp = opened("local_address=::1&connect_timeout=200ms").await;
    assert_eq!(stomp.ready().await.unwrap_err().kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn a_close_is_graceful() {
    let (relay, stomp, other) = relayed("").await;
    let mut queue = stomp.subscribe("/queue/b").await.unwrap();
    for number in 0..100 {
        stomp.send_unconfirmed("/queue/a", number.to_string(), ()).await.unwrap();
    }
    stomp.close().await;
    assert!(queue.next().await.is_none());
    for error in [stomp.send("/queue/a", "x", ()).await, stomp.ready().await] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Closed);
    }
    assert!(matches!(stomp.status().state(), State::Closed));
    stomp.close().await;
    eventually("the connection is gone", async || relay.open() == 0).await;
    assert_eq!(drained(&other, "/queue/a").await.len(), 100);
    // One that never was connected is closed at once.
    let never = opened("").await;
    never.close().await;
    assert_eq!(never.ready().await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_close_waits_for_calls_but_not_for_ever() {
    let (relay, stomp, _) = relayed("request_timeout=300ms&attempts_max=1").await;
    stomp.ready().await.unwrap();
    relay.stall();
    let started = Instant::now();
    let (sent, ()) = tokio::join!(stomp.send("/queue/a", "x", ()), async {
        sleep(Duration::from_millis(50)).await;
        stomp.close().await;
    });
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_connection_that_nobody_wants_ends() {
    let (relay, stomp, _) = relayed("").await;
    let queue = stomp.subscribe("/queue/a").await.unwrap();
    drop(stomp);
    sleep(MOMENT).await;
    assert_eq!(relay.open(), 1);
    drop(queue);
    eventually("the connection is gone", async || relay.open() == 0).await;
}

#[test]
fn it_works_in_every_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (stomp, other) = runtime.block_on(async {
        let stomp = opened("").await;
        stomp.send("/queue/a", "x", ()).await.unwrap();
        (stomp, opened("request_timeout=300ms&attempts_max=1").await)
    });
    let second = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    second.block_on(other.ready()).unwrap();
    drop(runtime);
    // What it was made in has ended; others can tell.
    let error = second.block_on(stomp.send("/queue/a", "y", ())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Disconnected | ErrorKind::Closed), "{error}");
}
