//! Publishing: what travels, and what comes back.

use crate::dialogue::{connected, connected_as, hear};
use crate::support::FakeServer;
use serde::Serialize;
use workyard_channel::{ChannelClient, Encoding, ErrorKind, Event, Reason, Value};
use workyard_protocol::channel::Reply;
use workyard_protocol::limits::{LIST_ITEMS_MAX, NAME_BYTES_MAX};

#[derive(Serialize)]
struct Order {
    id: u32,
}

#[tokio::test]
async fn values_travel_and_receivers_are_counted() {
    let server = FakeServer::bind().await;
    let builder = ChannelClient::builder(server.address()).encoding(Encoding::Json);
    let (client, mut peer) = connected_as(&server, builder).await;
    let publishing = async {
        assert_eq!(client.publish("a", &5).await.unwrap(), 1);
        assert_eq!(client.publish("b", "text").await.unwrap(), 2);
        assert_eq!(client.publish("c", &Order { id: 7 }).await.unwrap(), 3);
        assert_eq!(client.publish_many(["d", "e"], &1.5).await.unwrap(), 4);
        assert_eq!(client.publish_one("f", "one").await.unwrap(), 5);
        let bytes = Value::raw(vec![b'x']);
        assert_eq!(client.publish_value(b"g", &bytes).await.unwrap(), 6);
    };
    let serving = async {
        for (receivers, expected) in [
            (1, "publish a 5"),
            (2, "publish b text"),
            (3, r#"publish c {"id":7}"#),
            (4, r#"publish_many ["d", "e"] 1.5"#),
            (5, "publish_one f one"),
            (6, "publish g x"),
        ] {
            let id = hear(&mut peer, expected).await;
            peer.reply(id, Reply::Published { receivers }).await;
        }
    };
    tokio::join!(publishing, serving);
}

#[tokio::test]
async fn sending_waits_for_nobody_and_flush_for_everything() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut events = client.events();
    let sending = async {
        for number in 0..1000 {
            client.send("a", &number).await.unwrap();
        }
        client.flush().await.unwrap();
    };
    let serving = async {
        for number in 0..1000 {
            assert_eq!(hear(&mut peer, &format!("publish a {number}")).await, 0);
        }
        peer.refuse(0, Reason::LimitReached).await;
        let frame = peer.frame().await.unwrap();
        let workyard_protocol::ToServer::Ping(token) =
            frame.to_server::<workyard_link::Unread<'_>>()
        else {
            panic!("expected a ping, not {frame:?}")
        };
        peer.pong(token).await;
        peer
    };
    let ((), _peer) = tokio::join!(sending, serving);
    assert!(matches!(events.next().await, Some(Event::Refused(_))));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_here() {
    let server = FakeServer::bind().await;
    let (client, _peer) = connected(&server).await;
    let long = "n".repeat(NAME_BYTES_MAX + 1);
    let error = client.publish(&long, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
    let error = client.publish_many(vec!["n"; LIST_ITEMS_MAX + 1], "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let error = client.subscribe_pattern("news*").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidPattern);
    let error = client.consume("mails", 0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let error = client.publish_value("a", &Value::raw(vec![0; 11 << 20])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let error = ChannelClient::connect("nowhere").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidAddress);
}

#[tokio::test]
async fn a_refusal_names_its_reason() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        let id = hear(&mut peer, "publish a 1").await;
        peer.refuse(id, Reason::LimitReached).await;
    };
    let (refused, ()) = tokio::join!(client.publish("a", &1), serving);
    let error = refused.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Refused, Some(Reason::LimitReached)));
}
