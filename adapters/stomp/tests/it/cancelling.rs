//! Calls that are given up, at any time, leave everything as it was.

use crate::broker::{drained, opened, texts};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::timeout;
use workyard_stomp::{Ack, Subscribe};

#[tokio::test]
async fn calls_that_are_given_up_poison_nothing() {
    let stomp = opened("calls_max=8").await;
    stomp.ready().await.unwrap();
    for round in 0..100 {
        let send = |part: usize| {
            let patience = Duration::from_micros(fastrand::u64(0..800));
            let text = format!("{round} {part}");
            let stomp = &stomp;
            async move {
                let sent = timeout(patience, stomp.send("/queue/a", text.clone(), ())).await;
                (text, sent.is_ok_and(|sent| sent.is_ok()))
            }
        };
        let given_up = join_all((0..8).map(send)).await;
        assert!(given_up.len() == 8);
    }
    // Every answer finds its own question.
    let sent =
        join_all((0..100).map(|number| stomp.send("/queue/b", number.to_string(), ()))).await;
    assert!(sent.into_iter().all(|sent| sent.is_ok()));
    assert_eq!(drained(&stomp, "/queue/b").await.len(), 100);
    let counts = drained(&stomp, "/queue/a").await;
    assert!(counts.values().all(|times| *times == 1));
    let stats = stomp.stats();
    assert!(stats.cancelled > 20, "{stats:?}");
    assert_eq!((stats.calls, stats.waiting, stats.connected, stats.lost), (0, 0, 1, 0));
}

#[tokio::test]
async fn a_subscription_that_is_given_up_takes_no_messages() {
    let stomp = opened("").await;
    stomp.ready().await.unwrap();
    for micros in 0..150 {
        let subscribe = stomp.subscribe("/queue/a");
        let _ = timeout(Duration::from_micros(micros * 20), subscribe).await;
    }
    let mut queue = stomp.subscribe("/queue/a").await.unwrap();
    for number in 0..100 {
        stomp.send("/queue/a", number.to_string(), ()).await.unwrap();
    }
    assert_eq!(texts(&mut queue, 100).await.len(), 100);
    assert_eq!(stomp.stats().lost, 0);
}

#[tokio::test]
async fn an_acknowledgement_that_is_given_up_can_be_made_again() {
    let stomp = opened("").await;
    let wish = Subscribe::to("/queue/a").ack(Ack::ClientIndividual).prefetch(200);
    let mut queue = stomp.subscribe(wish).await.unwrap();
    for number in 0..200 {
        stomp.send("/queue/a", number.to_string(), ()).await.unwrap();
    }
    for _ in 0..200 {
        let message =
            timeout(Duration::from_secs(10), queue.next()).await.unwrap().unwrap().unwrap();
        let patience = Duration::from_micros(fastrand::u64(0..200));
        if timeout(patience, message.ack()).await.is_err() {
            // Either it was made, or it is made now.
            let _ = message.ack().await;
        }
    }
    drop(queue);
    assert!(drained(&stomp, "/queue/a").await.is_empty());
    assert_eq!(stomp.stats().lost, 0);
}

#[tokio::test]
async fn a_wait_for_a_message_that_is_given_up_loses_none() {
    let stomp = opened("").await;
    let mut queue = stomp.subscribe("/queue/a").await.unwrap();
    let send = async {
        for number in 0..100 {
            stomp.send("/queue/a", number.to_string(), ()).await.unwrap();
        }
    };
    let receive = async {
        let mut count = 0;
        while count < 100 {
            let patience = Duration::from_micros(fastrand::u64(0..300));
            if let Ok(message) = timeout(patience, queue.next()).await {
                assert_eq!(message.unwrap().unwrap().text().unwrap(), count.to_string());
                count += 1;
            }
        }
    };
    timeout(Duration::from_secs(30), async { tokio::join!(send, receive) }).await.unwrap();
}
