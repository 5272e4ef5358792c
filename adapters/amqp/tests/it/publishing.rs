//! What is published, and what the server says to it.

use crate::broker::{MOMENT, check, drained, next, opened, relayed, to, told, with_queue};
use futures_util::future::join_all;
use std::time::{Duration, Instant};
use workyard_amqp::lapin::types::ShortString;
use workyard_amqp::{
    Binding, Consume, ErrorKind, Exchange, ExchangeKind, Options, Publish, Queue, Value,
};
use workyard_testbed::{RabbitMq, eventually};

#[tokio::test]
async fn messages_arrive_as_they_were_published() {
    let amqp = opened("").await;
    with_queue(&amqp, "a").await;
    let mut queue = amqp.consume(Consume::from("a")).await.unwrap();
    let message = Publish::to_queue("a")
        .body(&b"\0body\xff"[..])
        .content_type("text/x")
        .correlation_id("17")
        .reply_to("answers")
        .message_id("m")
        .expiration(Duration::from_secs(60))
        .priority(3)
        .header("x-number", 7_i32)
        .header("x-text", Value::LongString("text".into()));
    amqp.publish(&message).await.unwrap();
    let message = next(&mut queue).await;
    assert_eq!(
        (message.body(), message.routing_key(), message.exchange()),
        (&b"\0body\xff"[..], "a", "")
    );
    assert_eq!(message.text().unwrap_err().kind(), ErrorKind::Protocol);
    assert!(!message.is_redelivered());
    let properties = message.properties();
    let text = |text: &Option<ShortString>| text.as_ref().unwrap().as_str().to_owned();
    assert_eq!(text(properties.content_type()), "text/x");
    assert_eq!(text(properties.correlation_id()), "17");
    assert_eq!(text(properties.reply_to()), "answers");
    assert_eq!(text(properties.message_id()), "m");
    assert_eq!(text(properties.expiration()), "60000");
    assert_eq!((*properties.priority(), *properties.delivery_mode()), (Some(3), Some(2)));
    let headers = properties.headers().as_ref().unwrap().inner();
    assert_eq!(headers.get("x-number"), Some(&Value::LongInt(7)));
    message.ack().await.unwrap();
    amqp.publish(&Publish::to_queue("a").transient()).await.unwrap();
    assert_eq!(*next(&mut queue).await.properties().delivery_mode(), Some(1));
}

#[tokio::test]
async fn what_has_no_queue_is_returned_if_it_must_have_one() {
    let amqp = opened("").await;
    amqp.publish(&to("nowhere", "x")).await.unwrap();
    let error = amqp.publish(&to("nowhere", "x").mandatory()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("312")));
    assert!(error.to_string().contains("NO_ROUTE"), "{error}");
    assert!(!error.outcome_unknown());
}

#[tokio::test]
async fn what_is_returned_is_told_to_who_published_it() {
    let amqp = opened("").await;
    with_queue(&amqp, "a").await;
    for round in 0..3 {
        let publish = |number: usize| {
            let amqp = &amqp;
            let is_routed = !number.is_multiple_of(3);
            let message = to(if is_routed { "a" } else { "nowhere" }, format!("{round} {number}"));
            async move { (is_routed, amqp.publish(&message.mandatory()).await) }
        };
        for (is_routed, published) in join_all((0..600).map(publish)).await {
            assert_eq!(published.is_ok(), is_routed, "{published:?}");
        }
    }
    assert_eq!(drained(&amqp, "a").await.len(), 1200);
}

#[tokio::test]
async fn one_queue_that_is_full_leaves_open_what_the_others_did() {
    let amqp = opened("").await;
    let full = Queue::named("full")
        .argument("x-max-length", 1_i32)
        .argument("x-overflow", Value::LongString("reject-publish".into()));
    amqp.declare_queue(&full).await.unwrap();
    with_queue(&amqp, "a").await;
    amqp.declare_exchange(&Exchange::named("f").kind(ExchangeKind::Fanout)).await.unwrap();
    for queue in ["a", "full"] {
        amqp.bind(&Binding::new("f", queue, "")).await.unwrap();
    }
    let mut refused = 0;
    for number in 0..5 {
        let message = Publish::to("f", "").body(number.to_string());
        if let Err(error) = amqp.publish(&message).await {
            assert!(error.outcome_unknown(), "{error}");
            refused += 1;
        }
    }
    assert!(refused > 0);
    assert_eq!(drained(&amqp, "a").await.len(), 5);
}

#[tokio::test]
async fn an_exchange_that_is_deleted_leaves_open_what_was_on_its_way() {
    let amqp = opened("").await;
    with_queue(&amqp, "a").await;
    for round in 0..15 {
        amqp.declare_exchange(&Exchange::named("e")).await.unwrap();
        amqp.bind(&Binding::new("e", "a", "k")).await.unwrap();
        let publish = |number: usize| {
            let (amqp, text) = (&amqp, format!("{round} {number}"));
            let message = Publish::to("e", "k").body(text.clone());
            async move { (text, amqp.publish(&message).await) }
        };
        let delete = async {
            tokio::time::sleep(Duration::from_micros(fastrand::u64(0..2000))).await;
            amqp.delete_exchange("e").await.unwrap();
        };
        let (outcomes, ()) = tokio::join!(join_all((0..400).map(publish)), delete);
        // What is confirmed need not be in a queue: bindings go first.
        let failed = outcomes.into_iter().filter(|(_, published)| published.is_err());
        check(failed.collect(), &drained(&amqp, "a").await);
    }
}

