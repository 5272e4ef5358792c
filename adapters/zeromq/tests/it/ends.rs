//! How sockets end, and calls that are given up.

use crate::peer::{MOMENT, SOON, address, binds, connects, peer};
use std::time::{Duration, Instant};
use tokio::time::timeout;
use workyard_testbed::{Port, eventually};
use workyard_zeromq::{ErrorKind, Publisher, Pull, Push, Requester, Router, State};

#[tokio::test]
async fn closing_loses_nothing_that_was_taken() {
    let port = Port::free();
    let mut options = connects(address(&port));
    options.send_queue_max = 20_000;
    let push = Push::with(options).unwrap();
    for number in 0..20_000 {
        push.send(number.to_string()).await.unwrap();
    }
    let late = async {
        tokio::time::sleep(MOMENT).await;
        peer("PULL", "bind", address(&port), &[]).await
    };
    let (written, mut libzmq) = tokio::join!(push.close(), late);
    assert!(written);
    assert_eq!(libzmq.ask("take 20000").await, "in order");
    let error = push.send("more").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(matches!(push.state(), State::Closed));
    assert_eq!(push.ready().await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn closing_does_not_wait_for_ever() {
    let nowhere = Port::free();
    let mut options = connects(address(&nowhere));
    options.linger = MOMENT;
    let push = Push::with(options).unwrap();
    push.send("nobody gets it").await.unwrap();
    let begun = Instant::now();
    assert!(!push.close().await);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn closing_ends_what_waits() {
    let pull = Pull::with(binds()).unwrap();
    pull.ready().await.unwrap();
    let waits = tokio::spawn({
        let pull = pull.clone();
        async move { pull.recv().await }
    });
    tokio::time::sleep(MOMENT).await;
    assert!(pull.close().await);
    assert_eq!(waits.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
    // The address is free again.
    let again = Pull::open(&format!("@tcp://{}", pull.addresses()[0])).unwrap();
    eventually("it can be bound", async || again.ready().await.is_ok()).await;
}

#[tokio::test]
async fn the_last_who_drops_a_socket_ends_it() {
    let publisher = Publisher::with(binds()).unwrap();
    publisher.ready().await.unwrap();
    let address = publisher.addresses()[0];
    let clone = publisher.clone();
    drop(publisher);
    clone.ready().await.unwrap();
    drop(clone);
    let again = Publisher::open(&format!("@tcp://{address}")).unwrap();
    eventually("it can be bound", async || again.ready().await.is_ok()).await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_and_tried_again() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let router = Router::open(&format!("@tcp://{address}")).unwrap();
    for _ in 0..2 {
        let error = router.ready().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().contains("cannot be bound: Address already in use"), "{error}");
    }
    drop(taken);
    router.ready().await.unwrap();
}

#[tokio::test]
async fn hundreds_of_receives_that_are_given_up_lose_nothing() {
    let pull = Pull::with(binds()).unwrap();
    pull.ready().await.unwrap();
    let mut libzmq = peer("PUSH", "connect", pull.addresses()[0], &[]).await;
    for number in 0..300 {
        assert!(timeout(Duration::ZERO, pull.recv()).await.is_err(), "nothing was sent");
        libzmq.tell(&format!("send {number}"));
        // Given up at any time, on the way of the message.
        let message = loop {
            let patience = Duration::from_millis(fastrand::u64(0..2));
            if let Ok(message) = timeout(patience, pull.recv()).await {
                break message.unwrap();
            }
        };
        assert_eq!(message.text(0).unwrap(), number.to_string());
        assert_eq!(libzmq.line().await, "sent");
    }
}

#[tokio::test]
async fn sends_that_are_given_up_keep_no_place() {
    let nowhere = Port::free();
    let mut options = connects(address(&nowhere));
    options.send_queue_max = 1;
    let push = Push::with(options).unwrap();
    push.send("0").await.unwrap();
    for _ in 0..300 {
        assert!(timeout(Duration::from_millis(1), push.send("never")).await.is_err());
    }
    let mut libzmq = peer("PULL", "bind", address(&nowhere), &[]).await;
    assert_eq!(libzmq.ask("recv").await, "0");
    push.send("1").await.unwrap();
    assert_eq!(libzmq.ask("recv").await, "1");
    assert_eq!(push.stats().cancelled, 300);
}

#[test]
fn it_works_in_any_runtime_and_across_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pull = Pull::with(binds()).unwrap();
        is_send(pull.ready()).await.unwrap();
        let push = Push::with(connects(pull.addresses()[0])).unwrap();
        is_send(push.send("a")).await.unwrap();
        is_send(pull.recv_within(SOON)).await.unwrap();
        is_send(push.close()).await;
        let requester = Requester::with(connects(pull.addresses()[0])).unwrap();
        assert!(is_send(requester.request_within("x", MOMENT)).await.is_err());
    });
}
