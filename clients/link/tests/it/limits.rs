//! What is refused here, so that the server need not end the connection over it.

use crate::requests::{answer, ask, connected, question};
use crate::support::{FakeServer, a_welcome};
use futures_util::FutureExt;
use std::pin::pin;
use std::time::Duration;
use workyard_link::{Backoff, Error, ErrorKind, Event, Link, Options, Stateless};
use workyard_protocol::control::{ServiceKind, Welcome};
use workyard_protocol::globaldata::{Expect, Expiry, Request, Write};
use workyard_protocol::limits::FRAME_BYTES_MAX;
use workyard_protocol::{Key, ValueRef};

fn write(bytes: &[u8]) -> Request<'_> {
    let key = Key::new("k").unwrap();
    let (expect, expiry) = (Expect::Any, Expiry::Never);
    Request::Write(Write { key, expect, expiry, value: ValueRef::raw(bytes) })
}

#[tokio::test]
async fn a_request_above_the_servers_limit_is_not_sent() {
    let server = FakeServer::bind().await;
    let session = Stateless(ServiceKind::GlobalData);
    let connecting = Link::connect(server.address(), Options::default(), session);
    let welcome = server.welcome_as(Welcome { frame_bytes_max: 1000, ..a_welcome() });
    let (link, mut peer) = tokio::join!(connecting, welcome);
    let link = link.unwrap();
    let overhead = 9 + 5;
    match link.request(&write(&vec![0; 1001 - overhead])).await.unwrap_err() {
        Error::TooLarge { bytes: 1001, limit: 1000 } => {}
        other => panic!("unexpected {other}"),
    }
    let error = link.send(&write(&vec![0; 1001 - overhead])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    link.send(&write(&vec![0; 1000 - overhead])).await.unwrap();
    assert_eq!(peer.next().await.unwrap().0.len() + 4, 1000);
}

#[tokio::test]
async fn what_was_queued_under_another_limit_is_refused_when_its_turn_comes() {
    let server = FakeServer::bind().await;
    let session = Stateless(ServiceKind::GlobalData);
    let link = Link::connect_lazy(server.address(), Options::default(), session).unwrap();
    let mut events = link.events();
    let large = vec![0; 2000];
    link.send(&write(&large)).await.unwrap();
    let message = write(&large);
    let asking = link.request(&message);
    let serving = server.welcome_as(Welcome { frame_bytes_max: 1000, ..a_welcome() });
    let (refused, _peer) = tokio::join!(asking, serving);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::TooLarge);
    assert!(matches!(events.next().await, Some(Event::Connected { .. })));
    assert!(matches!(events.next().await, Some(Event::Refused(_))));
}

#[tokio::test]
async fn a_full_queue_makes_senders_wait() {
    let server = FakeServer::bind().await;
    let mut options = Options::default();
    options.commands_max = 2;
    let session = Stateless(ServiceKind::GlobalData);
    let link = Link::connect_lazy(server.address(), options, session).unwrap();
    link.send(&write(b"1")).await.unwrap();
    link.send(&write(b"2")).await.unwrap();
    let message = write(b"3");
    let mut third = pin!(link.send(&message));
    assert!((&mut third).now_or_never().is_none());
    let mut peer = server.welcome().await;
    third.await.unwrap();
    for _ in 0..3 {
        peer.next().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_found_no_room_in_the_queue_was_certainly_not_sent() {
    let server = FakeServer::bind().await;
    let mut options = Options::default();
    options.commands_max = 1;
    // Welcomed, so that it is not for want of a connection, and then never read from.
    let (link, _peer) = connected(&server, options).await;
    let body = vec![0; 1_000_000];
    let message = write(&body);
    let error = loop {
        if let Err(error) = link.send(&message).await {
            break error;
        }
    };
    assert!(!error.outcome_unknown(), "{error}");
    assert!(error.to_string().contains("full for 5s"), "{error}");
}

#[tokio::test]
async fn before_a_welcome_no_limit_is_assumed() {
    let server = FakeServer::bind().await;
    let session = Stateless(ServiceKind::GlobalData);
    let link = Link::connect_lazy(server.address(), Options::default(), session).unwrap();
    let large = vec![0; FRAME_BYTES_MAX + 1];
    link.send(&write(&large)).await.unwrap();
}

#[tokio::test]
async fn no_time_is_too_long() {
    let server = FakeServer::bind().await;
    let mut options = Options::default();
    options.call_timeout = Duration::MAX;
    options.connect_timeout = Duration::MAX;
    options.backoff = Backoff { first: Duration::MAX, max: Duration::MAX };
    let (link, mut peer) = connected(&server, options).await;
    let serving = async {
        let asked = question(&mut peer).await;
        answer(&mut peer, asked).await;
        while peer.next().await.is_some() {}
    };
    let calling = async {
        assert_eq!(ask(&link, 1).await.unwrap(), 1);
        link.send(&write(b"1")).await.unwrap();
        link.flush().await.unwrap();
        link.close(Duration::MAX).await.unwrap();
    };
    tokio::join!(calling, serving);
}

#[tokio::test]
async fn a_server_that_does_not_read_stops_the_senders_and_not_the_replies() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server, Options::default()).await;
    let body = vec![0; 100_000];
    let message = write(&body);
    // Sockets hold some megabytes, the write buffer and the queue a bounded number of these.
    let mut sent = 0;
    let stuck = async {
        loop {
            link.send(&message).await.unwrap();
            sent += 1;
        }
    };
    let mut call = pin!(ask(&link, 1));
    assert!((&mut call).now_or_never().is_none());
    let asked = question(&mut peer).await;
    tokio::select! {
        () = stuck => unreachable!(),
        () = tokio::time::sleep(Duration::from_millis(300)) => {}
    }
    assert!(sent > 10 && sent < 2000, "{sent} were sent");
    answer(&mut peer, asked).await;
    assert_eq!(call.await.unwrap(), 1);
}
