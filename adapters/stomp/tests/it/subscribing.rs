//! Subscriptions: what they bring, how much at once, and how they end.

use crate::broker::{drained, is_quiet, next, opened, place, texts, told, url};
use futures_util::{StreamExt, TryStreamExt};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use workyard_stomp::{Ack, ErrorKind, Headers, Options, Stomp, Subscribe};
use workyard_testbed::PATIENCE;

async fn send(stomp: &Stomp, count: usize) {
    for number in 0..count {
        stomp.send("/queue/a", number.to_string(), ()).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_taken_is_done_and_the_rest_is_given_back() {
    for version in ["1.1", "1.2"] {
        let stomp = opened(&format!("version_max={version}")).await;
        send(&stomp, 10).await;
        let mut first = stomp.subscribe(Subscribe::to("/queue/a").prefetch(4)).await.unwrap();
        assert_eq!(texts(&mut first, 3).await, ["0", "1", "2"]);
        // So that everything that may come has come.
        assert!(is_quiet(&mut stomp.subscribe("/queue/other").await.unwrap()).await);
        drop(first);
        let counts = drained(&stomp, "/queue/a").await;
        let left: Vec<_> = counts.into_iter().collect();
        let expected: Vec<_> = (3..10).map(|number| (number.to_string(), 1)).collect();
        assert_eq!(left, expected, "{version}");
    }
}

#[tokio::test]
async fn no_more_come_than_were_asked_for() {
    let stomp = opened("").await;
    send(&stomp, 5).await;
    let wish = Subscribe::to("/queue/a").ack(Ack::ClientIndividual).prefetch(2);
    let mut queue = stomp.subscribe(wish).await.unwrap();
    let (first, _second) = (next(&mut queue).await, next(&mut queue).await);
    assert!(is_quiet(&mut queue).await);
    first.ack().await.unwrap();
    assert_eq!(next(&mut queue).await.text().unwrap(), "2");
    assert!(is_quiet(&mut queue).await);
}

#[tokio::test]
async fn a_server_that_sends_what_it_wants_waits_for_room() {
    let stomp = opened("").await;
    for _ in 0..500 {
        stomp.send_unconfirmed("/queue/a", vec![b'x'; 1000], ()).await.unwrap();
    }
    let wish = Subscribe::to("/queue/a").ack(Ack::Auto).prefetch(4);
    let mut queue = stomp.subscribe(wish).await.unwrap();
    for _ in 0..500 {
        assert_eq!(next(&mut queue).await.body().len(), 1000);
    }
    assert!(is_quiet(&mut queue).await);
    drop(queue);
    assert!(drained(&stomp, "/queue/a").await.is_empty());
}

#[tokio::test]
async fn who_is_full_and_leaves_holds_nobody_up() {
    let stomp = opened("").await;
    for _ in 0..100 {
        stomp.send_unconfirmed("/queue/a", "x", ()).await.unwrap();
    }
    let wish = Subscribe::to("/queue/a").ack(Ack::Auto).prefetch(4);
    let queue = stomp.subscribe(wish).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(queue);
    stomp.send("/queue/b", "y", ()).await.unwrap();
}

#[tokio::test]
async fn a_subscription_is_a_stream() {
    let stomp = opened("").await;
    send(&stomp, 3).await;
    let queue = stomp.subscribe("/queue/a").await.unwrap();
    let texts: Vec<String> = queue
        .take(3)
        .map_ok(|message| message.text().unwrap().to_owned())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(texts, ["0", "1", "2"]);
}

#[tokio::test]
async fn a_topic_reaches_all() {
    let stomp = opened("").await;
    let mut first = stomp.subscribe("/topic/news").await.unwrap();
    let mut second = stomp.subscribe("/topic/news").await.unwrap();
    stomp.send("/topic/news", "new", ()).await.unwrap();
    assert_eq!(texts(&mut first, 1).await, ["new"]);
    assert_eq!(texts(&mut second, 1).await, ["new"]);
    drop(first);
    stomp.send("/topic/news", "newer", ()).await.unwrap();
    assert_eq!(texts(&mut second, 1).await, ["newer"]);
}

#[tokio::test]
async fn what_the_server_does_not_want_fails() {
    let stomp = opened("").await;
    let mut other = stomp.subscribe("/queue/other").await.unwrap();
    let error = stomp.subscribe("/amq/queue/none").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("not_found")));
    let error = stomp.subscribe(Subscribe::to("/queue/a").header("id", "1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    // The others come back.
    stomp.send("/queue/other", "x", ()).await.unwrap();
    assert_eq!(texts(&mut other, 1).await, ["x"]);
}

#[tokio::test]
async fn headers_of_the_server_pass() {
    let stomp = opened("").await;
    let wish = Subscribe::to("/exchange/amq.direct/key")
        .header("x-queue-name", "named")
        .header("durable", "true")
        .header("auto-delete", "false");
    let mut named = stomp.subscribe(wish).await.unwrap();
    stomp.send("/exchange/amq.direct/key", "x", ()).await.unwrap();
    assert_eq!(texts(&mut named, 1).await, ["x"]);
    drop(named);
    stomp.send("/exchange/amq.direct/key", "y", ()).await.unwrap();
    let mut again = stomp.subscribe("/amq/queue/named").await.unwrap();
    assert_eq!(texts(&mut again, 1).await, ["y"]);
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_its_subscription_only() {
    let stomp = opened("body_bytes_max=1000").await;
    let mut large = stomp.subscribe("/queue/large").await.unwrap();
    let mut small = stomp.subscribe("/queue/small").await.unwrap();
    let vhost = stomp.status(); // It shows what becomes of the connection.
    let mut states = vhost.watch();
    let other = Stomp::open(&other_url(&stomp)).unwrap();
    other.send("/queue/large", vec![b'x'; 1001], ()).await.unwrap();
    let error = timeout(PATIENCE, large.next()).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(large.next().await.is_none());
    states.changed().await.unwrap();
    other.send("/queue/small", "x", ()).await.unwrap();
    assert_eq!(texts(&mut small, 1).await, ["x"]);
}

#[tokio::test]
async fn a_message_with_as_many_headers_as_can_be_sent_comes() {
    let stomp = opened("").await;
    let mut queue = stomp.subscribe("/queue/a").await.unwrap();
    let headers: Headers = (0..125).map(|number| (format!("h{number}"), "x")).collect();
    stomp.send("/queue/a", "x", headers).await.unwrap();
    assert_eq!(next(&mut queue).await.header("h124"), Some("x"));
    assert_eq!(stomp.stats().lost, 0);
}

#[tokio::test]
async fn a_message_with_a_header_that_is_too_long_ends_its_subscription_only() {
    let (address, vhost) = place().await;
    let stomp = told(Options::new(url(address, &vhost, "")));
    let mut queue = stomp.subscribe("/queue/a").await.unwrap();
    let mut small = stomp.subscribe("/queue/small").await.unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let frames = format!(
        "CONNECT\naccept-version:1.2\nhost:{vhost}\nlogin:worker\npasscode:secret\n\n\0\
         SEND\ndestination:/queue/a\nlong:{}\n\n\0",
        "x".repeat(40_000)
    );
    socket.write_all(frames.as_bytes()).await.unwrap();
    let error = timeout(PATIENCE, queue.next()).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    stomp.send("/queue/small", "x", ()).await.unwrap();
    assert_eq!(texts(&mut small, 1).await, ["x"]);
    assert_eq!(stomp.stats().lost, 1);
}

/// Where it is, without its limits.
fn other_url(stomp: &Stomp) -> String {
    let shown = format!("{stomp:?}");
    let target = shown.split('"').nth(1).unwrap();
    format!("stomp://worker:secret@{target}")
}
