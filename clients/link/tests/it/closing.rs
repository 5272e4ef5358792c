//! The end: what was sent arrives, and nobody waits for ever.

use crate::requests::{answer, ask, connected, question};
use crate::support::FakeServer;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use workyard_link::{Error, ErrorKind, Event, Link, Options, Stateless};
use workyard_protocol::Key;
use workyard_protocol::control::ServiceKind;
use workyard_protocol::globaldata::{Exists, Request};

const SOON: Duration = Duration::from_secs(5);

fn one() -> Request<'static> {
    Request::Exists(Exists { key: Key::new("1").unwrap() })
}

#[tokio::test]
async fn closing_sends_what_is_queued_and_waits_for_replies() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    let mut events = link.events();
    link.send(&one()).await.unwrap();
    let serving = async {
        assert_eq!(question(&mut peer).await.0, 0);
        let asked = question(&mut peer).await;
        answer(&mut peer, asked).await;
        assert!(peer.next().await.is_none());
    };
    let other = link.clone();
    let (answered, closed, ()) = tokio::join!(ask(&other, 2), link.close(SOON), serving);
    assert_eq!(answered.unwrap(), 2);
    closed.unwrap();
    assert_eq!(ask(&other, 3).await.unwrap_err().kind(), ErrorKind::Closed);
    assert!(matches!(events.next().await, Some(Event::Disconnected { .. })));
    assert!(events.next().await.is_none());
    link.close(SOON).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn closing_gives_up_at_its_deadline() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    let serving = async {
        question(&mut peer).await;
        // No answer, ever.
        peer.frame().await;
    };
    let (failed, closed, ()) =
        tokio::join!(ask(&link, 1), link.close(Duration::from_secs(1)), serving);
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Disconnected);
    match closed.unwrap_err() {
        Error::TimedOut { after } => assert_eq!(after, Duration::from_secs(1)),
        other => panic!("unexpected {other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn closing_gives_up_on_a_server_that_is_not_there() {
    let server = FakeServer::bind().await;
    let session = Stateless(ServiceKind::GlobalData);
    let link = Link::connect_lazy(server.address(), Options::default(), session).unwrap();
    link.send(&one()).await.unwrap();
    match link.close(Duration::from_secs(1)).await.unwrap_err() {
        Error::TimedOut { after } => assert_eq!(after, Duration::from_secs(1)),
        other => panic!("unexpected {other}"),
    }
}

#[tokio::test]
async fn dropping_the_last_handle_delivers_what_was_sent_and_ends_the_connection() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    for _ in 0..1000 {
        link.send(&one()).await.unwrap();
    }
    drop(link);
    for _ in 0..1000 {
        assert_eq!(question(&mut peer).await, (0, 1));
    }
    assert!(peer.next().await.is_none());
}

#[tokio::test]
async fn dropping_the_last_handle_before_there_is_a_connection_delivers_what_was_sent() {
    let server = FakeServer::bind().await;
    let session = Stateless(ServiceKind::GlobalData);
    let link = Link::connect_lazy(server.address(), Options::default(), session).unwrap();
    for _ in 0..3 {
        link.send(&one()).await.unwrap();
    }
    drop(link);
    let mut peer = timeout(SOON, server.welcome()).await.expect("a connection");
    for _ in 0..3 {
        assert_eq!(question(&mut peer).await, (0, 1));
    }
    assert!(peer.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_waits_for_a_connection_no_longer_than_a_call() {
    let server = FakeServer::bind().await;
    let session = Stateless(ServiceKind::GlobalData);
    let link = Link::connect_lazy(server.address(), Options::default(), session).unwrap();
    let mut events = link.events();
    link.send(&one()).await.unwrap();
    let dropped = Instant::now();
    drop(link);
    assert!(events.next().await.is_none());
    let waited = dropped.elapsed();
    assert!(waited >= SOON && waited < SOON * 2, "{waited:?}");
}

#[tokio::test]
async fn closing_without_a_connection_ends_at_once() {
    let server = FakeServer::bind().await;
    let (link, peer) = connected(&server, Options::default()).await;
    let mut events = link.events();
    drop((peer, server));
    assert!(matches!(events.next().await, Some(Event::Disconnected { .. })));
    link.close(SOON).await.unwrap();
    assert_eq!(ask(&link, 1).await.unwrap_err().kind(), ErrorKind::Closed);
}
