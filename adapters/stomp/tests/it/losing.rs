//! Connections that are lost: what is restored, what is known, and that nothing happens twice.

use crate::broker::{MOMENT, drained, is_quiet, next, place, relayed, texts, told, url};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use workyard_stomp::{Ack, ErrorKind, Options, State, Stomp, Subscribe};
use workyard_testbed::{PATIENCE, RabbitMq, Relay, eventually};

#[tokio::test]
async fn a_send_without_an_answer_is_not_sent_again() {
    let (relay, stomp, other) = relayed("").await;
    stomp.ready().await.unwrap();
    relay.cut_answer_to("precious");
    let error = stomp.send("/queue/a", "precious", ()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
    assert!(error.to_string().contains("before the receipt"), "{error}");
    stomp.send("/queue/a", "next", ()).await.unwrap();
    let counts = drained(&other, "/queue/a").await;
    assert_eq!((counts["precious"], counts["next"], counts.len()), (1, 1, 2));
    assert_eq!((stomp.stats().connected, stomp.stats().lost), (2, 1));
}

#[tokio::test]
async fn subscriptions_come_back() {
    let (relay, stomp, other) = relayed("").await;
    let mut queues = Vec::new();
    for number in 0..10 {
        queues.push(stomp.subscribe(Subscribe::to(format!("/queue/{number}"))).await.unwrap());
    }
    let dropped = queues.pop();
    for round in 0..3 {
        relay.cut();
        for (number, queue) in queues.iter_mut().enumerate() {
            let text = format!("{round} {number}");
            other.send(&format!("/queue/{number}"), text.clone(), ()).await.unwrap();
            assert_eq!(texts(queue, 1).await, [text]);
        }
        // So that the server knows what was taken.
        stomp.ready().await.unwrap();
    }
    drop(dropped);
    stomp.send("/queue/9", "nobody's", ()).await.unwrap();
    assert_eq!(drained(&stomp, "/queue/9").await["nobody's"], 1);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again() {
    let (relay, stomp, other) = relayed("").await;
    for number in 0..4 {
        other.send("/queue/a", number.to_string(), ()).await.unwrap();
    }
    let wish = Subscribe::to("/queue/a").ack(Ack::ClientIndividual).prefetch(3);
    let mut queue = stomp.subscribe(wish).await.unwrap();
    let (first, second) = (next(&mut queue).await, next(&mut queue).await);
    first.ack().await.unwrap();
    // So that the server has got it; the third one waits in the buffer.
    stomp.send("/queue/b", "", ()).await.unwrap();
    relay.cut();
    eventually("it is connected again", async || stomp.stats().connected == 2).await;
    let error = second.ack().await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, false));
    assert!(error.to_string().contains("delivers it again"), "{error}");
    // What waited in the buffer is not handed out twice.
    let mut seen = Vec::new();
    for _ in 0..3 {
        let message = next(&mut queue).await;
        message.ack().await.unwrap();
        seen.push(message.text().unwrap().to_owned());
    }
    seen.sort();
    assert_eq!(seen, ["1", "2", "3"]);
    assert!(is_quiet(&mut queue).await);
    assert_eq!(stomp.stats().connected, 2);
}

#[tokio::test]
async fn a_subscription_that_is_not_wanted_any_more_says_so() {
    let (relay, stomp, other) = relayed("").await;
    let wish = Subscribe::to("/queue/named").header("x-queue-name", "named");
    let named = stomp.subscribe(wish.header("auto-delete", "true")).await.unwrap();
    let mut direct = stomp.subscribe("/amq/queue/named").await.unwrap();
    let mut plain = stomp.subscribe("/queue/plain").await.unwrap();
    // Nobody declares it when the connection comes back.
    drop(named);
    stomp.send("/queue/plain", "x", ()).await.unwrap();
    assert_eq!(texts(&mut plain, 1).await, ["x"]);
    // So that the server knows that it was taken.
    stomp.send("/queue/plain", "", ()).await.unwrap();
    assert_eq!(texts(&mut plain, 1).await, [""]);
    stomp.ready().await.unwrap();
    relay.cut();
    let error = timeout(PATIENCE, direct.next()).await.unwrap().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("not_found")));
    assert!(direct.next().await.is_none());
    other.send("/queue/plain", "y", ()).await.unwrap();
    assert_eq!(texts(&mut plain, 1).await, ["y"]);
}

