//! REQ and REP.

use crate::peer::{MOMENT, SOON, address, binds, connects, peer};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;
use workyard_testbed::{Port, Relay, Told, eventually};
use workyard_zeromq::{Dealer, ErrorKind, Message, Replier, Requester};

#[tokio::test]
async fn libzmq_replies_bound_or_connected() {
    let port = Port::free();
    let mut libzmq = peer("REP", "bind", address(&port), &[]).await;
    let requester = Requester::with(connects(address(&port))).unwrap();
    libzmq.tell("echo 100");
    for number in 0..100 {
        let reply = requester.request(Message::of(["a".to_owned(), format!("b{number}")])).await;
        assert_eq!(reply.unwrap(), Message::of(["a".to_owned(), format!("B{number}")]));
    }
    assert_eq!(libzmq.line().await, "echoed");

    let requester = Requester::with(binds()).unwrap();
    requester.ready().await.unwrap();
    let mut libzmq = peer("REP", "connect", requester.addresses()[0], &[]).await;
    libzmq.tell("echo 1");
    assert_eq!(requester.request("hello").await.unwrap(), "HELLO".into());
}

#[tokio::test]
async fn libzmq_asks() {
    let replier = Replier::with(binds()).unwrap();
    replier.ready().await.unwrap();
    for kind in ["REQ", "DEALER"] {
        let mut libzmq = peer(kind, "connect", replier.addresses()[0], &[]).await;
        let (envelope, shown) = if kind == "REQ" { ("", "") } else { ("id||", "id||") };
        for number in 0..10 {
            libzmq.ask(&format!("send {envelope}what|{number}")).await;
            let request = replier.recv_within(SOON).await.unwrap();
            assert_eq!(*request.message(), Message::of(["what".to_owned(), number.to_string()]));
            request.reply("that").await.unwrap();
            assert_eq!(libzmq.ask("recv").await, format!("{shown}that"));
        }
    }
}

#[tokio::test]
async fn a_reply_that_is_lost_or_late_is_in_nobodys_way() {
    let port = Port::free();
    let mut libzmq = peer("REP", "bind", address(&port), &[]).await;
    let mut options = connects(address(&port));
    options.calls.request_timeout = Duration::from_millis(100);
    let requester = Requester::with(options).unwrap();
    requester.ready().await.unwrap();
    for round in 0..5 {
        let begun = Instant::now();
        let error = requester.request(format!("late {round}")).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, true));
        assert!(begun.elapsed() < Duration::from_secs(2));
        libzmq.tell("echo 2");
        let reply = requester.request_within(format!("next {round}"), SOON).await.unwrap();
        assert_eq!(reply, format!("NEXT {round}").into());
        assert_eq!(libzmq.line().await, "echoed");
    }
}

#[tokio::test]
async fn a_peer_that_is_lost_with_a_request_fails_it_and_the_next_is_made() {
    let port = Port::free();
    let mut libzmq = peer("REP", "bind", address(&port), &[]).await;
    let requester = Requester::with(connects(address(&port))).unwrap();
    requester.ready().await.unwrap();
    let request = requester.request("lost");
    let kill = async {
        assert_eq!(libzmq.ask("recv").await, "lost");
        libzmq.process.kill().await;
    };
    let (result, ()) = tokio::join!(request, kill);
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
    libzmq.start_again().await;
    assert_eq!(libzmq.line().await, "ready");
    libzmq.tell("echo 1");
    // Had the first been made again, it would be what is echoed.
    assert_eq!(requester.request("next").await.unwrap(), "NEXT".into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_get_their_own_replies() {
    let replier = Replier::with(binds()).unwrap();
    replier.ready().await.unwrap();
    let requester = Requester::with(connects(replier.addresses()[0])).unwrap();
    let replies = tokio::spawn(async move {
        while let Ok(request) = replier.recv().await {
            // In any order.
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(fastrand::u64(0..20))).await;
                let reply = request.message().clone();
                request.reply(reply).await.unwrap();
            });
        }
    });
    let mut callers = JoinSet::new();
    for caller in 0..1000 {
        let requester = requester.clone();
        callers.spawn(async move {
            for round in 0..3 {
                let asked = format!("{caller} {round}");
                let reply = requester.request(&*asked).await.unwrap();
                assert_eq!(reply.text(0).unwrap(), asked);
            }
        });
    }
    assert_eq!(callers.join_all().await.len(), 1000);
    let stats = requester.stats();
    assert_eq!((stats.succeeded, stats.failed.len(), stats.calls), (3000, 0, 0));
    replies.abort();
}

#[tokio::test]
async fn a_request_that_its_peer_refuses_fails_and_the_next_is_made() {
    let mut options = binds();
    options.message_bytes_max = 1 << 20;
    let replier = Replier::with(options).unwrap();
    replier.ready().await.unwrap();
    let requester = Requester::with(connects(replier.addresses()[0])).unwrap();
    let error = requester.request_within(vec![7; 15_000_000], SOON).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, false));
    let replies = async { replier.recv().await.unwrap().reply("yes").await.unwrap() };
    let (reply, ()) = tokio::join!(requester.request("small"), replies);
    assert_eq!(reply.unwrap(), "yes".into());
}

#[tokio::test]
async fn a_request_that_was_never_written_was_certainly_not_carried_out() {
    let nowhere = Port::free();
    let mut options = connects(address(&nowhere));
    options.send_queue_max = 1;
    options.calls.request_timeout = MOMENT;
    let requester = Requester::with(options).unwrap();
    let error = requester.request("no peer").await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, false));
    let fills = tokio::spawn({
        let requester = requester.clone();
        async move { requester.request_within("fills the queue", SOON).await }
    });
    eventually("the queue is full", async || requester.stats().calls == 1).await;
    let error = requester.request("no place").await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Busy, false));
    fills.abort();
}

