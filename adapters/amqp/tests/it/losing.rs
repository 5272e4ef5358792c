//! Connections that are lost: what is restored, what is known, and that nothing happens twice.

use crate::broker::{
    MOMENT, broker, check, drained, is_quiet, next, relayed, to, told, with_queue,
};
use futures_util::future::join_all;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;
use workyard_amqp::{Amqp, Binding, Consume, ErrorKind, Exchange, Options, Publish, Queue, State};
use workyard_testbed::{RabbitMq, Relay, eventually};

async fn again(amqp: &Amqp, connected: u64) {
    eventually("it is connected again", async || {
        amqp.stats().connected >= connected && matches!(amqp.status().state(), State::Ready)
    })
    .await;
}

#[tokio::test]
async fn a_publish_without_an_answer_is_not_made_again() {
    let (relay, amqp, other) = relayed("").await;
    with_queue(&amqp, "a").await;
    amqp.publish(&to("a", "first")).await.unwrap();
    relay.cut_answer_to("precious");
    let error = amqp.publish(&to("a", "precious")).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true), "{error}");
    amqp.publish(&to("a", "next")).await.unwrap();
    let counts = drained(&other, "a").await;
    assert_eq!((counts["first"], counts["precious"], counts["next"]), (1, 1, 1));
}

#[tokio::test]
async fn what_was_declared_is_there_before_consumers_go_on() {
    let (relay, amqp, other) = relayed("").await;
    let exchange = Exchange::named("passing").transient().auto_delete();
    amqp.declare_exchange(&exchange).await.unwrap();
    // It goes with the connection, and so does what is bound to it.
    amqp.declare_queue(&Queue::named("mine").transient().exclusive()).await.unwrap();
    amqp.bind(&Binding::new("passing", "mine", "k")).await.unwrap();
    let mut mine = amqp.consume(Consume::from("mine").prefetch(1)).await.unwrap();
    for round in 1..=3 {
        relay.cut();
        eventually("it was lost", async || amqp.stats().lost >= round).await;
        again(&amqp, round + 1).await;
        let text = format!("round {round}");
        let message = Publish::to("passing", "k").body(text.clone()).mandatory();
        other.publish(&message).await.unwrap();
        let message = next(&mut mine).await;
        assert_eq!(message.text().unwrap(), text);
        message.ack().await.unwrap();
    }
    // The bound on what comes is restored, too.
    for _ in 0..3 {
        other.publish(&Publish::to("passing", "k")).await.unwrap();
    }
    let _one = next(&mut mine).await;
    assert!(is_quiet(&mut mine).await);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again() {
    let (relay, amqp, other) = relayed("").await;
    with_queue(&other, "a").await;
    for number in 0..3 {
        other.publish(&to("a", number)).await.unwrap();
    }
    let mut queue = amqp.consume(Consume::from("a")).await.unwrap();
    let (first, second) = (next(&mut queue).await, next(&mut queue).await);
    first.ack().await.unwrap();
    // So that the server has got it.
    amqp.ready().await.unwrap();
    sleep(MOMENT).await;
    relay.cut();
    again(&amqp, 2).await;
    let error = second.ack().await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, false));
    assert!(error.to_string().contains("delivers it again"), "{error}");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let message = next(&mut queue).await;
        message.ack().await.unwrap();
        seen.push(message.text().unwrap().to_owned());
    }
    seen.sort();
    assert_eq!(seen, ["1", "2"]);
    assert!(is_quiet(&mut queue).await);
}

#[tokio::test]
async fn calls_wait_for_a_connection_that_comes_back_in_time() {
    let (relay, amqp, other) = relayed("").await;
    with_queue(&amqp, "a").await;
    relay.refuse();
    relay.cut();
    let mut states = amqp.status().watch();
    states.wait_for(|state| matches!(state, State::Down(_))).await.unwrap();
    let publish = |number: usize| {
        let amqp = &amqp;
        async move { amqp.publish(&to("a", number)).await }
    };
    let back = async {
        sleep(MOMENT).await;
        relay.pass();
    };
    let (published, ()) = tokio::join!(join_all((0..50).map(publish)), back);
    published.into_iter().for_each(|published| published.unwrap());
    let counts = drained(&other, "a").await;
    assert_eq!((counts.len(), counts.values().max()), (50, Some(&1)));
}

#[tokio::test]
async fn cuts_anywhere_leave_no_doubt_about_what_happened() {
    let (relay, _, other) = relayed("").await;
    with_queue(&other, "a").await;
    let amqp = through(&relay, &other);
    amqp.ready().await.unwrap();
    let mut outcomes = Vec::new();
    for number in 0..40usize {
        relay.cut_after_bytes(1 + number * 9);
        let publish = |part: usize| {
            let (amqp, text) = (&amqp, format!("{number} {part}"));
            async move { (text.clone(), amqp.publish(&to("a", text)).await) }
        };
        outcomes.extend(join_all((0..3).map(publish)).await);
    }
    check(outcomes, &drained(&other, "a").await);
    assert!(amqp.stats().lost > 10);
}

