//! PUSH and PULL.

use crate::peer::{MOMENT, SOON, address, binds, connects, peer};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use workyard_testbed::{Port, Relay, eventually};
use workyard_zeromq::{ErrorKind, Message, Options, Pull, Push, State};

#[tokio::test]
async fn push_to_libzmq_bound_or_connected() {
    let port = Port::free();
    let mut bound = peer("PULL", "bind", address(&port), &[]).await;
    let push = Push::with(connects(address(&port))).unwrap();
    push.ready().await.unwrap();
    push.send(Message::of(["a", "", "c"])).await.unwrap();
    assert_eq!(bound.ask("recv").await, "a||c");

    let push = Push::with(binds()).unwrap();
    push.ready().await.unwrap();
    let mut connected = peer("PULL", "connect", push.addresses()[0], &[]).await;
    push.send("hello").await.unwrap();
    assert_eq!(connected.ask("recv").await, "hello");
    assert_eq!(push.peers(), 1);
}

#[tokio::test]
async fn pull_from_libzmq_bound_or_connected() {
    let port = Port::free();
    let mut bound = peer("PUSH", "bind", address(&port), &[]).await;
    let pull = Pull::with(connects(address(&port))).unwrap();
    pull.ready().await.unwrap();
    bound.ask("send a||c").await;
    assert_eq!(pull.recv().await.unwrap(), Message::of(["a", "", "c"]));

    let pull = Pull::with(binds()).unwrap();
    pull.ready().await.unwrap();
    let mut connected = peer("PUSH", "connect", pull.addresses()[0], &[]).await;
    connected.ask("send hello").await;
    assert_eq!(pull.recv_within(SOON).await.unwrap().text(0).unwrap(), "hello");
    let error = pull.recv_within(MOMENT).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, false));
}

#[tokio::test]
async fn many_messages_keep_their_order_both_ways() {
    let push = Push::with(binds()).unwrap();
    push.ready().await.unwrap();
    let mut libzmq = peer("PULL", "connect", push.addresses()[0], &[]).await;
    libzmq.tell("take 20000");
    for number in 0..20_000 {
        push.send(number.to_string()).await.unwrap();
    }
    assert_eq!(libzmq.line().await, "in order");

    let pull = Pull::with(binds()).unwrap();
    pull.ready().await.unwrap();
    let mut libzmq = peer("PUSH", "connect", pull.addresses()[0], &[]).await;
    libzmq.tell("many 20000");
    for number in 0..20_000 {
        assert_eq!(pull.recv().await.unwrap().text(0).unwrap(), number.to_string());
    }
}

#[tokio::test]
async fn large_messages_and_many_parts() {
    let push = Push::with(binds()).unwrap();
    push.ready().await.unwrap();
    let mut libzmq = peer("PULL", "connect", push.addresses()[0], &[]).await;
    let sizes = [0, 255, 256, 65_536, 9_000_000];
    push.send(Message::of(sizes.map(|size| vec![7; size]))).await.unwrap();
    assert_eq!(libzmq.ask("sizes").await, "0,255,256,65536,9000000");
    push.send(Message::of(vec!["x"; 1024])).await.unwrap();
    assert_eq!(libzmq.ask("sizes").await, vec!["1"; 1024].join(","));

    let pull = Pull::with(binds()).unwrap();
    pull.ready().await.unwrap();
    let mut libzmq = peer("PUSH", "connect", pull.addresses()[0], &[]).await;
    libzmq.ask("large 9000000").await;
    assert_eq!(pull.recv().await.unwrap().parts()[0].len(), 9_000_000);
}

#[tokio::test]
async fn several_endpoints_of_both_kinds_share_the_work() {
    let ports = [Port::free(), Port::free()];
    let mut pulls = Vec::new();
    for port in &ports {
        pulls.push(peer("PULL", "bind", address(port), &[]).await);
    }
    let hosts = ports.each_ref().map(|port| address(port).to_string());
    let mut options = Options::new(format!("tcp://{}", hosts.join(",")));
    options.bind.push("tcp://127.0.0.1:0".to_owned());
    let push = Push::with(options).unwrap();
    push.ready().await.unwrap();
    pulls.push(peer("PULL", "connect", push.addresses()[0], &[]).await);
    eventually("all are there", async || push.peers() == 3).await;
    for number in 0..300 {
        push.send(number.to_string()).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut seen = BTreeSet::new();
    for pull in &mut pulls {
        let got = pull.ask("all 300").await;
        let got: Vec<u32> = got.split(',').map(|number| number.parse().unwrap()).collect();
        assert!(got.len() > 10, "{}", got.len());
        assert!(got.into_iter().all(|number| seen.insert(number)), "one came twice");
    }
    assert_eq!(seen.len(), 300);
}

#[tokio::test]
async fn without_a_peer_so_many_wait_and_no_more() {
    let nowhere = Port::free();
    let mut options = connects(address(&nowhere));
    options.send_queue_max = 3;
    options.calls.request_timeout = MOMENT;
    options.calls.connect_timeout = MOMENT;
    let push = Push::with(options).unwrap();
    is_down(&push).await;
    for number in 0..3 {
        push.send(number.to_string()).await.unwrap();
    }
    let begun = Instant::now();
    let error = push.send("3").await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Busy, false));
    assert!(begun.elapsed() < Duration::from_secs(2));
    // What waits is not lost.
    let mut libzmq = peer("PULL", "bind", address(&nowhere), &[]).await;
    assert_eq!(libzmq.ask("take 3").await, "in order");
}

