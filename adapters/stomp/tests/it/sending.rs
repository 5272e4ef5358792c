//! What is sent, and what the server says to it.

use crate::broker::{MOMENT, drained, next, opened, relayed, texts};
use futures_util::future::join_all;
use std::time::{Duration, Instant};
use workyard_stomp::{ErrorKind, Version};

#[tokio::test]
async fn messages_arrive_as_they_were_sent() {
    let stomp = opened("").await;
    let mut letters = stomp.subscribe("/queue/letters").await.unwrap();
    let value = "a: b\\c\nd\re ä";
    let body = &b"\0first\0\n\n"[..];
    let headers = [("persistent", "true"), ("x-note", value), ("content-type", "text/x")];
    stomp.send("/queue/letters", body, headers).await.unwrap();
    let letter = next(&mut letters).await;
    assert_eq!(&letter.body()[..], body);
    assert_eq!(letter.header("x-note"), Some(value));
    assert_eq!(letter.header("content-type"), Some("text/x"));
    assert_eq!(letter.destination(), "/queue/letters");
    assert!(!letter.id().is_empty() && letter.headers().len() >= 5);
    assert!(letter.text().unwrap().contains("first"));

    stomp.send("/queue/letters", &b"\xff"[..], ()).await.unwrap();
    assert_eq!(next(&mut letters).await.text().unwrap_err().kind(), ErrorKind::Protocol);
    stomp.send("/queue/letters", "", ()).await.unwrap();
    assert!(next(&mut letters).await.body().is_empty());
}

#[tokio::test]
async fn every_version_is_spoken() {
    for version in Version::ALL {
        let stomp = opened(&format!("version_max={version}")).await;
        let mut queue = stomp.subscribe("/queue/a").await.unwrap();
        // RabbitMQ escapes in 1.0, too, where a backslash is a backslash.
        let way = if version == Version::V1_0 { "C temp" } else { "C:\\temp" };
        stomp.send("/queue/a", "hello", [("x-way", way)]).await.unwrap();
        let message = next(&mut queue).await;
        assert_eq!(message.text().unwrap(), "hello");
        assert_eq!(message.header("x-way"), Some(way), "{version}");
        let agreed = stomp.agreed().unwrap();
        assert_eq!(agreed.version, version);
        assert!(agreed.server.unwrap().starts_with("RabbitMQ/"));
    }
}

#[tokio::test]
async fn what_is_not_confirmed_is_sent_all_the_same() {
    let stomp = opened("").await;
    for number in 0..100 {
        stomp.send_unconfirmed("/queue/a", number.to_string(), ()).await.unwrap();
    }
    assert_eq!(drained(&stomp, "/queue/a").await.len(), 100);
}

#[tokio::test]
async fn a_server_that_says_no_is_quoted() {
    let stomp = opened("").await;
    let error = stomp.send("/nowhere/a", "x", ()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("Unknown destination")));
    assert!(error.to_string().contains("'/nowhere/a' is not a valid destination"), "{error}");
    assert_eq!(error.operation(), Some("SEND"));
    // The next call finds a new connection.
    stomp.send("/queue/a", "x", ()).await.unwrap();
    assert_eq!(stomp.stats().failed["server"], 1);
}

