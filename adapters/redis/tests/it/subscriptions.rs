//! Channels and patterns.

use crate::support::{ask, impatient, server};
use std::time::Duration;
use workyard_redis::{ErrorKind, Event, Redis, State, Subscription};
use workyard_testbed::{PATIENCE, Redis as Server, Relay, eventually};

async fn next(subscription: &mut Subscription) -> Event {
    let event = tokio::time::timeout(PATIENCE, subscription.next()).await;
    event.expect("something comes in time").expect("it goes on")
}

async fn text(subscription: &mut Subscription) -> String {
    match next(subscription).await {
        Event::Message(message) => {
            let payload: String = message.get_payload().expect("it is text");
            format!("{}:{payload}", message.get_channel_name())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn messages_come_in_order_from_channels_and_patterns() {
    let (_server, redis) = server().await;
    let mut news = redis.subscribe(&["a", "b"]).await.unwrap();
    let mut all = redis.psubscribe(&["a*"]).await.unwrap();
    for number in 0..100 {
        assert_eq!(ask::<u32>(&redis, &format!("PUBLISH a {number}")).await, 2);
    }
    for number in 0..100 {
        assert_eq!(text(&mut news).await, format!("a:{number}"));
        assert_eq!(text(&mut all).await, format!("a:{number}"));
    }
    news.unsubscribe(&["a"]).await.unwrap();
    news.psubscribe(&["x.*"]).await.unwrap();
    news.subscribe(&["c"]).await.unwrap();
    for channel in ["a", "b", "x.y", "c"] {
        ask::<u32>(&redis, &format!("PUBLISH {channel} 1")).await;
    }
    for channel in ["b", "x.y", "c"] {
        assert_eq!(text(&mut news).await, format!("{channel}:1"));
    }
    news.punsubscribe(&["x.*"]).await.unwrap();
    assert_eq!(ask::<u32>(&redis, "PUBLISH x.y 1").await, 0);
    drop((news, all));
    eventually("nobody listens", async || ask::<u32>(&redis, "PUBLISH a 1").await == 0).await;
}

#[tokio::test]
async fn everything_is_subscribed_to_again_and_the_gap_is_told() {
    let mut server = Server::setup().password("secret").start().await;
    let redis = Redis::with(impatient(&server.url())).unwrap();
    let mut subscription = redis.subscribe(&["a"]).await.unwrap();
    subscription.psubscribe(&["p.*"]).await.unwrap();
    subscription.subscribe(&["b"]).await.unwrap();
    subscription.unsubscribe(&["a"]).await.unwrap();
    for round in 0..3 {
        let _ = server.command(["PUBLISH", "b", "before"]);
        assert_eq!(text(&mut subscription).await, "b:before");
        server.process.kill().await;
        eventually("the loss is noticed", async || matches!(subscription.state(), State::Down(_)))
            .await;
        server.process.start_again().await;
        match next(&mut subscription).await {
            Event::Gap { down } => assert!(down > Duration::ZERO),
            other => panic!("round {round}: {other:?}"),
        }
        assert!(matches!(subscription.state(), State::Ready));
        assert_eq!(server.command(["PUBLISH", "a", "x"]), "0");
        assert_eq!(server.command(["PUBLISH", "p.x", "after"]), "1");
        assert_eq!(text(&mut subscription).await, "p.x:after");
    }
}

#[tokio::test]
async fn who_is_too_slow_is_told_what_was_missed() {
    let server = Server::start().await;
    let url = format!("{}?subscription_messages_max=10", server.url());
    let redis = Redis::with(impatient(&url)).unwrap();
    let mut subscription = redis.subscribe(&["a", "end"]).await.unwrap();
    for number in 0..100 {
        ask::<u32>(&redis, &format!("PUBLISH a {number}")).await;
    }
    // On the same connection as what was published: when it is answered, all has been passed on.
    subscription.subscribe(&["b"]).await.unwrap();
    for number in 0..10 {
        assert_eq!(text(&mut subscription).await, format!("a:{number}"));
    }
    match next(&mut subscription).await {
        Event::Missed { messages } => assert_eq!(messages, 90),
        other => panic!("{other:?}"),
    }
    ask::<u32>(&redis, "PUBLISH end 1").await;
    assert_eq!(text(&mut subscription).await, "end:1");
}

#[tokio::test]
async fn a_connection_cut_in_a_message_is_a_gap_and_nothing_comes_twice() {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let redis = Redis::with(impatient(&server.url_at(relay.address()))).unwrap();
    let publisher = Redis::with(impatient(&server.url())).unwrap();
    let mut subscription = redis.subscribe(&["a"]).await.unwrap();
    let (mut last, mut gaps, mut number) = (None, 0, 0);
    while gaps < 20 {
        number += 1;
        ask::<u32>(&publisher, &format!("PUBLISH a {number}")).await;
        if number % 10 == 0 {
            relay.cut();
            eventually("it is back", async || {
                ask::<u32>(&publisher, &format!("PUBLISH a {number}")).await == 1
            })
            .await;
        }
        while let Ok(Some(event)) =
            tokio::time::timeout(Duration::from_millis(1), subscription.next()).await
        {
            match event {
                Event::Message(message) => {
                    let got: u32 = message.get_payload().expect("it is text");
                    assert!(last <= Some(got), "{got} after {last:?}");
                    last = Some(got);
                }
                Event::Gap { .. } => gaps += 1,
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn who_may_not_subscribe_is_told() {
    let server = Server::setup().line("user limited on >pw ~* &ok +@all").start().await;
    let url = format!("redis://limited:pw@{}", server.address());
    let redis = Redis::with(impatient(&url)).unwrap();
    let error = redis.subscribe(&["forbidden"]).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("NOPERM")));
    let mut subscription = redis.subscribe(&["ok"]).await.unwrap();
    assert!(subscription.subscribe(&["forbidden"]).await.is_err());
    let _ = server.command(["PUBLISH", "ok", "1"]);
    assert_eq!(text(&mut subscription).await, "ok:1");
    let wrong = format!("redis://limited:wrong@{}", server.address());
    let error = Redis::with(impatient(&wrong)).unwrap().subscribe(&["ok"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

#[tokio::test]
async fn closing_ends_subscriptions() {
    let (_server, redis) = server().await;
    let mut subscription = redis.subscribe(&["a"]).await.unwrap();
    assert!(redis.close().await);
    let end = tokio::time::timeout(PATIENCE, subscription.next()).await;
    assert!(end.unwrap().is_none());
    let error = redis.subscribe(&["a"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn what_was_not_subscribed_to_in_time_is_not_subscribed_to_later() {
    let mut server = Server::start().await;
    let mut options = impatient(&server.url());
    options.calls.request_timeout = Duration::from_secs(1);
    options.calls.connect_timeout = Duration::from_secs(1);
    let redis = Redis::with(options).unwrap();
    let mut subscription = redis.subscribe(&["a"]).await.unwrap();
    server.process.kill().await;
    eventually("the loss is noticed", async || matches!(subscription.state(), State::Down(_)))
        .await;
    let error = subscription.subscribe(&["late"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    server.process.start_again().await;
    assert!(matches!(next(&mut subscription).await, Event::Gap { .. }));
    subscription.subscribe(&["b"]).await.unwrap();
    assert_eq!(server.command(["PUBLISH", "late", "1"]), "0");
    assert_eq!(server.command(["PUBLISH", "b", "1"]), "1");
}

#[tokio::test]
async fn a_subscription_goes_on_when_the_last_handle_is_dropped() {
    let (server, redis) = server().await;
    let mut subscription = redis.subscribe(&["a"]).await.unwrap();
    drop(redis);
    tokio::task::yield_now().await;
    assert_eq!(server.command(["PUBLISH", "a", "1"]), "1");
    assert_eq!(text(&mut subscription).await, "a:1");
}
