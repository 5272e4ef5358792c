//! Calls that are given up, at any time, leave everything as it was.

use crate::broker::{drained, next, opened, to, with_queue};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::timeout;
use workyard_amqp::Consume;

#[tokio::test]
async fn calls_that_are_given_up_poison_nothing() {
    let amqp = opened("calls_max=8").await;
    with_queue(&amqp, "a").await;
    with_queue(&amqp, "b").await;
    for round in 0..100 {
        let publish = |part: usize| {
            let patience = Duration::from_micros(fastrand::u64(0..800));
            let (amqp, message) = (&amqp, to("a", format!("{round} {part}")));
            async move { timeout(patience, amqp.publish(&message)).await.is_ok() }
        };
        join_all((0..8).map(publish)).await;
    }
    for _ in 0..50 {
        let patience = Duration::from_micros(fastrand::u64(0..3000));
        let _ = timeout(patience, amqp.consume(Consume::from("b"))).await;
    }
    // Every answer finds its own question.
    let publish = |number: usize| {
        let amqp = &amqp;
        async move { amqp.publish(&to("b", number).mandatory()).await }
    };
    let published = join_all((0..100).map(publish)).await;
    assert!(published.into_iter().all(|published| published.is_ok()));
    let mut seen = std::collections::BTreeSet::new();
    let mut queue = amqp.consume(Consume::from("b")).await.unwrap();
    while seen.len() < 100 {
        let message = next(&mut queue).await;
        message.ack().await.unwrap();
        assert!(seen.insert(message.text().unwrap().to_owned()));
    }
    let counts = drained(&amqp, "a").await;
    assert!(counts.values().all(|times| *times == 1));
    let stats = amqp.stats();
    assert!(stats.cancelled > 20, "{stats:?}");
    assert_eq!((stats.calls, stats.waiting, stats.connected, stats.lost), (0, 0, 1, 0));
}

#[tokio::test]
async fn a_wait_for_a_message_that_is_given_up_loses_none() {
    let amqp = opened("").await;
    with_queue(&amqp, "a").await;
    let mut queue = amqp.consume(Consume::from("a")).await.unwrap();
    let publish = async {
        for number in 0..100 {
            amqp.publish(&to("a", number)).await.unwrap();
        }
    };
    let receive = async {
        let mut count = 0;
        while count < 100 {
            let patience = Duration::from_micros(fastrand::u64(0..300));
            if let Ok(message) = timeout(patience, queue.next()).await {
                let message = message.unwrap().unwrap();
                assert_eq!(message.text().unwrap(), count.to_string());
                message.ack().await.unwrap();
                count += 1;
            }
        }
    };
    timeout(Duration::from_secs(30), async { tokio::join!(publish, receive) }).await.unwrap();
}