/// With what goes before it on the wire.
#[tokio::test]
async fn a_request_that_would_be_too_large_for_its_peer_is_not_sent() {
    let replier = Replier::with(binds()).unwrap();
    replier.ready().await.unwrap();
    let requester = Requester::with(connects(replier.addresses()[0])).unwrap();
    requester.ready().await.unwrap();
    let mut bytes = vec![7; 16 << 20];
    for message in [Message::of(vec!["x"; 1023]), Message::from(bytes.clone())] {
        let error = requester.request(message).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TooLarge, false));
    }
    bytes.truncate((16 << 20) - 8);
    for message in [Message::of(vec!["x"; 1022]), Message::from(bytes)] {
        let replies =
            async { replier.recv_within(SOON).await.unwrap().reply("yes").await.unwrap() };
        let (reply, ()) = tokio::join!(requester.request_within(message, SOON), replies);
        assert_eq!(reply.unwrap(), "yes".into());
    }
    assert_eq!(requester.stats().connected, 1);
}

#[tokio::test]
async fn hundreds_of_requests_that_are_given_up_poison_nothing() {
    let port = Port::free();
    let mut libzmq = peer("REP", "bind", address(&port), &[]).await;
    let relay = Relay::to(address(&port)).await;
    let requester = Requester::with(connects(relay.address())).unwrap();
    requester.ready().await.unwrap();
    libzmq.tell("echo 100000");
    // An exchange takes some milliseconds, and is given up in any of them.
    relay.slow(Duration::from_millis(1));
    let mut given_up = 0;
    for number in 0..500 {
        let asked = format!("REQUEST {number}");
        let patience = match number % 10 {
            0 => SOON,
            _ => Duration::from_millis(fastrand::u64(0..8)),
        };
        match timeout(patience, requester.request(&*asked)).await {
            Ok(reply) => assert_eq!(reply.unwrap().text(0).unwrap(), asked),
            Err(_) => {
                assert!(patience < SOON, "no reply");
                given_up += 1;
            }
        }
    }
    assert!(given_up > 0);
    assert_eq!(requester.request("last").await.unwrap(), "LAST".into());
    let stats = requester.stats();
    assert_eq!((stats.cancelled, stats.calls), (given_up, 0));
}

#[tokio::test]
async fn a_request_that_is_given_up_before_it_was_written_never_is() {
    let nowhere = Port::free();
    let mut options = connects(address(&nowhere));
    options.send_queue_max = 2;
    let requester = Requester::with(options).unwrap();
    for _ in 0..10 {
        assert!(timeout(MOMENT, requester.request("never")).await.is_err());
    }
    let mut libzmq = peer("REP", "bind", address(&nowhere), &[]).await;
    libzmq.tell("echo 1");
    assert_eq!(requester.request("now").await.unwrap(), "NOW".into());
}

/// Nothing that the new one has asked is answered by that.
#[tokio::test]
async fn a_reply_to_who_has_gone_does_not_go_to_who_comes_by_the_same_name() {
    let replier = Replier::with(binds()).unwrap();
    replier.ready().await.unwrap();
    let address = replier.addresses()[0];
    let mut first = peer("REQ", "connect", address, &["IDENTITY=ann"]).await;
    first.ask("send question A").await;
    let to_first = replier.recv_within(SOON).await.unwrap();
    first.process.kill().await;
    let mut second = peer("REQ", "connect", address, &["IDENTITY=ann"]).await;
    second.ask("send question B").await;
    let to_second = replier.recv_within(SOON).await.unwrap();
    let error = to_first.reply("answer A").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidRequest, Some("EHOSTUNREACH")));
    to_second.reply("answer B").await.unwrap();
    assert_eq!(second.ask("recv").await, "answer B");
}

/// A request that nobody can answer: without an envelope, there is nobody to answer to.
#[tokio::test]
async fn what_is_no_request_is_passed_over() {
    let replier = Replier::with(binds()).unwrap();
    replier.ready().await.unwrap();
    let dealer = Dealer::with(connects(replier.addresses()[0])).unwrap();
    dealer.send("no envelope").await.unwrap();
    dealer.send(Message::of(["", "a request"])).await.unwrap();
    let request = replier.recv_within(SOON).await.unwrap();
    assert_eq!(*request.message(), "a request".into());
    drop(dealer);
    eventually("it is gone", async || replier.peers() == 0).await;
    let error = request.reply("too late").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidRequest, Some("EHOSTUNREACH")));
}

#[tokio::test]
async fn whoever_observes_is_told_of_requests_and_connections() {
    let port = Port::free();
    let libzmq = peer("REP", "bind", address(&port), &[]).await;
    let told = Arc::new(Told::default());
    let mut options = connects(address(&port));
    options.calls.request_timeout = Duration::from_millis(100);
    options.observer = Some(told.clone());
    let requester = Requester::with(options).unwrap();
    requester.request("nobody reads it").await.unwrap_err();
    drop(libzmq);
    let place = format!("zeromq {}", address(&port));
    eventually("the loss is told", async || {
        told.lines().iter().any(|line| line.starts_with(&format!("{place} lost: ")))
    })
    .await;
    let lines = told.lines();
    assert_eq!(lines[..2], [format!("{place} connected"), format!("{place} REQUEST 1 TimedOut")]);
}