#[tokio::test]
async fn what_waits_to_be_written_is_bounded() {
    let (relay, amqp, _) = relayed("request_timeout=1s&attempts_max=1").await;
    amqp.publish(&to("a", "x")).await.unwrap();
    relay.stall();
    let message = to("a", "x".repeat(8 << 20));
    let results = join_all((0..20).map(|_| amqp.publish(&message))).await;
    let errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::TimedOut), "{errors:?}");
    let kept_out = errors.iter().filter(|error| !error.outcome_unknown());
    assert!(kept_out.filter(|error| error.message().contains("wait to be written")).count() >= 10);
    relay.pass();
    eventually("it goes on", async || amqp.publish(&to("a", "y")).await.is_ok()).await;
}

#[tokio::test]
async fn what_the_server_has_no_room_for_is_not_taken() {
    let amqp = opened("").await;
    let full = Queue::named("full")
        .argument("x-max-length", 1_i32)
        .argument("x-overflow", Value::LongString("reject-publish".into()));
    amqp.declare_queue(&full).await.unwrap();
    let results = join_all((0..5).map(|_| async { amqp.publish(&to("full", "x")).await })).await;
    let error = results.into_iter().find_map(Result::err).unwrap();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("nack")));
}

#[tokio::test]
async fn an_exchange_that_is_not_there_is_no_matter_to_others() {
    let amqp = opened("").await;
    with_queue(&amqp, "a").await;
    let good = (0..100).map(|number| {
        let amqp = &amqp;
        async move { amqp.publish(&to("a", number).mandatory()).await }
    });
    let bad = (0..20).map(|_| async { amqp.publish(&Publish::to("nowhere", "k")).await });
    let (good, bad) = tokio::join!(join_all(good), join_all(bad));
    assert!(good.into_iter().all(|published| published.is_ok()));
    for error in bad {
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("404")), "{error}");
        assert!(error.to_string().contains("no exchange 'nowhere'"), "{error}");
    }
    assert_eq!(drained(&amqp, "a").await.len(), 100);
    assert_eq!((amqp.stats().connected, amqp.stats().lost), (1, 0));
    // It is mended once it is there.
    amqp.declare_exchange(&Exchange::named("nowhere")).await.unwrap();
    amqp.publish(&Publish::to("nowhere", "k")).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_published_is_not() {
    let amqp = opened("body_bytes_max=1000").await;
    with_queue(&amqp, "a").await;
    amqp.publish(&to("a", "x".repeat(1000))).await.unwrap();
    let error = amqp.publish(&to("a", "x".repeat(1001))).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TooLarge, false));
    let long = "x".repeat(256);
    for message in [to(&long, ""), to("a", "").reply_to(&long), Publish::to(&long, "")] {
        let error = amqp.publish(&message).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::InvalidRequest, false));
    }
    assert_eq!(drained(&amqp, "a").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_share_a_connection() {
    let amqp = opened("").await;
    with_queue(&amqp, "a").await;
    let publish = |number: usize| {
        let amqp = amqp.clone();
        tokio::spawn(async move { amqp.publish(&to("a", number).mandatory()).await })
    };
    for published in join_all((0..1000).map(publish)).await {
        published.unwrap().unwrap();
    }
    let counts = drained(&amqp, "a").await;
    assert_eq!((counts.len(), counts.values().max()), (1000, Some(&1)));
    assert_eq!(amqp.stats().connected, 1);
}

#[tokio::test]
async fn a_stalled_server_holds_nobody_up_for_long() {
    let (relay, amqp, _) = relayed("request_timeout=200ms&call_timeout=300ms&attempts_max=1").await;
    amqp.ready().await.unwrap();
    // So that there is a channel.
    amqp.publish(&to("a", "x")).await.unwrap();
    relay.stall();
    let started = Instant::now();
    let error = amqp.publish(&to("a", "x")).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, true));
    assert!(started.elapsed() < Duration::from_secs(2));
    relay.pass();
    eventually("it goes on", async || amqp.publish(&to("a", "y")).await.is_ok()).await;
}

#[tokio::test]
async fn who_finds_no_place_is_told_at_once() {
    let (relay, amqp, _) = relayed("calls_max=1&waiting_max=0&call_timeout=400ms").await;
    amqp.publish(&to("a", "x")).await.unwrap();
    relay.stall();
    let message = to("a", "x");
    let second = async {
        tokio::time::sleep(MOMENT / 2).await;
        let error = amqp.publish(&message).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Busy, false));
    };
    let (first, ()) = tokio::join!(amqp.publish(&message), second);
    assert_eq!(first.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(amqp.stats().calls, 0);
}

#[tokio::test]
async fn a_server_that_takes_none_for_now_is_waited_for() {
    let full = "disk_free_limit.absolute = 1000000GB";
    let mut rabbit = RabbitMq::setup().line(full).start().await;
    let vhost = rabbit.vhost().await;
    let url = format!("{}?request_timeout=1s&attempts_max=1", rabbit.url(&vhost));
    let amqp = told(Options::new(url));
    with_queue(&amqp, "a").await;
    // The server tells a connection when it publishes.
    let first = amqp.publish(&to("a", "first")).await.unwrap_err();
    assert_eq!((first.kind(), first.outcome_unknown()), (ErrorKind::TimedOut, true));
    let started = Instant::now();
    let error = amqp.publish(&to("a", "late")).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, false), "{error}");
    assert!(error.to_string().contains("takes no messages for now (low on disk)"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(3));

    let file = rabbit.process.place().path("rabbitmq.conf");
    let configuration = std::fs::read_to_string(&file).unwrap().replace(full, "");
    std::fs::write(&file, configuration).unwrap();
    rabbit.process.restart().await;
    eventually("it goes on", async || amqp.publish(&to("a", "again")).await.is_ok()).await;
    assert!(!drained(&amqp, "a").await.contains_key("late"));
}
