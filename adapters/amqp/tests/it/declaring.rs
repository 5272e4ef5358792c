//! Exchanges, queues and bindings.

use crate::broker::{drained, opened, to, with_queue};
use workyard_amqp::{Binding, ErrorKind, Exchange, ExchangeKind, Publish, Queue};

#[tokio::test]
async fn messages_take_the_way_that_was_declared() {
    let amqp = opened("").await;
    amqp.declare_exchange(&Exchange::named("logs").kind(ExchangeKind::Topic)).await.unwrap();
    for queue in ["all", "errors"] {
        with_queue(&amqp, queue).await;
    }
    let errors = Binding::new("logs", "errors", "*.error");
    amqp.bind(&Binding::new("logs", "all", "#")).await.unwrap();
    amqp.bind(&errors).await.unwrap();
    for key in ["a.error", "a.info"] {
        amqp.publish(&Publish::to("logs", key).body(key)).await.unwrap();
    }
    amqp.unbind(&errors).await.unwrap();
    amqp.publish(&Publish::to("logs", "b.error").body("b.error")).await.unwrap();
    assert_eq!(drained(&amqp, "all").await.len(), 3);
    assert_eq!(drained(&amqp, "errors").await.into_keys().collect::<Vec<_>>(), ["a.error"]);
    amqp.delete_exchange("logs").await.unwrap();
    let error = amqp.publish(&Publish::to("logs", "a")).await.unwrap_err();
    assert_eq!(error.code(), Some("404"));
}

#[tokio::test]
async fn queues_are_counted_emptied_and_deleted() {
    let amqp = opened("").await;
    with_queue(&amqp, "a").await;
    for number in 0..3 {
        amqp.publish(&to("a", number)).await.unwrap();
    }
    let facts = amqp.declare_queue(&Queue::named("a")).await.unwrap();
    assert_eq!((facts.messages, facts.consumers), (3, 0));
    assert_eq!(amqp.purge_queue("a").await.unwrap(), 3);
    amqp.publish(&to("a", "x")).await.unwrap();
    assert_eq!(amqp.delete_queue("a").await.unwrap(), 1);
    assert_eq!(amqp.purge_queue("a").await.unwrap_err().code(), Some("404"));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_costs_nobody_else_anything() {
    let amqp = opened("").await;
    with_queue(&amqp, "a").await;
    let error = amqp.declare_queue(&Queue::named("a").transient()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("406")));
    let error = amqp.bind(&Binding::new("none", "a", "")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("404")));
    let error = amqp.declare_queue(&Queue::named("")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    amqp.publish(&to("a", "x").mandatory()).await.unwrap();
    assert_eq!((amqp.stats().connected, amqp.stats().lost), (1, 0));
}
