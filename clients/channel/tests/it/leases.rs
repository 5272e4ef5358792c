//! Leases: renewed while somebody has their jobs, and told when they are over.

use crate::dialogue::{connected, grant, hear, job, leased};
use crate::support::FakeServer;
use futures_util::FutureExt;
use std::time::Duration;
use workyard_channel::{ErrorKind, Event};
use workyard_protocol::channel::Reply;

/// Short enough for a test to see a third of it pass.
const LEASE_MS: u32 = 600;

#[tokio::test]
async fn a_job_is_renewed_as_long_as_somebody_has_it_and_then_given_back() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (consumer, ()) = tokio::join!(client.consume("q", 2), grant(&mut peer, "consume q 2"));
    let mut consumer = consumer.unwrap();
    leased(&mut peer, "q", 1, LEASE_MS).await;
    leased(&mut peer, "q", 2, LEASE_MS).await;
    let held = consumer.next().await.unwrap();
    assert_eq!((held.id(), held.lease(), held.is_lost()), (1, 1, false));
    // The other one waits in the buffer: that is held too.
    for _ in 0..2 {
        let id = hear(&mut peer, "renew [1, 2]").await;
        peer.reply(id, Reply::Renewed { lost: vec![] }).await;
    }
    let (acked, ()) = tokio::join!(held.ack(), grant(&mut peer, "ack 1"));
    acked.unwrap();
    let _ = consumer.next().await.unwrap();
    grant(&mut peer, "nack 2").await;
}

#[tokio::test]
async fn whoever_has_lost_a_lease_is_told_and_asks_nothing_more() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (consumer, ()) = tokio::join!(client.consume("q", 3), grant(&mut peer, "consume q 3"));
    let mut consumer = consumer.unwrap();
    for number in [1, 2, 3] {
        leased(&mut peer, "q", number, LEASE_MS).await;
    }
    let held = consumer.next().await.unwrap();
    assert!(held.lost().now_or_never().is_none());
    let id = hear(&mut peer, "renew [1, 2, 3]").await;
    peer.reply(id, Reply::Renewed { lost: vec![1, 2] }).await;
    held.lost().await;
    assert_eq!(held.ack().await.unwrap_err().kind(), ErrorKind::LeaseLost);
    let next = consumer.next().await.unwrap();
    assert_eq!(next.id(), 3, "what was lost in the buffer is not yielded");
    let id = hear(&mut peer, "renew [3]").await;
    peer.reply(id, Reply::Renewed { lost: vec![] }).await;
}

#[tokio::test]
async fn a_lost_connection_is_a_lost_lease() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (consumer, ()) = tokio::join!(client.consume("q", 1), grant(&mut peer, "consume q 1"));
    let mut consumer = consumer.unwrap();
    let mut events = client.events();
    job(&mut peer, "q", 1).await;
    let held = consumer.next().await.unwrap();
    drop(peer);
    while !matches!(events.next().await, Some(Event::Disconnected { .. })) {}
    assert!(held.is_lost());
    held.lost().await;
}

#[tokio::test]
async fn a_lease_can_be_renewed_by_hand() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (consumer, ()) = tokio::join!(client.consume("q", 1), grant(&mut peer, "consume q 1"));
    let mut consumer = consumer.unwrap();
    job(&mut peer, "q", 1).await;
    let held = consumer.next().await.unwrap();
    for lost in [vec![], vec![1]] {
        let serving = async {
            let id = hear(&mut peer, "renew [1]").await;
            peer.reply(id, Reply::Renewed { lost: lost.clone() }).await;
        };
        let (renewed, ()) = tokio::join!(held.renew(), serving);
        assert_eq!(renewed.is_ok(), lost.is_empty());
        assert_eq!(held.is_lost(), !lost.is_empty());
    }
}

#[tokio::test]
async fn jobs_that_no_consumer_is_there_for_are_given_back() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (consumer, ()) = tokio::join!(client.consume("q", 2), grant(&mut peer, "consume q 2"));
    leased(&mut peer, "q", 1, LEASE_MS).await;
    drop(consumer);
    grant(&mut peer, "cancel q").await;
    leased(&mut peer, "q", 2, LEASE_MS).await;
    grant(&mut peer, "nack 1").await;
    grant(&mut peer, "nack 2").await;
    let (consumer, ()) = tokio::join!(client.consume("q", 1), grant(&mut peer, "consume q 1"));
    assert!(consumer.unwrap().next().now_or_never().is_none());
}

#[tokio::test]
async fn a_job_is_given_back_with_a_delay_and_a_reason() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (consumer, ()) = tokio::join!(client.consume("q", 9), grant(&mut peer, "consume q 9"));
    let mut consumer = consumer.unwrap();
    for number in 1..=4 {
        job(&mut peer, "q", number).await;
    }
    let delay = Duration::from_millis(1500);
    let held = consumer.next().await.unwrap();
    assert_eq!(
        held.nack_because(&"r".repeat(1025)).await.unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
    assert_eq!(
        held.nack_after(Duration::MAX).await.unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
    let (done, ()) = tokio::join!(held.nack(), grant(&mut peer, "nack 1"));
    done.unwrap();
    let held = consumer.next().await.unwrap();
    let expected = "nack 2 Some(Delay(1500)) None";
    let (done, ()) = tokio::join!(held.nack_after(delay), grant(&mut peer, expected));
    done.unwrap();
    let held = consumer.next().await.unwrap();
    let expected = "nack 3 None Some(NackReason(\"no route\"))";
    let (done, ()) = tokio::join!(held.nack_because("no route"), grant(&mut peer, expected));
    done.unwrap();
    let held = consumer.next().await.unwrap();
    let expected = "nack 4 Some(Delay(1500)) Some(NackReason(\"\"))";
    let (done, ()) =
        tokio::join!(held.nack_with(Some(delay), Some("")), grant(&mut peer, expected));
    done.unwrap();
}