#[tokio::test]
async fn a_peer_that_is_killed_is_found_again_and_gets_nothing_twice() {
    let port = Port::free();
    let mut libzmq = peer("PULL", "bind", address(&port), &[]).await;
    let push = Push::with(connects(address(&port))).unwrap();
    push.ready().await.unwrap();
    let mut seen = BTreeSet::new();
    for round in 0..3 {
        push.send(format!("{round}")).await.unwrap();
        assert!(seen.insert(libzmq.ask("recv").await));
        libzmq.process.kill().await;
        eventually("its end is noticed", async || push.peers() == 0).await;
        assert!(matches!(push.state(), State::Down(_)));
        push.send(format!("{round} while it is down")).await.unwrap();
        libzmq.start_again().await;
        assert_eq!(libzmq.line().await, "ready");
        assert!(seen.insert(libzmq.ask("recv").await));
        push.ready().await.unwrap();
    }
    assert_eq!(libzmq.ask("quiet 100").await, "nothing");
    assert!(push.stats().connected >= 4 && push.stats().lost >= 3, "{:?}", push.stats());
}

#[tokio::test]
async fn a_message_that_was_cut_in_two_goes_to_the_next_connection() {
    let port = Port::free();
    let mut libzmq = peer("PULL", "bind", address(&port), &[]).await;
    let relay = Relay::to(address(&port)).await;
    let push = Push::with(connects(relay.address())).unwrap();
    push.ready().await.unwrap();
    relay.stall();
    // More than the system takes at once, so that the adapter still has the rest.
    push.send(vec![7; 15_000_000]).await.unwrap();
    tokio::time::sleep(MOMENT).await;
    relay.cut();
    relay.pass();
    assert_eq!(libzmq.ask("sizes").await, "15000000");
    assert_eq!(libzmq.ask("quiet 100").await, "nothing");
}

/// The peer hangs up in the midst of it, each time.
#[tokio::test]
async fn a_message_that_a_peer_refuses_is_dropped_and_the_next_arrives() {
    let mut options = binds();
    options.message_bytes_max = 1 << 20;
    let pull = Pull::with(options).unwrap();
    pull.ready().await.unwrap();
    let push = Push::with(connects(pull.addresses()[0])).unwrap();
    push.send(vec![7; 15_000_000]).await.unwrap();
    push.send("small").await.unwrap();
    assert_eq!(pull.recv_within(SOON).await.unwrap(), "small".into());
    assert_eq!((push.dropped(), push.stats().connected), (1, 4));
    assert!(push.close().await);
}

#[tokio::test]
async fn a_slow_application_holds_up_its_peers_and_loses_nothing() {
    let mut options = binds();
    options.receive_queue_max = 10;
    let pull = Pull::with(options).unwrap();
    pull.ready().await.unwrap();
    let mut options = connects(pull.addresses()[0]);
    options.send_queue_max = 10;
    options.calls.request_timeout = Duration::from_millis(200);
    let push = Push::with(options).unwrap();
    let mut sent = 0_u32;
    while push.send(Message::of([sent.to_be_bytes().to_vec(), vec![0; 500_000]])).await.is_ok() {
        sent += 1;
        assert!(sent < 200, "nobody is held up");
    }
    for number in 0..sent {
        assert_eq!(pull.recv_within(SOON).await.unwrap().parts()[0], number.to_be_bytes()[..]);
    }
}

#[tokio::test]
async fn so_many_bytes_wait_to_be_written_and_no_more() {
    let nowhere = Port::free();
    let mut options = connects(address(&nowhere));
    options.send_queue_bytes_max = 10;
    options.calls.request_timeout = MOMENT;
    let push = Push::with(options).unwrap();
    push.send(Message::of(["123", "456"])).await.unwrap();
    let error = push.send("12345").await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Busy, false));
    push.send("1234").await.unwrap();
    let mut libzmq = peer("PULL", "bind", address(&nowhere), &[]).await;
    assert_eq!(libzmq.ask("recv").await, "123|456");
    assert_eq!(libzmq.ask("recv").await, "1234");
    push.send("larger than all of it").await.unwrap();
    assert_eq!(libzmq.ask("recv").await, "larger than all of it");
}

#[tokio::test]
async fn so_many_bytes_wait_for_the_application_and_no_more() {
    let mut options = binds();
    options.receive_queue_bytes_max = 1_000_000;
    let pull = Pull::with(options).unwrap();
    pull.ready().await.unwrap();
    let mut options = connects(pull.addresses()[0]);
    options.send_queue_max = 10;
    options.calls.request_timeout = Duration::from_millis(500);
    let push = Push::with(options).unwrap();
    let mut sent = 0_u32;
    while push.send(Message::of([sent.to_be_bytes().to_vec(), vec![0; 500_000]])).await.is_ok() {
        sent += 1;
        assert!(sent < 200, "nobody is held up");
    }
    for number in 0..sent {
        assert_eq!(pull.recv_within(SOON).await.unwrap().parts()[0], number.to_be_bytes()[..]);
    }
    push.send(vec![0; 2_000_000]).await.unwrap();
    assert_eq!(pull.recv_within(SOON).await.unwrap().parts()[0].len(), 2_000_000);
}

async fn is_down(push: &Push) {
    eventually("it is down", async || {
        push.ready().await.is_err() && matches!(push.state(), State::Down(_))
    })
    .await;
}
