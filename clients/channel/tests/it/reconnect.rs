//! After a reconnect everything is as it was, but for what was missed.

use crate::dialogue::{connected, grant, hear, in_words, message};
use crate::support::{FakeServer, Peer, a_welcome};
use workyard_channel::{ChannelClient, DisconnectReason, Event};
use workyard_protocol::Reason;
use workyard_protocol::channel::{Delivery, Reply};
use workyard_protocol::control::Welcome;

async fn lost(client: &ChannelClient, peer: Peer) {
    let mut events = client.events();
    drop(peer);
    while !matches!(events.next().await, Some(Event::Disconnected { .. })) {}
}

#[tokio::test]
async fn everything_is_restored_before_anything_else_is_sent() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let asking = async {
        let plain = client.subscribe("a").await.unwrap();
        let again = client.subscribe("a").await.unwrap();
        let pattern = client.subscribe_pattern("b.*").await.unwrap();
        let group = client.subscribe_group("c", "g").await.unwrap();
        let gone = client.subscribe("gone").await.unwrap();
        let consumer = client.consume("q", 4).await.unwrap();
        drop(gone);
        (plain, again, pattern, group, consumer)
    };
    let serving = async {
        for expected in [
            "subscribe a",
            "subscribe pattern:b.*",
            "subscribe c@g",
            "subscribe gone",
            "consume q 4",
            "unsubscribe gone",
        ] {
            grant(&mut peer, expected).await;
        }
        peer
    };
    let ((mut plain, mut again, _pattern, _group, _consumer), peer) = tokio::join!(asking, serving);
    lost(&client, peer).await;
    let serving = async {
        let mut peer = server.welcome().await;
        grant(&mut peer, "subscribe a c@g pattern:b.*").await;
        grant(&mut peer, "consume q 4").await;
        let id = hear(&mut peer, "publish x 1").await;
        peer.reply(id, Reply::Published { receivers: 0 }).await;
        message(&mut peer, Delivery::Everybody, "a", 1).await;
        message(&mut peer, Delivery::Everybody, "a", 2).await;
        peer
    };
    let (published, _peer) = tokio::join!(client.publish("x", &1), serving);
    published.unwrap();
    for subscription in [&mut plain, &mut again] {
        let first = subscription.next().await.unwrap();
        assert!(first.interrupted_before(), "messages may have been missed");
        assert!(!subscription.next().await.unwrap().interrupted_before());
    }
}

#[tokio::test]
async fn a_subscription_dropped_while_there_is_no_connection_is_not_restored() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (one, ()) = tokio::join!(client.subscribe("a"), grant(&mut peer, "subscribe a"));
    let (two, ()) = tokio::join!(client.subscribe("b"), grant(&mut peer, "subscribe b"));
    lost(&client, peer).await;
    drop(one);
    let mut peer = server.welcome().await;
    grant(&mut peer, "subscribe b").await;
    drop(two);
    grant(&mut peer, "unsubscribe b").await;
}

#[tokio::test]
async fn a_subscribe_that_was_in_flight_is_asked_again() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        hear(&mut peer, "subscribe a").await;
        drop(peer);
        let mut peer = server.welcome().await;
        grant(&mut peer, "subscribe a").await;
        message(&mut peer, Delivery::Everybody, "a", 1).await;
        peer
    };
    let (subscription, _peer) = tokio::join!(client.subscribe("a"), serving);
    let received = subscription.unwrap().next().await.unwrap();
    assert!(!received.interrupted_before(), "it has only begun");
}

#[tokio::test]
async fn an_answer_to_another_question_ends_the_connection() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut events = client.events();
    let serving = async {
        let id = hear(&mut peer, "subscribe a").await;
        peer.reply(id, Reply::Published { receivers: 1 }).await;
        let mut peer = server.welcome().await;
        grant(&mut peer, "subscribe a").await;
        peer
    };
    let (subscription, mut peer) = tokio::join!(client.subscribe("a"), serving);
    let reason = DisconnectReason::Malformed(
        "Published { receivers: 1 } is no answer to this request".to_owned(),
    );
    match events.next().await {
        Some(Event::Disconnected { reason: told, .. }) => assert_eq!(told, reason),
        other => panic!("unexpected {other:?}"),
    }
    let mut subscription = subscription.unwrap();
    let serving = async {
        let id = hear(&mut peer, "unsubscribe a").await;
        peer.reply(id, Reply::Published { receivers: 1 }).await;
    };
    let (unsubscribed, ()) = tokio::join!(subscription.unsubscribe(), serving);
    unsubscribed.unwrap();
}

#[tokio::test]
async fn a_second_outage_before_the_first_was_made_good_is_told_too() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (subscription, ()) = tokio::join!(client.subscribe("a"), grant(&mut peer, "subscribe a"));
    let mut subscription = subscription.unwrap();
    lost(&client, peer).await;
    let mut peer = server.welcome().await;
    hear(&mut peer, "subscribe a").await;
    message(&mut peer, Delivery::Everybody, "a", 1).await;
    assert!(subscription.next().await.unwrap().interrupted_before());
    lost(&client, peer).await;
    let mut peer = server.welcome().await;
    grant(&mut peer, "subscribe a").await;
    message(&mut peer, Delivery::Everybody, "a", 2).await;
    assert!(subscription.next().await.unwrap().interrupted_before());
}

#[tokio::test]
async fn a_consumer_that_was_in_flight_is_asked_again() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        hear(&mut peer, "consume q 1").await;
        drop(peer);
        let mut peer = server.welcome().await;
        grant(&mut peer, "consume q 1").await;
        peer
    };
    let (consumer, _peer) = tokio::join!(client.consume("q", 1), serving);
    drop(consumer.unwrap());
}

#[tokio::test]
async fn an_unsubscribe_that_was_in_flight_is_done() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (subscription, ()) = tokio::join!(client.subscribe("a"), grant(&mut peer, "subscribe a"));
    let mut subscription = subscription.unwrap();
    let serving = async {
        hear(&mut peer, "unsubscribe a").await;
        drop(peer);
    };
    let (done, ()) = tokio::join!(subscription.unsubscribe(), serving);
    done.unwrap();
}

#[tokio::test]
async fn what_a_new_server_refuses_is_found_and_ends_alone() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut all = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let heard = format!("subscribe {name}");
        let (subscription, ()) = tokio::join!(client.subscribe(name), grant(&mut peer, &heard));
        all.push(subscription.unwrap());
    }
    lost(&client, peer).await;
    let mut events = client.events();
    let mut peer = server.welcome_as(Welcome { epoch: 8, ..a_welcome() }).await;
    // All four, then each half, then each half of the half that has the one.
    for _ in 0..5 {
        let frame = peer.next().await.unwrap();
        let (id, request) = frame.request();
        match in_words(&request).split(' ').any(|word| word == "c") {
            true => peer.refuse(id, Reason::LimitReached).await,
            false => peer.reply(id, Reply::Done).await,
        }
    }
    let refused = loop {
        match events.next().await {
            Some(Event::RestoreRefused { name, .. }) => break name,
            Some(Event::Connected { resumed, .. }) => assert!(!resumed),
            other => panic!("unexpected {other:?}"),
        }
    };
    assert_eq!(refused, "c");
    assert!(all[2].next().await.is_none());
    message(&mut peer, Delivery::Everybody, "d", 1).await;
    assert!(all[3].next().await.is_some());
}