/// With short waits.
fn through(relay: &Relay, other: &Amqp) -> Amqp {
    let shown = format!("{other:?}");
    let vhost = shown.split('"').nth(1).and_then(|target| target.split_once('/')).unwrap().1;
    let mut options = Options::new(format!("amqp://worker:secret@{}/{vhost}", relay.address()));
    options.calls.retry.backoff.max = Duration::from_millis(50);
    told(options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_killed_comes_back_to_all() {
    let mut rabbit = RabbitMq::start().await;
    let vhost = rabbit.vhost().await;
    let amqp = told(Options::new(format!("{}?call_timeout=60s", rabbit.url(&vhost))));
    with_queue(&amqp, "a").await;
    with_queue(&amqp, "inbox").await;
    // The server tells of a new queue before it is on the disk, so it is told to stop once.
    rabbit.process.restart().await;
    eventually("it is connected again", async || amqp.ready().await.is_ok()).await;
    let mut inbox = amqp.consume(Consume::from("inbox")).await.unwrap();
    let publisher = amqp.clone();
    let publishing = tokio::spawn(async move {
        let mut outcomes = Vec::new();
        for number in 0.. {
            let text = number.to_string();
            let published = publisher.publish(&to("a", &text)).await;
            let is_over = published.as_ref().is_err_and(|it| it.kind() == ErrorKind::Closed);
            outcomes.push((text, published));
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
    eventually("it is connected again", async || amqp.ready().await.is_ok()).await;
    amqp.publish(&to("inbox", "hello again").mandatory()).await.unwrap();
    assert_eq!(next(&mut inbox).await.text().unwrap(), "hello again");
    amqp.close().await;
    let outcomes = publishing.await.unwrap();
    let sure = outcomes.iter().filter(|(_, published)| published.is_ok()).count();
    assert!(sure > 10 && outcomes.len() - sure < 30, "{sure} of {}", outcomes.len());
    check(outcomes, &drained(&Amqp::open(&rabbit.url(&vhost)).unwrap(), "a").await);
}

#[test]
fn a_consumer_that_waits_leaves_the_thread_to_others() {
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(consumes_while_no_call_has_a_place());
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_secs(20)).unwrap();
}

async fn consumes_while_no_call_has_a_place() {
    let (relay, amqp, _) = relayed("calls_max=1&waiting_max=0&connect_timeout=500ms").await;
    with_queue(&amqp, "a").await;
    let mut queue = amqp.consume(Consume::from("a")).await.unwrap();
    relay.refuse();
    relay.cut();
    let mut states = amqp.status().watch();
    states.wait_for(|state| matches!(state, State::Down(_))).await.unwrap();
    let message = to("a", "x");
    let waiting = tokio::time::timeout(MOMENT, queue.next());
    let (published, waited) = tokio::join!(amqp.publish(&message), waiting);
    assert_eq!(published.unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(waited.is_err());
    relay.pass();
    eventually("it is published", async || amqp.publish(&message).await.is_ok()).await;
    assert_eq!(next(&mut queue).await.text().unwrap(), "x");
}

/// A way to the server whose connections, cut, are still open for the server for that long.
async fn half_cut(server: SocketAddr, still: Duration) -> (SocketAddr, watch::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (cut, cuts) = watch::channel(());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut cuts = cuts.clone();
            cuts.mark_unchanged();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    _ = cuts.changed() => {
                        drop(client);
                        sleep(still).await;
                    }
                }
            });
        }
    });
    (at, cut)
}

#[tokio::test]
async fn what_is_this_clients_alone_comes_back_when_the_server_sees_the_loss_late() {
    let rabbit = &broker().await.rabbit;
    let vhost = rabbit.vhost().await;
    let (at, cut) = half_cut(rabbit.address(), Duration::from_secs(3)).await;
    let amqp = told(Options::new(rabbit.url_at(at, &vhost)));
    amqp.declare_queue(&Queue::named("mine").transient().exclusive()).await.unwrap();
    amqp.bind(&Binding::new("amq.direct", "mine", "k")).await.unwrap();
    with_queue(&amqp, "shared").await;
    let mut mine = amqp.consume(Consume::from("mine")).await.unwrap();
    let mut alone = amqp.consume(Consume::from("shared").exclusive()).await.unwrap();
    cut.send(()).unwrap();
    again(&amqp, 2).await;
    amqp.publish(&to("shared", "x").mandatory()).await.unwrap();
    let both = async { tokio::join!(next(&mut mine), next(&mut alone)) };
    let publish = async {
        // What the queue of the lost connection gets goes with it.
        loop {
            let _ = amqp.publish(&Publish::to("amq.direct", "k").mandatory()).await;
            sleep(MOMENT).await;
        }
    };
    let (mine, alone) = tokio::select! {
        both = both => both,
        () = publish => unreachable!("it goes on"),
    };
    mine.ack().await.unwrap();
    alone.ack().await.unwrap();
}

#[tokio::test]
async fn what_is_not_known_to_be_declared_or_deleted_is_restored() {
    let (relay, amqp, other) = relayed("attempts_max=1&connect_timeout=500ms").await;
    amqp.ready().await.unwrap();
    relay.cut_answer_to("precious");
    let queue = Queue::named("precious").transient().exclusive();
    let error = amqp.declare_queue(&queue).await.unwrap_err();
    assert!(error.outcome_unknown(), "{error}");
    again(&amqp, 2).await;
    other.publish(&to("precious", "x").mandatory()).await.unwrap();
    relay.refuse();
    relay.cut();
    let mut states = amqp.status().watch();
    states.wait_for(|state| matches!(state, State::Down(_))).await.unwrap();
    assert!(!amqp.delete_queue("precious").await.unwrap_err().outcome_unknown());
    relay.pass();
    again(&amqp, 3).await;
    other.publish(&to("precious", "x").mandatory()).await.unwrap();
    amqp.delete_queue("precious").await.unwrap();
}

#[tokio::test]
async fn a_purge_without_an_answer_is_not_made_again() {
    let (relay, amqp, _) = relayed("").await;
    with_queue(&amqp, "precious").await;
    amqp.publish(&to("precious", "x")).await.unwrap();
    relay.cut_answer_to("precious");
    let error = amqp.purge_queue("precious").await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true), "{error}");
}