#[tokio::test]
async fn one_that_is_not_wanted_is_found_though_others_are_busy() {
    let (relay, stomp, other) = relayed("").await;
    let wish = Subscribe::to("/queue/named").header("x-queue-name", "named");
    let named = stomp.subscribe(wish.header("auto-delete", "true")).await.unwrap();
    let mut direct = stomp.subscribe("/amq/queue/named").await.unwrap();
    drop(named);
    let mut tasks = Vec::new();
    for number in 0..4 {
        let place = format!("/queue/busy{number}");
        let mut queue = stomp.subscribe(place.as_str()).await.unwrap();
        tasks.push(tokio::spawn(async move { while let Some(Ok(_)) = queue.next().await {} }));
        let other = other.clone();
        tasks.push(tokio::spawn(async move {
            while other.send(&place, "x", ()).await.is_ok() {
                sleep(Duration::from_millis(1)).await;
            }
        }));
    }
    stomp.ready().await.unwrap();
    sleep(MOMENT).await;
    relay.cut();
    let error = timeout(PATIENCE, direct.next()).await.unwrap().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("not_found")));
    eventually("the others go on", async || stomp.ready().await.is_ok()).await;
    // The cut, and the refusal.
    assert_eq!(stomp.stats().lost, 2);
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn one_that_nobody_reads_does_not_keep_the_others_from_coming_back() {
    let (relay, stomp, other) = relayed("request_timeout=1s").await;
    let wish = Subscribe::to("/queue/full").ack(Ack::Auto).prefetch(1);
    let full = stomp.subscribe(wish).await.unwrap();
    let mut queues = Vec::new();
    for number in 0..5 {
        queues.push(stomp.subscribe(format!("/queue/{number}").as_str()).await.unwrap());
    }
    relay.refuse();
    relay.cut();
    for _ in 0..10 {
        other.send("/queue/full", "x", ()).await.unwrap();
    }
    relay.pass();
    eventually("it is connected again", async || stomp.stats().connected == 2).await;
    // Longer than a receipt is waited for. Nothing is read until somebody takes or leaves.
    sleep(Duration::from_millis(1500)).await;
    drop(full);
    for (number, queue) in queues.iter_mut().enumerate() {
        other.send(&format!("/queue/{number}"), "y", ()).await.unwrap();
        assert_eq!(texts(queue, 1).await, ["y"]);
    }
    assert_eq!((stomp.stats().connected, stomp.stats().lost), (2, 1));
}

#[tokio::test]
async fn calls_wait_for_a_connection_that_comes_back_in_time() {
    let (relay, stomp, other) = relayed("").await;
    stomp.ready().await.unwrap();
    relay.refuse();
    relay.cut();
    let mut states = stomp.status().watch();
    states.wait_for(|state| matches!(state, State::Down(_))).await.unwrap();
    let sends = join_all((0..50).map(|number| stomp.send("/queue/a", number.to_string(), ())));
    let back = async {
        sleep(MOMENT).await;
        relay.pass();
    };
    let (sent, ()) = tokio::join!(sends, back);
    for sent in sent {
        sent.unwrap();
    }
    let counts = drained(&other, "/queue/a").await;
    assert_eq!((counts.len(), counts.values().max()), (50, Some(&1)));
}

