//! Subscriptions with history say where they stand, and go on from there.

use crate::dialogue::{connected, grant, hear, message};
use crate::support::{FakeServer, Peer, a_welcome};
use workyard_channel::{ChannelClient, Event, Subscription};
use workyard_protocol::channel::{Delivery, Push, Reply};
use workyard_protocol::control::Welcome;
use workyard_protocol::{ChannelName, Reason, ValueRef};

const A: &str = "a";

async fn replayed(peer: &mut Peer, replay: u32, sequence: u64) {
    let channel = ChannelName::new(A).unwrap();
    let value = ValueRef::Int(sequence.cast_signed());
    peer.push(Push::Replayed { replay, channel, sequence, position: sequence, value }).await;
}

async fn gap(peer: &mut Peer, replay: u32, from: u64, to: u64, missed: u64) {
    let channel = Some(ChannelName::new(A).unwrap());
    peer.push(Push::Gap { channel, from, to, missed, replay }).await;
}

/// Hears a start, and says that it stands at this mark.
async fn subscribe(peer: &mut Peer, expected: &str, mark: u64) {
    let id = hear(peer, expected).await;
    peer.reply(id, Reply::Subscribed { marks: vec![mark] }).await;
}

/// A subscription to "a" that stands at 6 and hears what is published, as replay 1.
async fn at_six(client: &ChannelClient, peer: &mut Peer) -> Subscription {
    let serving = async {
        subscribe(peer, "subscribe a from the last 0 as 1", 6).await;
        peer.push(Push::CaughtUp { replay: 1, mark: 6 }).await;
    };
    let (subscription, ()) = tokio::join!(client.subscribe(A).with_history(), serving);
    subscription.unwrap()
}

async fn lost(client: &ChannelClient, peer: Peer) {
    let mut events = client.events();
    drop(peer);
    while !matches!(events.next().await, Some(Event::Disconnected { .. })) {}
}

/// The number of the next message, how many are missing before it, and whether it is unknown how many.
async fn next(subscription: &mut Subscription) -> (u64, u64, bool) {
    let message = subscription.next().await.unwrap();
    (message.sequence(), message.missed_before(), message.interrupted_before())
}

#[tokio::test]
async fn it_goes_on_behind_the_last_message_of_the_stream_or_of_the_replay() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut subscription = at_six(&client, &mut peer).await;
    message(&mut peer, Delivery::Everybody, A, 6).await;
    assert_eq!(next(&mut subscription).await, (7, 0, false));
    lost(&client, peer).await;
    let mut peer = server.welcome().await;
    let epoch = a_welcome().epoch;
    subscribe(&mut peer, &format!("subscribe a from 7 of {epoch} as 2"), 9).await;
    replayed(&mut peer, 2, 8).await;
    // What is published meanwhile, for others, is part of the replay.
    message(&mut peer, Delivery::Everybody, A, 9).await;
    assert_eq!(next(&mut subscription).await, (8, 0, false));
    lost(&client, peer).await;
    let mut peer = server.welcome().await;
    subscribe(&mut peer, &format!("subscribe a from 8 of {epoch} as 3"), 12).await;
    gap(&mut peer, 3, 9, 10, 2).await;
    replayed(&mut peer, 3, 11).await;
    peer.push(Push::CaughtUp { replay: 3, mark: 11 }).await;
    message(&mut peer, Delivery::Everybody, A, 11).await;
    assert_eq!(next(&mut subscription).await, (11, 2, false));
    assert_eq!(next(&mut subscription).await, (12, 0, false));
}

#[tokio::test]
async fn another_server_is_asked_by_the_old_mark_and_afterwards_by_its_own() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut subscription = at_six(&client, &mut peer).await;
    lost(&client, peer).await;
    let welcome = || Welcome { epoch: 99, ..a_welcome() };
    let mut peer = server.welcome_as(welcome()).await;
    let old = a_welcome().epoch;
    subscribe(&mut peer, &format!("subscribe a from 6 of {old} as 2"), 3).await;
    lost(&client, peer).await;
    let mut peer = server.welcome_as(welcome()).await;
    subscribe(&mut peer, "subscribe a from 0 of 99 as 3", 3).await;
    gap(&mut peer, 3, 0, 0, 0).await;
    replayed(&mut peer, 3, 3).await;
    assert_eq!(next(&mut subscription).await, (3, 0, true));
}

#[tokio::test]
async fn what_the_server_passed_by_is_asked_for_again() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut subscription = at_six(&client, &mut peer).await;
    gap(&mut peer, 0, 7, 8, 2).await;
    message(&mut peer, Delivery::Everybody, A, 8).await;
    let epoch = a_welcome().epoch;
    subscribe(&mut peer, &format!("subscribe a from 6 of {epoch} as 2"), 9).await;
    for sequence in 7..=9 {
        replayed(&mut peer, 2, sequence).await;
    }
    for sequence in 7..=9 {
        assert_eq!(next(&mut subscription).await, (sequence, 0, false));
    }
}

#[tokio::test]
async fn it_shares_the_servers_subscription_with_others_and_ends_it_with_the_last() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let subscription = at_six(&client, &mut peer).await;
    let (plain, ()) = tokio::join!(client.subscribe(A), grant(&mut peer, "subscribe a"));
    drop(subscription);
    let (other, ()) = tokio::join!(client.subscribe("b"), grant(&mut peer, "subscribe b"));
    drop(plain);
    grant(&mut peer, "unsubscribe a").await;
    drop(other);
    grant(&mut peer, "unsubscribe b").await;
}

#[tokio::test]
async fn a_refusal_is_an_error_and_leaves_nothing() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        let id = hear(&mut peer, "subscribe a from the last 5 as 1").await;
        peer.refuse(id, Reason::LimitReached).await;
    };
    let (subscription, ()) = tokio::join!(client.subscribe(A).last(5), serving);
    assert_eq!(subscription.unwrap_err().reason(), Some(Reason::LimitReached));
    lost(&client, peer).await;
    let mut peer = server.welcome().await;
    let (other, ()) = tokio::join!(client.subscribe("b"), grant(&mut peer, "subscribe b"));
    drop(other.unwrap());
}
