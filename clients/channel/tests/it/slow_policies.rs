//! Slow receivers that are not content with losing the newest: what their server is asked, and what they are
//! told.

use crate::dialogue::{connected, connected_as, grant, hear, message};
use crate::slow::{gap, settle, told};
use crate::support::{FakeServer, Peer};
use std::time::Duration;
use workyard_channel::{
    ChannelClient, DisconnectReason, Error, Event, Events, GapCause, Subscribing, Subscription,
    WhenSlow,
};
use workyard_protocol::Reason;
use workyard_protocol::channel::{Delivery, Reply};

/// A client whose subscriptions have room for so many messages.
async fn narrow(server: &FakeServer, messages: usize) -> (ChannelClient, Peer) {
    let builder = ChannelClient::builder(server.address()).subscription_messages_max(messages);
    connected_as(server, builder).await
}

/// A client that says nothing has said something wrong.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("it is said within seconds")
}

async fn granted(peer: &mut Peer, subscribing: Subscribing, expected: &str) -> Subscription {
    let (subscription, ()) = soon(async { tokio::join!(subscribing, grant(peer, expected)) }).await;
    subscription.unwrap()
}

async fn messages(peer: &mut Peer, channel: &str, numbers: std::ops::Range<i64>) {
    for number in numbers {
        message(peer, Delivery::Everybody, channel, number).await;
    }
}

/// How many messages were lost here, when so many have been told of; whether a stream has ended.
async fn events_until(events: &mut Events, lost: u64, ends: bool) {
    let (mut count, mut has_ended) = (0, false);
    while count < lost || has_ended != ends {
        match events.next().await {
            Some(Event::Gap { missed, cause: GapCause::Subscription, .. }) => count += missed,
            Some(Event::TooSlow { name }) => {
                assert_eq!(name, "a");
                has_ended = true;
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!((count, has_ended), (lost, ends));
}

#[tokio::test]
async fn the_oldest_are_dropped_and_the_next_one_says_how_many() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = narrow(&server, 3).await;
    let mut events = client.events();
    let subscribing = client.subscribe("a").when_slow(WhenSlow::DropOldest);
    let mut subscription = granted(&mut peer, subscribing, "subscribe a DropOldest").await;
    messages(&mut peer, "a", 0..2).await;
    gap(&mut peer, Some("a"), 3, 10).await;
    messages(&mut peer, "a", 12..17).await;
    settle(&client, &mut peer).await;
    let first = subscription.next().await.unwrap();
    // Two and two that were dropped here, ten by the server.
    assert_eq!((told(&first), first.missed_numbers_before()), ((14, 14), Some(1..=14)));
    for number in [15, 16] {
        assert_eq!(told(&subscription.next().await.unwrap()), (number, 0));
    }
    let mut gaps = 0;
    while gaps < 14 {
        match events.next().await {
            Some(Event::Gap { missed, .. }) => gaps += missed,
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!(gaps, 14);
}

#[tokio::test]
async fn the_latest_of_each_channel_stays() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = narrow(&server, 4).await;
    let mut events = client.events();
    let subscribing = client.subscribe_pattern("p.*").when_slow(WhenSlow::Latest);
    let mut subscription = granted(&mut peer, subscribing, "subscribe pattern:p.* Latest").await;
    messages(&mut peer, "p.a", 0..3).await;
    messages(&mut peer, "p.b", 0..5).await;
    settle(&client, &mut peer).await;
    for (channel, number, missed) in [("p.a", 2, 2), ("p.b", 4, 4)] {
        let message = subscription.next().await.unwrap();
        assert_eq!((message.channel_str().as_ref(), told(&message)), (channel, (number, missed)));
        assert_eq!(message.missed_numbers_before(), Some(1..=missed));
    }
    events_until(&mut events, 6, false).await;
}

#[tokio::test]
async fn one_that_shall_miss_nothing_ends_when_its_buffer_is_full() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = narrow(&server, 2).await;
    let mut events = client.events();
    let mut other = granted(&mut peer, client.subscribe("a"), "subscribe a").await;
    let subscribing = client.subscribe("a").when_slow(WhenSlow::Disconnect);
    let mut strict = granted(&mut peer, subscribing, "subscribe a Disconnect").await;
    messages(&mut peer, "a", 0..2).await;
    settle(&client, &mut peer).await;
    assert_eq!(told(&other.next().await.unwrap()), (0, 0));
    messages(&mut peer, "a", 2..3).await;
    // The others are content with less.
    soon(grant(&mut peer, "subscribe a")).await;
    assert!(strict.was_too_slow() && !other.was_too_slow());
    for number in 0..2 {
        assert_eq!(told(&strict.next().await.unwrap()), (number, 0));
    }
    assert!(soon(strict.next()).await.is_none());
    assert_eq!(told(&other.next().await.unwrap()), (1, 0));
    assert_eq!(told(&other.next().await.unwrap()), (2, 0));
    events_until(&mut events, 1, true).await;
    drop(other);
    soon(grant(&mut peer, "unsubscribe a")).await;
}

#[tokio::test]
async fn a_server_that_disconnects_the_slow_ends_only_those_who_wanted_that() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut events = client.events();
    let subscribing = client.subscribe("a").when_slow(WhenSlow::Disconnect);
    let mut strict = granted(&mut peer, subscribing, "subscribe a Disconnect").await;
    let subscribing = client.subscribe("b").when_slow(WhenSlow::DropOldest);
    let mut other = granted(&mut peer, subscribing, "subscribe b DropOldest").await;
    messages(&mut peer, "a", 0..1).await;
    peer.goodbye(Reason::SlowConsumer, None).await;
    let mut peer = server.welcome().await;
    soon(grant(&mut peer, "subscribe b DropOldest")).await;
    assert_eq!(told(&strict.next().await.unwrap()), (0, 0));
    assert!(strict.next().await.is_none() && strict.was_too_slow());
    messages(&mut peer, "b", 0..1).await;
    assert!(other.next().await.unwrap().interrupted_before() && !other.was_too_slow());
    assert!(matches!(events.next().await, Some(Event::TooSlow { name }) if name == "a"));
    assert!(matches!(
        events.next().await,
        Some(Event::Disconnected { reason: DisconnectReason::Goodbye(refusal), .. })
            if refusal.reason == Reason::SlowConsumer
    ));
}

#[tokio::test]
async fn another_end_of_the_connection_ends_nobody() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let subscribing = client.subscribe_group("a", "g").when_slow(WhenSlow::Disconnect);
    let mut strict = granted(&mut peer, subscribing, "subscribe a@g Disconnect").await;
    drop(peer);
    let mut peer = server.welcome().await;
    soon(grant(&mut peer, "subscribe a@g Disconnect")).await;
    let delivery = Delivery::Group(workyard_protocol::GroupName::new("g").unwrap());
    message(&mut peer, delivery, "a", 0).await;
    assert!(strict.next().await.unwrap().interrupted_before() && !strict.was_too_slow());
}

