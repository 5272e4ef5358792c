//! Variables that live for a time: what a program sees of them.

use crate::support::{client, daemon};
use std::time::{Duration, Instant};
use workyard_globaldata::{Expiry, GlobalDataClient, TimeLeft};

const HOUR: Duration = Duration::from_secs(3600);

/// Asks until the variable is gone, which must be before this test loses its patience.
async fn await_end(client: &GlobalDataClient, key: &str) {
    let begun = Instant::now();
    while client.exists(key).await.unwrap() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{key} does not expire");
    }
}

#[tokio::test]
async fn a_lock_whose_holder_is_gone_is_free_after_its_ttl() {
    let daemon = daemon();
    let (one, two) = (client(&daemon).await, client(&daemon).await);
    assert!(one.with_ttl(HOUR).add("lock", "one").await.unwrap());
    assert!(!two.with_ttl(HOUR).add("lock", "two").await.unwrap());
    // It says when it will be gone, and is not heard of again.
    assert!(one.touch("lock", Duration::from_millis(50)).await.unwrap());
    await_end(&two, "lock").await;
    assert!(two.with_ttl(HOUR).add("lock", "two").await.unwrap());
    assert_eq!(one.get("lock").await.unwrap(), Some("two".to_owned()));
}

#[tokio::test]
async fn an_update_does_not_forget_the_lifetime() {
    let daemon = daemon();
    let client = client(&daemon).await;
    client.with_ttl(HOUR).set("cart", &vec![1]).await.unwrap();
    let add = |cart: Option<Vec<i32>>| [cart.unwrap_or_default(), vec![2]].concat();
    client.update("cart", add).await.unwrap();
    let entry = client.entry("cart").await.unwrap().unwrap();
    assert_eq!(entry.decode::<Vec<i32>>().unwrap(), [1, 2]);
    assert!(entry.ttl.is_some_and(|left| left <= HOUR && left > HOUR / 2), "{:?}", entry.ttl);
    assert!(client.persist("cart").await.unwrap());
    assert_eq!(client.ttl("cart").await.unwrap(), TimeLeft::Forever);
    assert!(client.touch("cart", Duration::from_millis(1)).await.unwrap());
    await_end(&client, "cart").await;
    assert_eq!(client.ttl("cart").await.unwrap(), TimeLeft::Missing);
}

#[tokio::test]
async fn steps_of_a_batch_give_lifetimes() {
    let daemon = daemon();
    let client = client(&daemon).await;
    let batch = client.batch().set("kept", &1).with_expiry(Expiry::AfterIfNew(HOUR));
    let outcome = batch.increment("kept", 1).increment("new", 1).commit().await.unwrap();
    drop(outcome);
    assert_eq!(client.ttl("kept").await.unwrap(), TimeLeft::Forever);
    assert!(matches!(client.ttl("new").await.unwrap(), TimeLeft::Left(left) if left <= HOUR));
}
