//! One message for a thousand: connections of their own, or subscriptions that share some.

use crate::support::{all, builder, client, clients, daemon, done, next, next_text};
use futures_util::{StreamExt, stream};
use workyard_channel::Subscription;
use workyard_tests::raise_descriptor_limit;

const MESSAGES: i64 = 20;

/// All messages in their order, and none missed.
async fn receives_all(subscription: &mut Subscription) {
    for number in 0..MESSAGES {
        let message = next(subscription).await;
        assert_eq!(message.decode::<i64>().unwrap(), number);
        assert_eq!((message.missed_before(), message.interrupted_before()), (0, false));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_receive_everything_in_order() {
    const CONNECTIONS: usize = 1000;
    raise_descriptor_limit(CONNECTIONS as u64 + 200);
    let daemon = daemon();
    let publisher = client(&daemon).await;
    let subscriber = |_| async {
        let client = builder(&daemon).connect().await.unwrap();
        client.subscribe("news").await.unwrap()
    };
    let connecting = stream::iter(0..CONNECTIONS).map(subscriber).buffer_unordered(64);
    let mut subscriptions: Vec<_> = connecting.collect().await;
    for number in 0..MESSAGES {
        assert_eq!(publisher.publish("news", &number).await.unwrap(), CONNECTIONS as u64);
    }
    all(subscriptions.iter_mut().map(receives_all)).await;
    drop(subscriptions);
    let nobody = || async { publisher.publish("news", "over").await.unwrap() == 0 };
    workyard_tests::clients::until("all have left", nobody).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_subscriptions_of_each_of_twenty_clients_share_its_connection() {
    let daemon = daemon();
    let publisher = client(&daemon).await;
    let clients = clients(&daemon, 20).await;
    let each = clients.iter().flat_map(|client| (0..50).map(move |_| client.subscribe("news")));
    let mut subscriptions = done(all(each).await);
    for number in 0..MESSAGES {
        assert_eq!(publisher.publish("news", &number).await.unwrap(), 20, "once each connection");
    }
    all(subscriptions.iter_mut().map(receives_all)).await;

    // When all but one subscription of each client are gone, that one still receives.
    let mut left: Vec<_> = subscriptions.into_iter().step_by(50).collect();
    assert_eq!(publisher.publish("news", "still here").await.unwrap(), 20);
    for subscription in &mut left {
        assert_eq!(next_text(subscription).await, "still here");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_publishers_each_keep_their_order() {
    const EACH: u32 = 500;
    let daemon = daemon();
    let publishers = clients(&daemon, 8).await;
    let reader = client(&daemon).await;
    let mut subscription = reader.subscribe_pattern("publisher.*").await.unwrap();
    let publishing = publishers.iter().enumerate().map(|(index, publisher)| async move {
        for number in 0..EACH {
            publisher.send(format!("publisher.{index}"), &number).await.unwrap();
        }
        publisher.flush().await.unwrap();
    });
    let reading = async {
        let mut expected = [0; 8];
        for _ in 0..EACH * 8 {
            let message = next(&mut subscription).await;
            let channel = message.channel_str().into_owned();
            let index: usize = channel.strip_prefix("publisher.").unwrap().parse().unwrap();
            assert_eq!(message.decode::<u32>().unwrap(), expected[index], "of {channel}");
            expected[index] += 1;
        }
    };
    tokio::join!(all(publishing), reading);
}