#[tokio::test]
async fn the_server_is_asked_for_what_the_most_careful_wants() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let latest = client.subscribe("a").when_slow(WhenSlow::Latest);
    let latest = granted(&mut peer, latest, "subscribe a Latest").await;
    // It is subscribed to already, with more care.
    let plain = client.subscribe("a").await.unwrap();
    let oldest = client.subscribe("a").when_slow(WhenSlow::DropOldest);
    let oldest = granted(&mut peer, oldest, "subscribe a DropOldest").await;
    drop(latest);
    settle(&client, &mut peer).await;
    drop(oldest);
    soon(grant(&mut peer, "subscribe a")).await;
    drop(plain);
    soon(grant(&mut peer, "unsubscribe a")).await;
}

#[tokio::test]
async fn who_follows_with_history_is_left_with_no_policy() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let subscribing = client.subscribe("a").with_history();
    let hearing = async {
        let id = hear(&mut peer, "subscribe a from the last 0 as 1").await;
        peer.reply(id, Reply::Subscribed { marks: vec![7] }).await;
    };
    let (follower, ()) = tokio::join!(subscribing, hearing);
    let follower = follower.unwrap();
    let oldest = client.subscribe("a").when_slow(WhenSlow::DropOldest);
    let oldest = granted(&mut peer, oldest, "subscribe a DropOldest").await;
    drop(oldest);
    soon(grant(&mut peer, "subscribe a")).await;
    drop(follower);
    soon(grant(&mut peer, "unsubscribe a")).await;
}

#[tokio::test]
async fn history_and_a_policy_or_a_group_are_refused_together() {
    let server = FakeServer::bind().await;
    let (client, _peer) = connected(&server).await;
    for subscribing in [
        client.subscribe("a").with_history().when_slow(WhenSlow::DropOldest),
        client.subscribe_pattern("a.*").when_slow(WhenSlow::Latest).last(3),
        client.subscribe("a").when_slow(WhenSlow::Disconnect).last(0),
        client.subscribe_group("a", "g").with_history(),
    ] {
        let refused = subscribing.await;
        assert!(matches!(refused, Err(Error::InvalidArgument(_))), "{refused:?}");
    }
}
