//! Lists, sets and maps: what travels for each call, and what comes of the answers.

use crate::dialogue::{answer, connected, got, looked, modified};
use crate::support::FakeServer;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use workyard_globaldata::{BatchOutcome, ErrorKind, Number, StepResult, Value};
use workyard_protocol::container::{put_field, put_item};
use workyard_protocol::globaldata::{BatchReply, Found, Outcome, Reply};
use workyard_protocol::{Encoding, FieldName, ValueRef};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: u8,
    y: u8,
}

fn length(length: u64) -> Reply<'static> {
    modified(Outcome::Length(length))
}

fn count(count: u64) -> Reply<'static> {
    modified(Outcome::Count(count))
}

fn container(encoding: Encoding, bytes: &[u8]) -> Reply<'_> {
    got(3, ValueRef::Encoded { encoding, bytes })
}

#[tokio::test]
async fn a_list_is_pushed_to_and_popped_from() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut items = Vec::new();
    [ValueRef::raw("a"), ValueRef::raw("b")].iter().for_each(|it| put_item(*it, &mut items));
    let popped = |value| modified(Outcome::Values(vec![value]));
    let serving = async {
        answer(&mut peer, "push x Back of l", length(1)).await;
        answer(&mut peer, "push 5 Front keeping 3 of l for 1000 ms", length(2)).await;
        answer(&mut peer, "push a,5 Back of l", length(4)).await;
        answer(&mut peer, "pop 1 Front of l", popped(ValueRef::Int(5))).await;
        answer(&mut peer, "pop 1 Back of l", modified(Outcome::Values(vec![]))).await;
        answer(&mut peer, "length of l", looked(Found::Length(2))).await;
        let two = vec![Some(ValueRef::Int(1)), Some(ValueRef::Int(2))];
        answer(&mut peer, "2 items from -2 of l", looked(Found::Values(two))).await;
        answer(&mut peer, "get l", container(Encoding::List, &items)).await;
        answer(&mut peer, "get l", Reply::Got(None)).await;
    };
    let asking = async {
        let list = client.list("l");
        assert_eq!(list.push_back("x").await.unwrap(), 1);
        let brief = client.with_ttl(Duration::from_secs(1)).list("l").keep(3);
        assert_eq!(brief.push_front(&5).await.unwrap(), 2);
        let values = [Value::text("a"), Value::Int(5)];
        assert_eq!(list.push_back_values(&values).await.unwrap(), 4);
        assert_eq!(list.pop_front::<i64>().await.unwrap(), Some(5));
        assert_eq!(list.pop_back::<String>().await.unwrap(), None);
        assert!(!list.is_empty().await.unwrap());
        assert_eq!(list.range::<u8>(-2, 2).await.unwrap(), [1, 2]);
        assert!(list.range::<u8>(0, 0).await.unwrap().is_empty(), "that needs no question");
        assert_eq!(list.items::<String>().await.unwrap(), ["a", "b"]);
        assert!(list.items::<String>().await.unwrap().is_empty());
    };
    tokio::join!(asking, serving);
}

#[tokio::test]
async fn structures_are_items_too() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let point = Point { x: 1, y: 2 };
    let bincode = ValueRef::Encoded { encoding: Encoding::Bincode, bytes: &[1, 2] };
    let serving = async {
        answer(&mut peer, "push <2 bytes of bincode> Back of l", length(1)).await;
        answer(&mut peer, "pop 1 Back of l", modified(Outcome::Values(vec![bincode]))).await;
    };
    let asking = async {
        client.list("l").push_back(&point).await.unwrap();
        assert_eq!(client.list("l").pop_back::<Point>().await.unwrap(), Some(point));
    };
    tokio::join!(asking, serving);
}

#[tokio::test]
async fn a_set_says_what_is_new_and_what_is_there() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut items = Vec::new();
    put_item(ValueRef::Int(7), &mut items);
    let serving = async {
        answer(&mut peer, "set_add tom to s", count(1)).await;
        answer(&mut peer, "set_add tom to s", count(0)).await;
        answer(&mut peer, "set_remove tom from s", count(1)).await;
        answer(&mut peer, "contains 5 in s", looked(Found::Flags(vec![true]))).await;
        answer(&mut peer, "contains 5,6 in s", looked(Found::Flags(vec![true, false]))).await;
        answer(&mut peer, "get s", container(Encoding::Set, &items)).await;
    };
    let asking = async {
        let set = client.set_of("s");
        assert!(set.add("tom").await.unwrap());
        assert!(!set.add("tom").await.unwrap());
        assert!(set.remove("tom").await.unwrap());
        assert!(set.contains(&5).await.unwrap());
        let both = [Value::Int(5), Value::Int(6)];
        assert_eq!(set.contains_values(&both).await.unwrap(), [true, false]);
        assert_eq!(set.items::<u32>().await.unwrap(), [7]);
    };
    tokio::join!(asking, serving);
}

