//! Every command, as a server carries it out.

use crate::common::{FOREVER, counted, server};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use workyard_memcached::{Cas, CasOutcome, ErrorKind, Item};

#[tokio::test]
async fn what_is_set_is_found_until_it_is_deleted() {
    let (_server, memcached) = server().await;
    memcached.ready().await.unwrap();
    assert_eq!(memcached.get("key").await.unwrap(), None);
    let every_byte: Vec<u8> = (0..=255).chain(*b"\r\nEND\r\n").collect();
    let item = Item::from(every_byte).with_flags(u32::MAX);
    memcached.set("key", item.clone(), FOREVER).await.unwrap();
    assert_eq!(memcached.get("key").await.unwrap(), Some(item));
    memcached.set("key", "", FOREVER).await.unwrap();
    assert_eq!(memcached.get("key").await.unwrap(), Some(Item::default()));
    assert!(memcached.delete("key").await.unwrap());
    assert!(!memcached.delete("key").await.unwrap());
    assert_eq!(memcached.get("key").await.unwrap(), None);
}

#[tokio::test]
async fn keys_are_bytes() {
    let (_server, memcached) = server().await;
    let long = "k".repeat(250);
    for key in ["größe".as_bytes(), &[0x21, 0x7e, 0x80, 0xff], long.as_bytes()] {
        memcached.set(key, key, FOREVER).await.unwrap();
    }
    for key in ["größe".as_bytes(), &[0x21, 0x7e, 0x80, 0xff], long.as_bytes()] {
        assert_eq!(memcached.get(key).await.unwrap().unwrap().data, key);
    }
}

#[tokio::test]
async fn add_and_replace_look_first() {
    let (_server, memcached) = server().await;
    assert!(!memcached.replace("key", "0", FOREVER).await.unwrap());
    assert!(memcached.add("key", "1", FOREVER).await.unwrap());
    assert!(!memcached.add("key", "2", FOREVER).await.unwrap());
    assert_eq!(memcached.get("key").await.unwrap(), Some("1".into()));
    assert!(memcached.replace("key", "3", FOREVER).await.unwrap());
    assert_eq!(memcached.get("key").await.unwrap(), Some("3".into()));
}

#[tokio::test]
async fn append_and_prepend_leave_flags_and_ttl() {
    let (_server, memcached) = server().await;
    assert!(!memcached.append("key", "c").await.unwrap());
    assert!(!memcached.prepend("key", "a").await.unwrap());
    let ttl = Duration::from_secs(1);
    memcached.set("key", Item::from("b").with_flags(7), ttl).await.unwrap();
    assert!(memcached.append("key", "c").await.unwrap());
    assert!(memcached.prepend("key", "a").await.unwrap());
    let item = memcached.get("key").await.unwrap();
    assert_eq!(item, Some(Item::from("abc").with_flags(7)));
    workyard_testbed::eventually("it is forgotten", async || {
        memcached.get("key").await.unwrap().is_none()
    })
    .await;
}

#[tokio::test]
async fn cas_loses_to_whoever_was_quicker() {
    let (_server, memcached) = server().await;
    let absent = memcached.cas("key", "1", FOREVER, Cas(1)).await.unwrap();
    assert_eq!((absent, memcached.gets("key").await.unwrap()), (CasOutcome::NotFound, None));
    memcached.set("key", "1", FOREVER).await.unwrap();
    let (item, cas) = memcached.gets("key").await.unwrap().unwrap();
    assert_eq!(item, "1".into());
    let swap = async |value: &str| memcached.cas("key", value, FOREVER, cas).await.unwrap();
    assert_eq!(swap("2").await, CasOutcome::Stored);
    assert_eq!(swap("3").await, CasOutcome::Exists);
    assert_eq!(memcached.get("key").await.unwrap(), Some("2".into()));
}

#[tokio::test]
async fn numbers_wrap_above_and_stop_below() {
    let (_server, memcached) = server().await;
    assert_eq!(memcached.incr("n", 1).await.unwrap(), None);
    assert_eq!(memcached.decr("n", 1).await.unwrap(), None);
    memcached.set("n", u64::MAX - 1, FOREVER).await.unwrap();
    assert_eq!(memcached.incr("n", 1).await.unwrap(), Some(u64::MAX));
    assert_eq!(memcached.incr("n", 3).await.unwrap(), Some(2));
    assert_eq!(memcached.incr("n", u64::MAX).await.unwrap(), Some(1));
    assert_eq!(memcached.decr("n", 2).await.unwrap(), Some(0));
    memcached.set("n", 10_u64, FOREVER).await.unwrap();
    assert_eq!(memcached.decr("n", 1).await.unwrap(), Some(9));
    // The server leaves the number as long as it was.
    assert_eq!(memcached.get("n").await.unwrap().unwrap().number().unwrap(), 9);
    memcached.set("n", "many", FOREVER).await.unwrap();
    let error = memcached.incr("n", 1).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("CLIENT_ERROR")));
    assert!(error.to_string().ends_with("non-numeric value (CLIENT_ERROR)"), "{error}");
}

#[tokio::test]
async fn a_ttl_ends_and_touch_moves_its_end() {
    let (_server, memcached) = server().await;
    assert!(!memcached.touch("absent", FOREVER).await.unwrap());
    // A part of a second is a whole one: less would be for ever.
    for key in ["short", "kept"] {
        memcached.set(key, "v", Duration::from_millis(1)).await.unwrap();
    }
    memcached.set("long", "v", Duration::from_secs(60 * 60 * 24 * 365)).await.unwrap();
    assert!(memcached.touch("kept", FOREVER).await.unwrap());
    workyard_testbed::eventually("it is forgotten", async || {
        memcached.get("short").await.unwrap().is_none()
    })
    .await;
    // Taken for a number of seconds since it began, a year would have ended long ago.
    assert!(memcached.get("long").await.unwrap().is_some());
    assert!(memcached.get("kept").await.unwrap().is_some());
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    age: u8,
}

#[tokio::test]
async fn values_of_the_applications_own() {
    let (_server, memcached) = server().await;
    let user = User { name: "Ann".to_owned(), age: 7 };
    memcached.set("user", Item::from_json(&user).unwrap(), FOREVER).await.unwrap();
    let item = memcached.get("user").await.unwrap().unwrap();
    assert_eq!(item.json::<User>().unwrap(), user);
}

#[tokio::test]
async fn the_server_tells_of_itself_and_forgets_everything() {
    let (server, memcached) = server().await;
    let versions = memcached.version().await.unwrap();
    assert_eq!(*versions[0].0, *server.address().to_string());
    assert!(versions[0].1.starts_with("1."), "{versions:?}");
    memcached.set("key", "v", FOREVER).await.unwrap();
    assert_eq!(counted(&memcached, "curr_items").await, 1);
    assert_eq!(counted(&memcached, "cmd_set").await, 1);
    let settings = memcached.server_stats(Some("settings")).await.unwrap();
    assert_eq!(settings[0].1["inter"], "127.0.0.1");
    let error = memcached.server_stats(Some("nonsense")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("ERROR")));
    memcached.flush().await.unwrap();
    assert_eq!(memcached.get("key").await.unwrap(), None);
}
