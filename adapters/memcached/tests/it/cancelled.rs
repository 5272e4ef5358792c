//! Calls that are given up: no connection that is in the midst of something is used again.

use crate::common::{FOREVER, counted, open, url};
use std::time::Duration;
use tokio::time::timeout;
use workyard_memcached::{Memcached, Options};
use workyard_testbed::{Memcached as Server, Relay};

/// Every key has a value of its own, so that an answer to somebody else would be seen.
fn value(number: u64) -> String {
    format!("value-{number}-{}", "x".repeat(usize::try_from(number % 7).unwrap() * 3000))
}

async fn check(memcached: &Memcached) {
    for number in 0..16 {
        let key = format!("key-{number}");
        let item = memcached.get(&key).await.unwrap().unwrap();
        assert_eq!(item.text().unwrap(), value(number));
    }
    assert_eq!(memcached.get("absent").await.unwrap(), None);
}

#[tokio::test]
async fn hundreds_of_calls_that_are_given_up_poison_nothing() {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let memcached = open(relay.address());
    for number in 0..16 {
        memcached.set(format!("key-{number}"), value(number), FOREVER).await.unwrap();
    }
    // An exchange takes some milliseconds, and is given up in any of them.
    relay.slow(Duration::from_millis(1));
    let mut given_up = 0_u64;
    for round in 0..600_u64 {
        let number = round % 16;
        let patience = Duration::from_millis(fastrand::u64(0..8));
        let key = format!("key-{number}");
        let in_time = match round % 4 {
            0 => timeout(patience, memcached.get(&key)).await.map(|item| {
                assert_eq!(item.unwrap().unwrap().text().unwrap(), value(number));
            }),
            1 => timeout(patience, memcached.set(&key, value(number), FOREVER))
                .await
                .map(Result::unwrap),
            2 => timeout(patience, memcached.gets("absent")).await.map(|found| {
                assert_eq!(found.unwrap(), None);
            }),
            _ => timeout(patience, memcached.get_many(&[&*key, "absent"])).await.map(|items| {
                let items = items.unwrap();
                assert_eq!(items[0].as_ref().unwrap().text().unwrap(), value(number));
                assert_eq!(items[1], None);
            }),
        };
        given_up += u64::from(in_time.is_err());
        if round % 50 == 0 {
            check(&memcached).await;
        }
    }
    check(&memcached).await;
    let stats = memcached.stats();
    assert!((100..600).contains(&given_up), "{given_up} of 600 were given up");
    assert_eq!((stats.cancelled, stats.calls, stats.failed.len()), (given_up, 0, 0));
}

#[tokio::test]
async fn a_connection_whose_answer_is_on_its_way_is_thrown_away() {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let memcached = Memcached::with(Options::new(url(relay.address()))).unwrap();
    memcached.set("key", "v", FOREVER).await.unwrap();
    assert_eq!(relay.connections(), 1);
    relay.stall();
    assert!(timeout(Duration::from_millis(50), memcached.get("key")).await.is_err());
    relay.pass();
    assert_eq!(memcached.get("absent").await.unwrap(), None);
    assert_eq!(relay.connections(), 2);
    // Those that came to their end are kept.
    for _ in 0..100 {
        memcached.get("key").await.unwrap();
    }
    assert_eq!(relay.connections(), 2);
    assert_eq!(counted(&memcached, "total_connections").await, 4);
}
