//! Subscriptions: what the server is told, and who receives what.

use crate::dialogue::{connected, grant, hear, message};
use crate::support::FakeServer;
use futures_util::FutureExt;
use std::pin::pin;
use workyard_channel::{ErrorKind, Reason, Subscription};
use workyard_protocol::channel::{Delivery, Reply};
use workyard_protocol::{GroupName, Reason as WireReason};

/// The next messages of a subscription that are there already.
fn waiting(subscription: &mut Subscription) -> Vec<i64> {
    std::iter::from_fn(|| subscription.next().now_or_never().flatten())
        .map(|message| message.decode().unwrap())
        .collect()
}

#[tokio::test]
async fn subscribing_returns_when_the_server_has_answered() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut subscribing = pin!(client.subscribe("a"));
    assert!((&mut subscribing).now_or_never().is_none());
    let id = hear(&mut peer, "subscribe a").await;
    assert!((&mut subscribing).now_or_never().is_none());
    peer.reply(id, Reply::Done).await;
    let mut subscription = subscribing.await.unwrap();
    message(&mut peer, Delivery::Everybody, "a", 7).await;
    let received = subscription.next().await.unwrap();
    assert_eq!((received.channel(), received.channel_str().as_ref()), (&b"a"[..], "a"));
    assert_eq!(received.decode::<i64>().unwrap(), 7);
    assert_eq!((received.missed_before(), received.interrupted_before()), (0, false));
}

#[tokio::test]
async fn subscriptions_to_the_same_share_one_of_the_servers() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = grant(&mut peer, "subscribe a");
    let (one, two, ()) = tokio::join!(client.subscribe("a"), client.subscribe("a"), serving);
    let (one, mut two) = (one.unwrap(), two.unwrap());
    let mut three = client.subscribe("a").await.unwrap();
    drop(one);
    message(&mut peer, Delivery::Everybody, "a", 1).await;
    assert_eq!(two.next().await.unwrap().decode::<i64>().unwrap(), 1);
    assert_eq!(waiting(&mut three), [1]);
    drop(two);
    let (done, ()) = tokio::join!(three.unsubscribe(), grant(&mut peer, "unsubscribe a"));
    done.unwrap();
}

#[tokio::test]
async fn the_last_of_them_unsubscribes() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (one, ()) = tokio::join!(client.subscribe("a"), grant(&mut peer, "subscribe a"));
    let mut two = client.subscribe("a").await.unwrap();
    drop(one);
    message(&mut peer, Delivery::Everybody, "a", 1).await;
    message(&mut peer, Delivery::Everybody, "a", 2).await;
    assert_eq!(two.next().await.unwrap().decode::<i64>().unwrap(), 1);
    let (done, ()) = tokio::join!(two.unsubscribe(), grant(&mut peer, "unsubscribe a"));
    done.unwrap();
    assert_eq!(two.next().await.unwrap().decode::<i64>().unwrap(), 2, "it had arrived");
    assert!(two.next().await.is_none());
    let (again, ()) = tokio::join!(client.subscribe("a"), grant(&mut peer, "subscribe a"));
    drop(again);
    grant(&mut peer, "unsubscribe a").await;
}

#[tokio::test]
async fn a_message_for_everybody_reaches_each_that_matches_once() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        for expected in [
            "subscribe a.b",
            "subscribe pattern:a.*",
            "subscribe pattern:>",
            "subscribe c",
            "subscribe a.b@g",
        ] {
            grant(&mut peer, expected).await;
        }
    };
    let subscribing = async {
        [
            client.subscribe("a.b").await.unwrap(),
            client.subscribe_pattern("a.*").await.unwrap(),
            client.subscribe_pattern(">").await.unwrap(),
            client.subscribe("c").await.unwrap(),
            client.subscribe_group("a.b", "g").await.unwrap(),
        ]
    };
    let (mut all, ()) = tokio::join!(subscribing, serving);
    message(&mut peer, Delivery::Everybody, "a.b", 1).await;
    message(&mut peer, Delivery::Everybody, "c", 2).await;
    message(&mut peer, Delivery::Group(GroupName::new("g").unwrap()), "a.b", 3).await;
    assert_eq!(all[4].next().await.unwrap().decode::<i64>().unwrap(), 3);
    let received: Vec<_> = all.iter_mut().map(waiting).collect();
    assert_eq!(received, [vec![1], vec![1], vec![1, 2], vec![2], vec![]]);
}

