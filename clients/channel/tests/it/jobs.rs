//! Work queues: jobs, acknowledgements, and whose a job is.

use crate::dialogue::{connected, grant, hear, job};
use crate::support::{FakeServer, Peer};
use futures_util::FutureExt;
use workyard_channel::{ChannelClient, Consumer, ErrorKind, Event, Reason};
use workyard_protocol::channel::Reply;

async fn consuming(
    client: &ChannelClient,
    peer: &mut Peer,
    prefetch: u32,
    heard: &str,
) -> Consumer {
    let (consumer, ()) = tokio::join!(client.consume("q", prefetch), grant(peer, heard));
    consumer.unwrap()
}

#[tokio::test]
async fn jobs_are_stored_consumed_and_acknowledged() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        let id = hear(&mut peer, "enqueue q work").await;
        peer.reply(id, Reply::Enqueued { job: 41, duplicate: false }).await;
    };
    let (stored, ()) = tokio::join!(client.enqueue("q", "work"), serving);
    assert_eq!(stored.unwrap(), 41);

    let mut consumer = consuming(&client, &mut peer, 2, "consume q 2").await;
    job(&mut peer, "q", 41).await;
    let held = consumer.next().await.unwrap();
    assert_eq!((held.id(), held.attempt(), held.queue()), (41, 1, &b"q"[..]));
    assert_eq!(held.decode::<i64>().unwrap(), 41);
    let (acked, ()) = tokio::join!(held.ack(), grant(&mut peer, "ack 41"));
    acked.unwrap();
}

#[tokio::test]
async fn a_job_of_a_lost_connection_is_no_longer_ours() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut consumer = consuming(&client, &mut peer, 3, "consume q 3").await;
    for number in [1, 2, 3] {
        job(&mut peer, "q", number).await;
    }
    let first = consumer.next().await.unwrap();
    let second = consumer.next().await.unwrap();
    let mut events = client.events();
    drop(peer);
    while !matches!(events.next().await, Some(Event::Disconnected { .. })) {}
    assert_eq!(first.ack().await.unwrap_err().kind(), ErrorKind::LeaseLost);
    let mut peer = server.welcome().await;
    grant(&mut peer, "consume q 3").await;
    job(&mut peer, "q", 2).await;
    let again = consumer.next().await.unwrap();
    assert_eq!(again.id(), 2, "what waited from the old connection is gone");
    assert_eq!(second.ack().await.unwrap_err().kind(), ErrorKind::LeaseLost);
    let (acked, ()) = tokio::join!(again.ack(), grant(&mut peer, "ack 2"));
    acked.unwrap();
}

#[tokio::test]
async fn an_ack_that_was_in_flight_may_have_been_carried_out() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut consumer = consuming(&client, &mut peer, 1, "consume q 1").await;
    job(&mut peer, "q", 1).await;
    let held = consumer.next().await.unwrap();
    let serving = async {
        hear(&mut peer, "ack 1").await;
        drop(peer);
    };
    let (acked, ()) = tokio::join!(held.ack(), serving);
    let error = acked.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert!(error.outcome_unknown());
}

#[tokio::test]
async fn a_job_that_the_server_does_not_know_is_a_lost_lease() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut consumer = consuming(&client, &mut peer, 1, "consume q 1").await;
    job(&mut peer, "q", 1).await;
    let held = consumer.next().await.unwrap();
    let serving = async {
        let id = hear(&mut peer, "ack 1").await;
        peer.refuse(id, Reason::UnknownJob).await;
    };
    let (acked, ()) = tokio::join!(held.ack(), serving);
    assert_eq!(acked.unwrap_err().kind(), ErrorKind::LeaseLost);
}

#[tokio::test]
async fn consumers_of_one_queue_share_their_prefetch_and_the_idle_one_is_served() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut one = consuming(&client, &mut peer, 2, "consume q 2").await;
    let mut two = consuming(&client, &mut peer, 1, "consume q 3").await;
    for number in [1, 2, 3] {
        job(&mut peer, "q", number).await;
    }
    let held = [one.next().await.unwrap(), one.next().await.unwrap(), two.next().await.unwrap()];
    let heard = format!("ack {}", held[2].id());
    let (acked, ()) = tokio::join!(held[2].ack(), grant(&mut peer, &heard));
    acked.unwrap();
    job(&mut peer, "q", 4).await;
    assert_eq!(two.next().await.unwrap().id(), 4, "the other one is still busy");
    drop(one);
    grant(&mut peer, "consume q 1").await;
    drop(two);
    grant(&mut peer, "cancel q").await;
}

