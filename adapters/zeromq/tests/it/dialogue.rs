//! DEALER and ROUTER.

use crate::peer::{MOMENT, SOON, address, binds, connects, peer};
use workyard_testbed::{Port, eventually};
use workyard_zeromq::{Dealer, ErrorKind, Message, Router};

#[tokio::test]
async fn a_dealer_talks_to_a_router_of_libzmq() {
    let port = Port::free();
    let mut libzmq = peer("ROUTER", "bind", address(&port), &[]).await;
    let mut options = connects(address(&port));
    options.identity = "ann".to_owned();
    let dealer = Dealer::with(options).unwrap();
    for number in 0..3 {
        dealer.send(Message::of(["a".to_owned(), number.to_string()])).await.unwrap();
    }
    for number in 0..3 {
        assert_eq!(libzmq.ask("recv").await, format!("ann|a|{number}"));
    }
    libzmq.ask("send ann|for|you").await;
    assert_eq!(dealer.recv_within(SOON).await.unwrap(), Message::of(["for", "you"]));
    // It keeps its name when it comes again.
    libzmq.process.kill().await;
    libzmq.start_again().await;
    assert_eq!(libzmq.line().await, "ready");
    dealer.ready().await.unwrap();
    dealer.send("back").await.unwrap();
    assert_eq!(libzmq.ask("recv").await, "ann|back");
}

#[tokio::test]
async fn a_router_knows_its_dealers_of_libzmq_by_name() {
    let router = Router::with(binds()).unwrap();
    router.ready().await.unwrap();
    let address = router.addresses()[0];
    let mut ann = peer("DEALER", "connect", address, &["IDENTITY=ann"]).await;
    let mut nameless = peer("DEALER", "connect", address, &[]).await;
    ann.ask("send hello|1").await;
    let (name, message) = router.recv_within(SOON).await.unwrap();
    assert_eq!((&*name, message), (&b"ann"[..], Message::of(["hello", "1"])));
    nameless.ask("send hello|2").await;
    let (made, message) = router.recv_within(SOON).await.unwrap();
    assert_eq!((made[0], message), (0, Message::of(["hello", "2"])));
    router.send("ann", "for ann").await.unwrap();
    router.send(&made, Message::of(["for", "the other"])).await.unwrap();
    assert_eq!(ann.ask("recv").await, "for ann");
    assert_eq!(nameless.ask("recv").await, "for|the other");
    let error = router.send("tom", "nobody").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidRequest, Some("EHOSTUNREACH")));
    assert!(error.to_string().contains("there is no peer \"tom\" now"), "{error}");
    for _ in 0..50 {
        assert!(router.send("tom", "nobody").await.is_err());
    }
    router.send("ann", "others do not suffer").await.unwrap();
    ann.process.kill().await;
    eventually("ann has gone", async || router.send("ann", "x").await.is_err()).await;
}

#[tokio::test]
async fn who_comes_by_the_name_of_another_takes_its_place() {
    let router = Router::with(binds()).unwrap();
    router.ready().await.unwrap();
    let named = || {
        let mut options = connects(router.addresses()[0]);
        options.identity = "ann".to_owned();
        options.reconnect.first = SOON;
        options.reconnect.max = SOON;
        Dealer::with(options).unwrap()
    };
    let (first, second) = (named(), named());
    first.ready().await.unwrap();
    second.ready().await.unwrap();
    eventually("the first is sent away", async || first.peers() == 0).await;
    router.send("ann", "for the second").await.unwrap();
    assert_eq!(second.recv_within(SOON).await.unwrap(), "for the second".into());
    assert!(first.recv_within(MOMENT).await.is_err());
    assert_eq!(router.peers(), 1);
}
