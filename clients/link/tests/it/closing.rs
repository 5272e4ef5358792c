//! The end: what was sent arrives, and nobody waits for ever.

use crate::requests::{answer, ask, connected, question};
use crate::support::FakeServer;
use std::time::Duration;
use workyard_link::{ErrorKind, Event, Options};
use workyard_protocol::Key;
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
    assert_eq!(closed.unwrap_err().kind(), ErrorKind::TimedOut);
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
async fn closing_without_a_connection_ends_at_once() {
    let server = FakeServer::bind().await;
    let (link, peer) = connected(&server, Options::default()).await;
    let mut events = link.events();
    drop((peer, server));
    assert!(matches!(events.next().await, Some(Event::Disconnected { .. })));
    link.close(SOON).await.unwrap();
    assert_eq!(ask(&link, 1).await.unwrap_err().kind(), ErrorKind::Closed);
}