#[tokio::test]
async fn cancelling_leaves_what_has_arrived() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut consumer = consuming(&client, &mut peer, 5, "consume q 5").await;
    job(&mut peer, "q", 1).await;
    job(&mut peer, "q", 2).await;
    assert_eq!(consumer.next().await.unwrap().id(), 1);
    let (cancelled, ()) = tokio::join!(consumer.cancel(), grant(&mut peer, "cancel q"));
    cancelled.unwrap();
    let held = consumer.next().await.unwrap();
    let (acked, ()) = tokio::join!(held.ack(), grant(&mut peer, "ack 2"));
    acked.unwrap();
    assert!(consumer.next().await.is_none());
}

#[tokio::test]
async fn a_cancelled_consumer_still_yields_what_was_on_its_way() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut consumer = consuming(&client, &mut peer, 5, "consume q 5").await;
    job(&mut peer, "q", 1).await;
    let serving = async {
        let id = hear(&mut peer, "cancel q").await;
        // Handed out before the server heard of the end.
        job(&mut peer, "q", 2).await;
        peer.reply(id, Reply::Done).await;
    };
    let (cancelled, ()) = tokio::join!(consumer.cancel(), serving);
    cancelled.unwrap();
    consumer.cancel().await.unwrap();
    assert_eq!(consumer.next().await.unwrap().id(), 1);
    let held = consumer.next().await.unwrap();
    let (acked, ()) = tokio::join!(held.ack(), grant(&mut peer, "ack 2"));
    acked.unwrap();
    assert!(consumer.next().await.is_none());
}

#[tokio::test]
async fn a_cancelled_consumer_comes_before_the_one_made_after_it() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut one = consuming(&client, &mut peer, 1, "consume q 1").await;
    let serving = async {
        let cancel = hear(&mut peer, "cancel q").await;
        let consume = hear(&mut peer, "consume q 9").await;
        job(&mut peer, "q", 1).await;
        peer.reply(cancel, Reply::Done).await;
        peer.reply(consume, Reply::Done).await;
        job(&mut peer, "q", 2).await;
    };
    let (cancelled, two, ()) = tokio::join!(one.cancel(), client.consume("q", 9), serving);
    cancelled.unwrap();
    assert_eq!(one.next().await.unwrap().id(), 1);
    assert!(one.next().await.is_none());
    let mut two = two.unwrap();
    assert_eq!(two.next().await.unwrap().id(), 2);
    drop(two);
    grant(&mut peer, "cancel q").await;
}

#[tokio::test]
async fn a_cancel_that_was_in_flight_is_done_and_not_restored() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut consumer = consuming(&client, &mut peer, 5, "consume q 5").await;
    let serving = async {
        job(&mut peer, "q", 1).await;
        hear(&mut peer, "cancel q").await;
        drop(peer);
    };
    let (cancelled, ()) = tokio::join!(consumer.cancel(), serving);
    cancelled.unwrap();
    assert!(consumer.next().await.is_none(), "its jobs went back with the connection");
    let mut peer = server.welcome().await;
    let (stored, ()) =
        tokio::join!(client.consume("other", 1), grant(&mut peer, "consume other 1"));
    drop(stored.unwrap());
}

#[tokio::test]
async fn jobs_of_a_dropped_consumer_are_for_the_next_one() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut consumer = consuming(&client, &mut peer, 5, "consume q 5").await;
    for number in [1, 2, 3] {
        job(&mut peer, "q", number).await;
    }
    assert_eq!(consumer.next().await.unwrap().id(), 1);
    drop(consumer);
    grant(&mut peer, "cancel q").await;
    // This one was on its way when the server heard of the end.
    job(&mut peer, "q", 4).await;
    let mut next = consuming(&client, &mut peer, 1, "consume q 1").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let held = next.next().await.unwrap();
        ids.push(held.id());
    }
    assert_eq!(ids, [2, 3, 4]);
    assert!(next.next().now_or_never().is_none());
}

#[tokio::test]
async fn a_refused_consumer_is_an_error_and_leaves_nothing() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        let id = hear(&mut peer, "consume q 1").await;
        peer.refuse(id, Reason::LimitReached).await;
    };
    let (refused, ()) = tokio::join!(client.consume("q", 1), serving);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Refused);
    consuming(&client, &mut peer, 2, "consume q 2").await.cancel().now_or_never();
    grant(&mut peer, "cancel q").await;
}
