//! Consumers: what they bring, how much at once, and how they end.

use crate::broker::{drained, is_quiet, next, opened, to, with_queue};
use futures_util::StreamExt;
use tokio::time::timeout;
use workyard_amqp::{Amqp, Consume, ErrorKind, Queue, Value};
use workyard_testbed::PATIENCE;

async fn filled(count: usize) -> Amqp {
    let amqp = opened("").await;
    with_queue(&amqp, "a").await;
    for number in 0..count {
        amqp.publish(&to("a", number)).await.unwrap();
    }
    amqp
}

#[tokio::test]
async fn messages_are_done_given_back_or_thrown_away() {
    let amqp = filled(4).await;
    let mut queue = amqp.consume(Consume::from("a")).await.unwrap();
    let (first, second) = (next(&mut queue).await, next(&mut queue).await);
    let (third, fourth) = (next(&mut queue).await, next(&mut queue).await);
    first.ack().await.unwrap();
    second.nack(true).await.unwrap();
    third.reject(false).await.unwrap();
    let again = next(&mut queue).await;
    assert_eq!((again.text().unwrap(), again.is_redelivered()), ("1", true));
    again.reject(true).await.unwrap();
    // An acknowledgement outlives the consumer, and what it does not settle is given back.
    drop(queue);
    fourth.ack().await.unwrap();
    drop((first, second, third, fourth, again));
    assert_eq!(drained(&amqp, "a").await.into_keys().collect::<Vec<_>>(), ["1"]);
}

#[tokio::test]
async fn a_message_is_settled_once() {
    let amqp = filled(1).await;
    let mut queue = amqp.consume(Consume::from("a")).await.unwrap();
    let message = next(&mut queue).await;
    message.ack().await.unwrap();
    for again in [message.ack().await, message.nack(true).await, message.reject(true).await] {
        let error = again.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("given back before"), "{error}");
    }
    assert!(is_quiet(&mut queue).await);
}

#[tokio::test]
async fn no_more_come_than_were_asked_for() {
    let amqp = filled(5).await;
    let mut queue = amqp.consume(Consume::from("a").prefetch(2)).await.unwrap();
    let (first, _second) = (next(&mut queue).await, next(&mut queue).await);
    assert!(is_quiet(&mut queue).await);
    first.ack().await.unwrap();
    assert_eq!(next(&mut queue).await.text().unwrap(), "2");
    assert!(is_quiet(&mut queue).await);
}

#[tokio::test]
async fn what_waits_in_a_consumer_goes_back() {
    let amqp = filled(10).await;
    let mut queue = amqp.consume(Consume::from("a")).await.unwrap();
    next(&mut queue).await.ack().await.unwrap();
    drop(queue);
    assert_eq!(drained(&amqp, "a").await.len(), 9);
}

#[tokio::test]
async fn a_consumer_is_a_stream() {
    let amqp = filled(3).await;
    let queue = amqp.consume(Consume::from("a")).await.unwrap();
    let texts: Vec<_> =
        queue.take(3).map(|message| message.unwrap().text().unwrap().to_owned()).collect().await;
    assert_eq!(texts, ["0", "1", "2"]);
}

#[tokio::test]
async fn what_the_server_does_not_want_fails() {
    let amqp = filled(0).await;
    let error = amqp.consume(Consume::from("none")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("404")));
    let alone = amqp.consume(Consume::from("a").exclusive()).await.unwrap();
    let error = amqp.consume(Consume::from("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("403")));
    drop(alone);
    assert_eq!((amqp.stats().connected, amqp.stats().lost), (1, 0));
}

#[tokio::test]
async fn a_queue_that_is_deleted_ends_its_consumers() {
    let amqp = filled(0).await;
    let mut queue = amqp.consume(Consume::from("a")).await.unwrap();
    amqp.delete_queue("a").await.unwrap();
    let error = timeout(PATIENCE, queue.next()).await.unwrap().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("404")));
    assert!(queue.next().await.is_none());
}

#[tokio::test]
async fn dead_letters_go_where_they_were_told_to() {
    let amqp = filled(0).await;
    with_queue(&amqp, "dead").await;
    let text = |text: &str| Value::LongString(text.into());
    let queue = Queue::named("mortal")
        .argument("x-dead-letter-exchange", text(""))
        .argument("x-dead-letter-routing-key", text("dead"));
    amqp.declare_queue(&queue).await.unwrap();
    amqp.publish(&to("mortal", "x")).await.unwrap();
    let mut queue = amqp.consume(Consume::from("mortal")).await.unwrap();
    next(&mut queue).await.nack(false).await.unwrap();
    let mut dead = amqp.consume(Consume::from("dead")).await.unwrap();
    assert_eq!(next(&mut dead).await.text().unwrap(), "x");
}