#[tokio::test]
async fn cuts_anywhere_leave_no_doubt_about_what_happened() {
    let (address, vhost) = place().await;
    let relay = Relay::to(address).await;
    let mut options = Options::new(url(relay.address(), &vhost, ""));
    options.calls.retry.backoff.max = Duration::from_millis(50);
    let (stomp, other) = (told(options), told(Options::new(url(address, &vhost, ""))));
    stomp.ready().await.unwrap();
    let mut outcomes = Vec::new();
    for number in 0..60usize {
        relay.cut_after_bytes(1 + number * 7);
        let text = |part: usize| format!("{number} {part}");
        let sends = (0..3).map(|part| stomp.send("/queue/a", text(part), ()));
        for (part, sent) in join_all(sends).await.into_iter().enumerate() {
            outcomes.push((text(part), sent));
        }
    }
    let counts = drained(&other, "/queue/a").await;
    for (text, sent) in outcomes {
        let times = counts.get(&text).copied().unwrap_or_default();
        match sent {
            Ok(()) => assert_eq!(times, 1, "{text}"),
            Err(error) if error.outcome_unknown() => assert!(times <= 1, "{text}: {error}"),
            Err(error) => assert_eq!(times, 0, "{text}: {error}"),
        }
    }
    assert!(stomp.stats().lost > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_killed_comes_back_to_all() {
    let mut rabbit = RabbitMq::start().await;
    let vhost = rabbit.vhost().await;
    let url = format!("stomp://worker:secret@{}/{vhost}?call_timeout=60s", rabbit.stomp_address());
    // The server tells of a new queue before it is on the disk, so it is told to stop once.
    let stomp = Stomp::open(&url).unwrap();
    stomp.send("/queue/a", "first", [("persistent", "true")]).await.unwrap();
    rabbit.process.restart().await;
    eventually("it is connected again", async || stomp.ready().await.is_ok()).await;
    let mut inbox = stomp.subscribe("/queue/inbox").await.unwrap();
    let sender = stomp.clone();
    let sending = tokio::spawn(async move {
        let mut outcomes = Vec::new();
        for number in 0.. {
            let text = number.to_string();
            let sent = sender.send("/queue/a", text.clone(), [("persistent", "true")]).await;
            let is_over = sent.as_ref().is_err_and(|error| error.kind() == ErrorKind::Closed);
            outcomes.push((text, sent));
            if is_over {
                break;
            }
        }
        outcomes
    });
    sleep(MOMENT).await;
    rabbit.process.kill().await;
    sleep(MOMENT).await;
    rabbit.process.start_again().await;
    eventually("it is connected again", async || stomp.ready().await.is_ok()).await;
    stomp.send("/queue/inbox", "hello again", ()).await.unwrap();
    assert_eq!(texts(&mut inbox, 1).await, ["hello again"]);
    sleep(MOMENT).await;
    stomp.close().await;
    let outcomes = sending.await.unwrap();
    let counts = drained(&Stomp::open(&url).unwrap(), "/queue/a").await;
    let (mut sure, mut unsure) = (0, 0);
    for (text, sent) in outcomes {
        let times = counts.get(&text).copied().unwrap_or_default();
        match sent {
            Ok(()) => assert_eq!(times, 1, "{text}"),
            Err(error) if error.outcome_unknown() => assert!(times <= 1, "{text}: {error}"),
            Err(error) => assert_eq!(times, 0, "{text}: {error}"),
        }
        if times == 1 { sure += 1 } else { unsure += 1 }
    }
    assert!(sure > 10 && unsure < 30, "{sure} {unsure}");
}

#[tokio::test]
async fn a_shutdown_of_the_server_is_survived() {
    let mut rabbit = RabbitMq::start().await;
    let vhost = rabbit.vhost().await;
    let url = format!("stomp://worker:secret@{}/{vhost}", rabbit.stomp_address());
    let stomp = Stomp::open(&url).unwrap();
    let mut inbox = stomp.subscribe("/queue/inbox").await.unwrap();
    rabbit.process.restart().await;
    eventually("it is connected again", async || stomp.ready().await.is_ok()).await;
    stomp.send("/queue/inbox", "hello", ()).await.unwrap();
    assert_eq!(texts(&mut inbox, 1).await, ["hello"]);
    assert!(stomp.stats().lost >= 1);
}
