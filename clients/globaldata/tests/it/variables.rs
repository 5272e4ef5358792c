//! Single variables: what travels, and what comes back.

use crate::dialogue::{answer, conflict, connected, connected_as, got, hear, stored};
use crate::support::{FakeServer, Peer};
use serde::{Deserialize, Serialize};
use workyard_globaldata::{Conflict, Encoding, ErrorKind, GlobalDataClient, Number, Reason, Value};
use workyard_protocol::ValueRef;
use workyard_protocol::globaldata::{Entry, Existence, Reply};
use workyard_protocol::limits::{LIST_ITEMS_MAX, NAME_BYTES_MAX};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u32,
}

/// Answers these requests in order.
async fn script(peer: &mut Peer, lines: Vec<(&str, Reply<'_>)>) {
    for (expected, reply) in lines {
        answer(peer, expected, reply).await;
    }
}

#[tokio::test]
async fn reading() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let entry = |revision| Some(Entry { revision, ttl_ms: None, value: ValueRef::Int(5) });
    let serving = script(
        &mut peer,
        vec![
            ("get a", got(7, ValueRef::Int(5))),
            ("get a", Reply::Got(None)),
            ("get a", got(7, ValueRef::raw("text"))),
            ("get a", got(7, ValueRef::raw("text"))),
            ("get [\"a\", \"b\"]", Reply::GotMany(vec![entry(1), None])),
            ("exists a", Reply::Existence(Some(Existence { revision: 3, ttl_ms: None }))),
            ("exists a", Reply::Existence(None)),
        ],
    );
    let reading = async {
        assert_eq!(client.get::<i64>("a").await.unwrap(), Some(5));
        assert_eq!(client.get::<i64>("a").await.unwrap(), None);
        let entry = client.entry(b"a").await.unwrap().unwrap();
        assert_eq!((entry.revision, entry.value.clone()), (7, Value::text("text")));
        assert_eq!(entry.decode::<String>().unwrap(), "text");
        let error = client.get::<i64>("a").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(client.get_many::<i64, _>(["a", "b"]).await.unwrap(), [Some(5), None]);
        assert!(client.exists("a").await.unwrap());
        assert_eq!(client.revision("a").await.unwrap(), None);
    };
    tokio::join!(reading, serving);
}

#[tokio::test]
async fn writing() {
    let server = FakeServer::bind().await;
    let builder = GlobalDataClient::builder(server.address()).encoding(Encoding::Json);
    let (client, mut peer) = connected_as(&server, builder).await;
    let serving = script(
        &mut peer,
        vec![
            (r#"write a: {"id":7}"#, stored(1)),
            ("write a if absent: 1", stored(2)),
            ("write a if absent: 1", conflict(2)),
            ("write a if 2: text", stored(3)),
            ("write a if 2: text", conflict(3)),
            ("write a if 2: text", conflict(0)),
            ("write a if absent: text", stored(4)),
            ("write a if 4: 1.5", stored(5)),
            ("write a if absent: 1.5", conflict(5)),
            ("write a if value old: 1.5", stored(6)),
            ("delete a", Reply::Deleted { existed: true }),
        ],
    );
    let writing = async {
        assert_eq!(client.set("a", &Order { id: 7 }).await.unwrap(), 1);
        assert!(client.add("a", &1).await.unwrap());
        assert!(!client.add("a", &1).await.unwrap());
        assert_eq!(client.cas("a", 2, "text").await.unwrap(), Ok(3));
        let conflict = client.cas("a", 2, "text").await.unwrap().unwrap_err();
        assert_eq!(conflict, Conflict { current: Some(3) });
        assert!(conflict.to_string().ends_with("it is at revision 3"), "{conflict}");
        let gone = client.cas("a", 2, "text").await.unwrap();
        assert_eq!(gone, Err(Conflict { current: None }));
        assert_eq!(client.cas("a", 0, "text").await.unwrap(), Ok(4), "0 stands for none");
        let (old, new) = (Value::text("old"), Value::Float(1.5));
        assert_eq!(client.cas_to_value("a", 4, &new).await.unwrap(), Ok(5));
        let there = client.cas_to_value("a", 0, &new).await.unwrap();
        assert_eq!(there, Err(Conflict { current: Some(5) }));
        assert_eq!(client.cas_value("a", &old, &new).await.unwrap(), Ok(6));
        assert!(client.delete("a").await.unwrap());
    };
    tokio::join!(writing, serving);
}

#[tokio::test]
async fn counting() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let sum = |value| Reply::Incremented { revision: 1, value };
    let serving = async {
        let lines = vec![
            ("increment a by 1 from 0", sum(Number::Int(1))),
            ("increment a by -2.5 from 0", sum(Number::Float(-1.5))),
            ("increment a by 3 from 10", sum(Number::Int(13))),
        ];
        script(&mut peer, lines).await;
        let id = hear(&mut peer, "increment a by 1").await;
        peer.refuse(id, Reason::NotFound).await;
    };
    let counting = async {
        assert_eq!(client.increment("a", 1).await.unwrap(), Number::Int(1));
        assert_eq!(client.increment("a", -2.5).await.unwrap(), Number::Float(-1.5));
        assert_eq!(client.increment_from("a", 3, 10).await.unwrap(), Number::Int(13));
        let error = client.increment_existing("a", 1).await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Refused, Some(Reason::NotFound)));
    };
    tokio::join!(counting, serving);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_here() {
    let server = FakeServer::bind().await;
    let (client, _peer) = connected(&server).await;
    let long = "k".repeat(NAME_BYTES_MAX + 1);
    assert_eq!(client.set(&long, &1).await.unwrap_err().kind(), ErrorKind::InvalidName);
    let many = vec!["k"; LIST_ITEMS_MAX + 1];
    let error = client.entries(&many).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let long = "k".repeat(NAME_BYTES_MAX);
    let error = client.entries(vec![&long; 256]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "a megabyte of keys");
    let error = client.set_value("k", &Value::raw(vec![0; 11 << 20])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let error = GlobalDataClient::connect("nowhere").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidAddress);
    let none: [&str; 0] = [];
    let error = GlobalDataClient::sharded(none).connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let twice = GlobalDataClient::sharded(["a:1", "tcp://a:1"]).connect_lazy().unwrap_err();
    assert_eq!(twice.to_string(), "tcp://a:1 was named twice");
}

#[tokio::test]
async fn an_answer_to_another_question_is_an_error() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = answer(&mut peer, "get a", Reply::Deleted { existed: true });
    let (wrong, ()) = tokio::join!(client.get::<i64>("a"), serving);
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Malformed);
}