#[tokio::test]
async fn a_message_for_one_or_for_a_group_reaches_exactly_one_in_turn() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        for expected in [
            "subscribe a",
            "subscribe pattern:*",
            "subscribe a@g",
            "subscribe pattern:*@g",
            "subscribe a@h",
        ] {
            grant(&mut peer, expected).await;
        }
        peer
    };
    let subscribing = async {
        [
            client.subscribe("a").await.unwrap(),
            client.subscribe_pattern("*").await.unwrap(),
            client.subscribe_group("a", "g").await.unwrap(),
            client.subscribe_pattern_group("*", "g").await.unwrap(),
            client.subscribe_group("a", "h").await.unwrap(),
        ]
    };
    let (mut all, mut peer) = tokio::join!(subscribing, serving);
    for number in 0..10 {
        message(&mut peer, Delivery::One, "a", number).await;
        message(&mut peer, Delivery::Group(GroupName::new("g").unwrap()), "a", 100 + number).await;
    }
    message(&mut peer, Delivery::Group(GroupName::new("h").unwrap()), "a", 1000).await;
    assert_eq!(all[4].next().await.unwrap().decode::<i64>().unwrap(), 1000);
    let [one, two, three, four, _] = all.each_mut().map(waiting);
    assert_eq!((one.len(), two.len(), three.len(), four.len()), (5, 5, 5, 5));
    let mut plain = [one, two].concat();
    let mut group = [three, four].concat();
    plain.sort_unstable();
    group.sort_unstable();
    assert_eq!(plain, (0..10).collect::<Vec<_>>());
    assert_eq!(group, (100..110).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_refused_subscription_is_an_error_and_leaves_nothing() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        let id = hear(&mut peer, "subscribe a").await;
        peer.refuse(id, WireReason::LimitReached).await;
    };
    let (refused, ()) = tokio::join!(client.subscribe("a"), serving);
    let error = refused.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Refused, Some(Reason::LimitReached)));
    let (again, ()) = tokio::join!(client.subscribe("a"), grant(&mut peer, "subscribe a"));
    drop(again.unwrap());
}

#[tokio::test]
async fn a_subscribe_dropped_at_any_poll_leaves_nothing() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    for polls in 0..6 {
        {
            let mut subscribing = pin!(client.subscribe("a"));
            for _ in 0..polls {
                assert!((&mut subscribing).now_or_never().is_none());
                tokio::task::yield_now().await;
            }
        }
        // The end of the dropped one is dealt with before this is heard.
        let serving = async {
            let mut heard = Vec::new();
            loop {
                let frame = peer.next().await.unwrap();
                let (id, request) = frame.request();
                heard.push(crate::dialogue::in_words(&request));
                if heard.last().unwrap() == "publish b 1" {
                    peer.reply(id, Reply::Published { receivers: 0 }).await;
                    return heard;
                }
                peer.reply(id, Reply::Done).await;
            }
        };
        let (published, heard) = tokio::join!(client.publish("b", &1), serving);
        published.unwrap();
        match heard.len() {
            1 => {}
            3 => assert_eq!(heard[..2], ["subscribe a", "unsubscribe a"]),
            _ => panic!("heard {heard:?} after {polls} polls"),
        }
    }
}

#[tokio::test]
async fn streams_end_with_the_client() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (subscription, ()) = tokio::join!(client.subscribe("a"), grant(&mut peer, "subscribe a"));
    let mut subscription = subscription.unwrap();
    let (closed, hung_up) =
        tokio::join!(client.close(std::time::Duration::from_secs(5)), peer.next());
    closed.unwrap();
    assert!(hung_up.is_none());
    assert!(subscription.next().await.is_none());
}

#[tokio::test]
async fn a_subscription_keeps_the_connection() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (subscription, ()) = tokio::join!(client.subscribe("a"), grant(&mut peer, "subscribe a"));
    let mut subscription = subscription.unwrap();
    drop(client);
    message(&mut peer, Delivery::Everybody, "a", 1).await;
    assert!(subscription.next().await.is_some());
    drop(subscription);
    grant(&mut peer, "unsubscribe a").await;
    assert!(peer.next().await.is_none());
}
