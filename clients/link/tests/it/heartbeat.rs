//! Both sides are heard, and whoever is not is found out.

use crate::requests::{TestLink, answer, ask, question};
use crate::support::{FakeServer, Peer, a_welcome};
use futures_util::FutureExt;
use std::time::Duration;
use tokio::time::Instant;
use workyard_link::{DisconnectReason, Event, Link, Options, Stateless, Unread};
use workyard_protocol::control::{ServiceKind, Welcome};
use workyard_protocol::globaldata::{Exists, Request};
use workyard_protocol::{Key, ToClient, ToServer};

const H: Duration = Duration::from_millis(2000);

async fn connected(server: &FakeServer) -> (TestLink, Peer) {
    let session = Stateless(ServiceKind::GlobalData);
    let connecting = Link::connect(server.address(), Options::default(), session);
    let welcome = server.welcome_as(Welcome { heartbeat_ms: 2000, ..a_welcome() });
    let (link, peer) = tokio::join!(connecting, welcome);
    (link.unwrap(), peer)
}

#[tokio::test(start_paused = true)]
async fn a_dead_peer_is_found_within_two_intervals() {
    let server = FakeServer::bind().await;
    let (link, _peer) = connected(&server).await;
    let began = Instant::now();
    match link.events().next().await {
        Some(Event::Disconnected { reason: DisconnectReason::Silent(_), .. }) => {}
        other => panic!("unexpected {other:?}"),
    }
    assert!(began.elapsed() >= H * 3 / 2, "after {:?}", began.elapsed());
    assert!(began.elapsed() <= H * 2, "after {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_is_kept_by_pings() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server).await;
    let mut heard = Instant::now();
    for _ in 0..10 {
        let frame = peer.frame().await.unwrap();
        let ToServer::Ping(token) = frame.to_server::<Unread<'_>>() else { panic!("{frame:?}") };
        assert!(heard.elapsed() < H, "heard after {:?}", heard.elapsed());
        heard = Instant::now();
        peer.pong(token).await;
    }
    assert!(link.server().is_some());
}

#[tokio::test(start_paused = true)]
async fn pings_of_the_server_are_answered() {
    let server = FakeServer::bind().await;
    let (_link, mut peer) = connected(&server).await;
    peer.send(&ToClient::<Unread<'_>, Unread<'_>>::Ping(99)).await;
    let frame = peer.frame().await.unwrap();
    assert_eq!(frame.to_server::<Unread<'_>>(), ToServer::Pong(99));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_pushes_without_end_is_still_pinged() {
    let server = FakeServer::bind().await;
    let (_link, mut peer) = connected(&server).await;
    let mut pinged = 0;
    for _ in 0..40 {
        peer.push(Unread { operation: 0xFF, body: &[] }).await;
        if let Ok(frame) = tokio::time::timeout(H / 8, peer.frame()).await {
            let frame = frame.unwrap();
            assert!(matches!(frame.to_server::<Unread<'_>>(), ToServer::Ping(_)), "{frame:?}");
            pinged += 1;
        }
    }
    assert!(pinged >= 5, "pinged {pinged} times");
}

#[tokio::test]
async fn a_ping_tells_the_round_trip_and_flush_that_it_happened() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server).await;
    let serving = async {
        let asked = question(&mut peer).await;
        answer(&mut peer, asked).await;
        peer
    };
    let asking = async {
        link.ping().await.unwrap();
        link.flush().await.unwrap();
        ask(&link, 1).await
    };
    let (answered, _peer) = tokio::join!(asking, serving);
    assert_eq!(answered.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_never_pauses_is_kept() {
    let server = FakeServer::bind().await;
    let (link, mut peer) = connected(&server).await;
    let publisher = link.clone();
    let publishing = tokio::spawn(async move {
        let key = Key::new("1").unwrap();
        while publisher.send(&Request::Exists(Exists { key })).await.is_ok() {}
    });
    let serving = tokio::spawn(async move {
        // Nothing is heard from this server but its pongs.
        while peer.next().await.is_some() {}
    });
    let mut events = link.events();
    // There is always something to send, so that nothing but this moves the time.
    for _ in 0..32 {
        for _ in 0..150 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(H / 16).await;
    }
    assert!(events.next().now_or_never().is_none(), "the connection was lost");
    publishing.abort();
    serving.abort();
}