#[tokio::test]
async fn a_map_is_set_read_and_counted_by_field() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut fields = Vec::new();
    put_field(FieldName::new("age").unwrap(), ValueRef::Int(41), &mut fields);
    let sum = modified(Outcome::Number(Number::Int(42)));
    let serving = async {
        answer(&mut peer, "map_set name=tom in m", count(1)).await;
        answer(&mut peer, "map_set a=1,b=2 in m", count(0)).await;
        let name = vec![Some(ValueRef::raw("tom"))];
        answer(&mut peer, "fields [\"name\"] of m", looked(Found::Values(name))).await;
        let found = vec![None, Some(ValueRef::Int(2))];
        answer(&mut peer, "fields [\"x\", \"b\"] of m", looked(Found::Values(found))).await;
        answer(&mut peer, "map_increment age by 1 from 0 in m", sum).await;
        answer(&mut peer, "map_remove [\"a\"] from m", count(1)).await;
        answer(&mut peer, "length of m", looked(Found::Length(0))).await;
        answer(&mut peer, "get m", container(Encoding::Map, &fields)).await;
    };
    let asking = async {
        let map = client.map("m");
        assert!(map.set("name", "tom").await.unwrap());
        let (one, two) = (Value::Int(1), Value::Int(2));
        assert_eq!(map.set_values([("a", &one), ("b", &two)]).await.unwrap(), 0);
        assert_eq!(map.get::<String>("name").await.unwrap().as_deref(), Some("tom"));
        assert_eq!(map.get_many::<u8, _>(["x", "b"]).await.unwrap(), [None, Some(2)]);
        assert_eq!(map.increment("age", 1).await.unwrap(), Number::Int(42));
        assert!(map.remove("a").await.unwrap());
        assert!(map.is_empty().await.unwrap());
        let entries = map.entries::<u8>().await.unwrap();
        assert_eq!(entries, [(Bytes::from_static(b"age"), 41)]);
    };
    tokio::join!(asking, serving);
}

#[tokio::test]
async fn what_is_wrong_is_told_here() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        answer(&mut peer, "get l", got(3, ValueRef::Int(1))).await;
        answer(&mut peer, "get l", container(Encoding::Set, &[])).await;
        answer(&mut peer, "length of l", looked(Found::Flags(vec![]))).await;
        answer(&mut peer, "contains 5 in l", looked(Found::Flags(vec![true, true]))).await;
        answer(&mut peer, "set_add 5 to l", length(1)).await;
    };
    let asking = async {
        let many = vec![Value::Int(1); 16_385];
        let long = "f".repeat(4097);
        for (error, kind) in [
            (
                client.list("l").push_back_values(&many).await.unwrap_err(),
                ErrorKind::InvalidArgument,
            ),
            (
                client.list("l").range::<u8>(0, 16_385).await.unwrap_err(),
                ErrorKind::InvalidArgument,
            ),
            (client.map("m").set(&long, &1).await.unwrap_err(), ErrorKind::InvalidName),
            (client.map("m").get::<u8>(&long).await.unwrap_err(), ErrorKind::InvalidName),
            (client.list("l").items::<u8>().await.unwrap_err(), ErrorKind::Decode),
            (client.list("l").items::<u8>().await.unwrap_err(), ErrorKind::Decode),
            (client.list("l").len().await.unwrap_err(), ErrorKind::Malformed),
            (client.set_of("l").contains(&5).await.unwrap_err(), ErrorKind::Malformed),
            (client.set_of("l").add(&5).await.unwrap_err(), ErrorKind::Malformed),
        ] {
            assert_eq!(error.kind(), kind, "{error}");
        }
    };
    tokio::join!(asking, serving);
}

#[tokio::test]
async fn items_change_in_batches() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let results = vec![StepResult::Length(1), StepResult::Count(1), StepResult::Count(0)];
    let reply = BatchReply::Applied { revision: 3, results: results.clone() };
    let steps = "batch [push 1 Back of l, push 2 Front of l, set_add 3 to s, set_remove 4 from s, \
                 map_set f=5 in m, map_remove [\"g\"] from m, map_increment h by 6 from 0 in m]";
    let serving = answer(&mut peer, steps, Reply::Batch(reply));
    let committing = client
        .batch()
        .push_back("l", &1)
        .push_front("l", &2)
        .set_add("s", &3)
        .set_remove("s", &4)
        .map_set("m", "f", &5)
        .map_remove("m", "g")
        .map_increment("m", "h", 6)
        .commit();
    let (outcome, ()) = tokio::join!(committing, serving);
    assert_eq!(outcome.unwrap(), BatchOutcome::Applied { revision: 3, results });
}
