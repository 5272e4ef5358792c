//! Acknowledgements: by whom, once, and what is given back.

use crate::broker::{drained, is_quiet, next, opened, texts};
use workyard_stomp::{Ack, ErrorKind, Message, Stomp, Subscribe, Subscription};

async fn queue(stomp: &Stomp, ack: Ack, count: usize) -> (Subscription, Vec<Message>) {
    for number in 0..count {
        stomp.send("/queue/a", number.to_string(), ()).await.unwrap();
    }
    let mut queue = stomp.subscribe(Subscribe::to("/queue/a").ack(ack)).await.unwrap();
    let mut messages = Vec::new();
    while messages.len() < count {
        messages.push(next(&mut queue).await);
    }
    (queue, messages)
}

async fn left(stomp: &Stomp) -> Vec<String> {
    drained(stomp, "/queue/a").await.into_keys().collect()
}

#[tokio::test]
async fn each_message_for_itself() {
    for version in ["1.1", "1.2"] {
        let stomp = opened(&format!("version_max={version}")).await;
        let (mut queue, messages) = queue(&stomp, Ack::ClientIndividual, 5).await;
        messages[1].ack().await.unwrap();
        messages[3].ack().await.unwrap();
        messages[4].nack().await.unwrap();
        let again = next(&mut queue).await;
        assert_eq!((again.text().unwrap(), again.header("redelivered")), ("4", Some("true")));
        again.ack().await.unwrap();
        drop(queue);
        assert_eq!(left(&stomp).await, ["0", "2"], "{version}");
    }
}

#[tokio::test]
async fn a_message_and_all_before() {
    for version in ["1.0", "1.1", "1.2"] {
        let stomp = opened(&format!("version_max={version}")).await;
        let (queue, messages) = queue(&stomp, Ack::Client, 5).await;
        messages[2].ack().await.unwrap();
        if version == "1.0" {
            // Nothing can be given back but by the end of the connection.
            let error = messages[3].nack().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            stomp.send("/nowhere", "", ()).await.unwrap_err();
        }
        drop(queue);
        assert_eq!(left(&stomp).await, ["3", "4"], "{version}");
    }
}

#[tokio::test]
async fn the_last_message_stands_for_all_before_it() {
    for version in ["1.1", "1.2"] {
        let stomp = opened(&format!("version_max={version}")).await;
        let (queue, messages) = queue(&stomp, Ack::Client, 5).await;
        messages[4].ack().await.unwrap();
        // To the server it would be the end of the connection.
        assert_eq!(messages[3].ack().await.unwrap_err().kind(), ErrorKind::InvalidRequest);
        stomp.ready().await.unwrap();
        drop(queue);
        assert!(left(&stomp).await.is_empty(), "{version}");
        assert_eq!(stomp.stats().lost, 0, "{version}");
    }
}

#[tokio::test]
async fn what_an_aborted_transaction_acknowledged_stands_for_none_before_it() {
    let stomp = opened("").await;
    let (queue, messages) = queue(&stomp, Ack::Client, 4).await;
    messages[0].ack().await.unwrap();
    let transaction = stomp.begin().await.unwrap();
    transaction.ack(&messages[3]).await.unwrap();
    transaction.abort().await.unwrap();
    messages[1].ack().await.unwrap();
    drop(queue);
    assert_eq!(left(&stomp).await, ["2", "3"]);
    assert_eq!(stomp.stats().lost, 0);
}

#[tokio::test]
async fn a_message_is_acknowledged_once() {
    let stomp = opened("").await;
    let (queue, messages) = queue(&stomp, Ack::ClientIndividual, 2).await;
    messages[0].ack().await.unwrap();
    for again in [messages[0].ack().await, messages[0].nack().await] {
        let error = again.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("acknowledged or given back before"), "{error}");
    }
    // It was given back.
    drop(queue);
    stomp.send("/queue/b", "", ()).await.unwrap();
    assert_eq!(messages[1].ack().await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert_eq!(stomp.stats().lost, 0);
}

#[tokio::test]
async fn where_nothing_is_to_be_acknowledged_nothing_is() {
    for ack in [Ack::Auto, Ack::Taken] {
        let stomp = opened("").await;
        let (_queue, messages) = queue(&stomp, ack, 1).await;
        assert_eq!(messages[0].ack().await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    }
}

#[tokio::test]
async fn the_oldest_version_cannot_acknowledge_one_by_one() {
    let stomp = opened("version_max=1.0").await;
    let wish = Subscribe::to("/queue/a").ack(Ack::ClientIndividual);
    let error = stomp.subscribe(wish).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    // But take.
    let (mut queue, _) = queue(&stomp, Ack::Taken, 100).await;
    assert!(is_quiet(&mut queue).await);
    drop(queue);
    assert!(left(&stomp).await.is_empty());
}

#[tokio::test]
async fn many_are_acknowledged_at_once() {
    let stomp = opened("").await;
    for number in 0..1000 {
        stomp.send_unconfirmed("/queue/a", number.to_string(), ()).await.unwrap();
    }
    let wish = Subscribe::to("/queue/a").ack(Ack::ClientIndividual).prefetch(100);
    let mut queue = stomp.subscribe(wish).await.unwrap();
    for _ in 0..1000 {
        let message = next(&mut queue).await;
        tokio::spawn(async move { message.ack().await });
    }
    assert!(is_quiet(&mut queue).await);
    drop(queue);
    assert!(left(&stomp).await.is_empty());
    let mut empty = stomp.subscribe("/queue/a").await.unwrap();
    stomp.send("/queue/a", "x", ()).await.unwrap();
    assert_eq!(texts(&mut empty, 1).await, ["x"]);
}
