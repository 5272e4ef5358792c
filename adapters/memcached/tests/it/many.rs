//! Many keys, many callers.

use crate::common::{FOREVER, counted, server};
use tokio::task::JoinSet;
use workyard_memcached::ErrorKind;

#[tokio::test]
async fn many_keys_in_their_order() {
    let (_server, memcached) = server().await;
    let keys: Vec<String> = (0..1000).map(|number| format!("key-{number}")).collect();
    for key in keys.iter().step_by(3) {
        memcached.set(key, key.clone(), FOREVER).await.unwrap();
    }
    let items = memcached.get_many(&keys).await.unwrap();
    assert_eq!(items.len(), keys.len());
    for (number, (key, item)) in keys.iter().zip(&items).enumerate() {
        let expected = (number % 3 == 0).then(|| key.clone().into());
        assert_eq!(*item, expected, "{key}");
    }
    let twice = memcached.get_many(&["key-0", "key-1", "key-0"]).await.unwrap();
    assert_eq!(twice, [Some("key-0".into()), None, Some("key-0".into())]);
    assert_eq!(memcached.get_many::<&str>(&[]).await.unwrap(), []);
    let error = memcached.get_many(&vec!["k"; 10_001]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let error = memcached.get_many(&["k", "k v"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_get_their_own_answers() {
    let (_server, memcached) = server().await;
    memcached.set("sum", 0_u64, FOREVER).await.unwrap();
    let mut callers = JoinSet::new();
    for caller in 0..1000_u64 {
        let memcached = memcached.clone();
        callers.spawn(async move {
            let key = format!("caller-{caller}");
            memcached.set(&key, caller, FOREVER).await.unwrap();
            for _ in 0..5 {
                assert_eq!(memcached.get(&key).await.unwrap().unwrap().number().unwrap(), caller);
            }
            memcached.incr("sum", caller).await.unwrap().unwrap();
        });
    }
    assert_eq!(callers.join_all().await.len(), 1000);
    let sum = memcached.get("sum").await.unwrap().unwrap().number().unwrap();
    assert_eq!(sum, (0..1000).sum::<u64>());
    let stats = memcached.stats();
    assert_eq!((stats.succeeded, stats.failed.len(), stats.calls), (7002, 0, 0));
    assert!((1..=32).contains(&stats.connected), "{stats:?}");
    assert!(counted(&memcached, "curr_connections").await <= 32 + 2);
}

#[test]
fn it_works_in_any_runtime_and_across_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (_server, memcached) = server().await;
        is_send(memcached.set("k", "v", FOREVER)).await.unwrap();
        is_send(memcached.get_many(&["k"])).await.unwrap();
        is_send(memcached.server_stats(None)).await.unwrap();
        is_send(memcached.flush()).await.unwrap();
        is_send(memcached.clone().close()).await;
    });
}