#[tokio::test]
async fn a_complaint_about_one_is_not_held_against_the_others() {
    let stomp = opened("").await;
    stomp.ready().await.unwrap();
    let good = (0..100).map(|number| stomp.send("/queue/a", number.to_string(), ()));
    let (good, bad) = tokio::join!(join_all(good), stomp.send("/nowhere/a", "x", ()));
    assert!(matches!(bad.unwrap_err().kind(), ErrorKind::Server | ErrorKind::Disconnected));
    let counts = drained(&stomp, "/queue/a").await;
    for (number, sent) in good.into_iter().enumerate() {
        let times = counts.get(&number.to_string()).copied().unwrap_or_default();
        match sent {
            Ok(()) => assert_eq!(times, 1, "{number}"),
            Err(error) => assert!(error.outcome_unknown() && times <= 1, "{number}: {error}"),
        }
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_not() {
    let stomp = opened("body_bytes_max=1000").await;
    stomp.send("/queue/a", vec![b'x'; 1000], ()).await.unwrap();
    let error = stomp.send("/queue/a", vec![b'x'; 1001], ()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TooLarge, false));
    let long = "x".repeat(20_000);
    let error = stomp.send("/queue/a", "", [("a", long.as_str())]).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TooLarge, false));
    for name in ["receipt", "destination", "transaction", "content-length", "", "a\0"] {
        let error = stomp.send("/queue/a", "", [(name, "1")]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}");
    }
    assert_eq!(drained(&stomp, "/queue/a").await.len(), 1);
    assert_eq!(stomp.stats().connected, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_share_a_connection() {
    let stomp = opened("").await;
    let send = |number: usize| {
        let stomp = stomp.clone();
        tokio::spawn(async move { stomp.send("/queue/a", number.to_string(), ()).await })
    };
    for sent in join_all((0..1000).map(send)).await {
        sent.unwrap().unwrap();
    }
    let counts = drained(&stomp, "/queue/a").await;
    assert_eq!((counts.len(), counts.values().max()), (1000, Some(&1)));
    assert_eq!(stomp.stats().connected, 1);
}

#[tokio::test]
async fn a_stalled_server_holds_nobody_up_for_long() {
    let (relay, stomp, _) =
        relayed("request_timeout=200ms&call_timeout=300ms&attempts_max=1").await;
    stomp.ready().await.unwrap();
    relay.stall();
    let started = Instant::now();
    let error = stomp.send("/queue/a", "x", ()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, true));
    assert!(started.elapsed() < Duration::from_secs(2));
    relay.pass();
    stomp.send("/queue/a", "y", ()).await.unwrap();
}

#[tokio::test]
async fn who_finds_no_place_is_told_at_once() {
    let (relay, stomp, _) = relayed("calls_max=2&waiting_max=1&call_timeout=4s").await;
    stomp.ready().await.unwrap();
    relay.stall();
    let send = || stomp.send("/queue/a", "x", ());
    let fourth = async {
        tokio::time::sleep(MOMENT / 2).await;
        let started = Instant::now();
        let error = send().await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Busy, false));
        // Long before the others give up.
        assert!(started.elapsed() < Duration::from_secs(3));
    };
    let (first, second, third, ()) = tokio::join!(send(), send(), send(), fourth);
    assert_eq!(first.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(second.unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(matches!(third.unwrap_err().kind(), ErrorKind::Busy | ErrorKind::TimedOut));
    assert_eq!(stomp.stats().calls, 0);
}

#[tokio::test]
async fn two_that_close_at_once_both_wait_for_the_server() {
    let (relay, stomp, other) = relayed("").await;
    stomp.ready().await.unwrap();
    relay.stall();
    for number in 0..20 {
        stomp.send_unconfirmed("/queue/a", number.to_string(), ()).await.unwrap();
    }
    let started = Instant::now();
    let close = async || {
        stomp.close().await;
        assert!(started.elapsed() >= MOMENT);
    };
    let pass = async {
        tokio::time::sleep(MOMENT).await;
        relay.pass();
    };
    tokio::join!(close(), close(), pass);
    let mut queue = other.subscribe("/queue/a").await.unwrap();
    assert_eq!(texts(&mut queue, 20).await.len(), 20);
}

#[tokio::test]
async fn a_large_body_comes_and_goes() {
    let stomp = opened("").await;
    let mut queue = stomp.subscribe("/queue/a").await.unwrap();
    let body: Vec<u8> = (0..5_000_000u32).map(|number| number.to_le_bytes()[1]).collect();
    stomp.send("/queue/a", body.clone(), ()).await.unwrap();
    assert!(next(&mut queue).await.body()[..] == body);
}
