//! Several servers: each has its keys, and one that is down concerns nobody else.

use crate::common::{FOREVER, MOMENT, open};
use std::time::{Duration, Instant};
use workyard_memcached::{ErrorKind, Memcached, Options};
use workyard_testbed::{Memcached as Server, eventually};

struct Servers {
    servers: Vec<Server>,
    options: Options,
}

async fn servers() -> Servers {
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Server::start().await);
    }
    let hosts: Vec<String> = servers.iter().map(|it| it.address().to_string()).collect();
    let mut options = Options::new(format!("memcached://{}", hosts.join(",")));
    options.calls.retry.attempts_max = 1;
    options.calls.breaker.failures_max = 2;
    options.calls.breaker.open_for = Duration::from_millis(200);
    Servers { servers, options }
}

fn keys() -> Vec<String> {
    (0..300).map(|number| format!("key-{number}")).collect()
}

#[tokio::test]
async fn keys_are_on_the_server_that_is_named_and_nowhere_else() {
    let Servers { servers, options } = servers().await;
    let memcached = Memcached::with(options).unwrap();
    memcached.ready().await.unwrap();
    let directs: Vec<Memcached> = servers.iter().map(|server| open(server.address())).collect();
    let mut counts = [0; 3];
    for key in keys() {
        memcached.set(&key, key.clone(), FOREVER).await.unwrap();
        let named = memcached.server_of(&key).unwrap();
        for (place, direct) in directs.iter().enumerate() {
            let is_there = direct.get(&key).await.unwrap().is_some();
            assert_eq!(is_there, *named == *servers[place].address().to_string());
            counts[place] += usize::from(is_there);
        }
    }
    assert!(counts.iter().all(|count| *count > 30), "{counts:?}");
    let items = memcached.get_many(&keys()).await.unwrap();
    assert!(items.iter().zip(keys()).all(|(item, key)| *item == Some(key.into())));
    let versions = memcached.version().await.unwrap();
    assert!(
        versions.iter().zip(&servers).all(|(it, server)| *it.0 == *server.address().to_string())
    );
    assert_eq!(memcached.stats_by_server().len(), 3);
    memcached.flush().await.unwrap();
    for direct in directs {
        assert_eq!(direct.get_many(&keys()).await.unwrap().iter().flatten().count(), 0);
    }
}

#[tokio::test]
async fn the_keys_of_a_server_that_is_down_fail_fast_and_others_do_not() {
    let Servers { mut servers, options } = servers().await;
    let memcached = Memcached::with(options).unwrap();
    let down = servers[1].address().to_string();
    servers[1].process.kill().await;
    let (mut lost, mut kept) = (Vec::new(), Vec::new());
    for key in keys() {
        let is_lost = *memcached.server_of(&key).unwrap() == *down;
        if is_lost { lost.push(key) } else { kept.push(key) }
    }
    let begun = Instant::now();
    for key in &lost {
        let error = memcached.set(key, "v", FOREVER).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::CircuitOpen), "{error}");
        assert!(error.to_string().starts_with(&format!("memcached {down}: SET: ")), "{error}");
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    for key in &kept {
        memcached.set(key, "v", FOREVER).await.unwrap();
    }
    memcached.get_many(&kept).await.unwrap();
    assert!(memcached.get_many(&keys()).await.is_err());
    assert!(memcached.ready().await.is_err());
    let open: Vec<bool> =
        memcached.stats_by_server().iter().map(|(_, stats)| stats.circuit_open).collect();
    assert_eq!((open, memcached.stats().circuit_open), (vec![false, true, false], true));

    servers[1].process.start_again().await;
    eventually("it is found again", async || memcached.set(&lost[0], "v", FOREVER).await.is_ok())
        .await;
    memcached.get_many(&keys()).await.unwrap();
}

#[tokio::test]
async fn with_failover_the_keys_of_a_server_that_is_down_are_moved_to_the_next() {
    let Servers { mut servers, mut options } = servers().await;
    options.failover = true;
    let memcached = Memcached::with(options).unwrap();
    for key in keys() {
        memcached.set(&key, "old", FOREVER).await.unwrap();
    }
    servers[0].process.kill().await;
    // That its connections have ended is heard of by whoever waits.
    tokio::time::sleep(MOMENT).await;
    for key in keys() {
        memcached.set(&key, "new", FOREVER).await.unwrap();
        assert_eq!(memcached.get(&key).await.unwrap(), Some("new".into()));
    }
    let items = memcached.get_many(&keys()).await.unwrap();
    assert!(items.iter().all(|item| *item == Some("new".into())));
    servers[2].process.kill().await;
    tokio::time::sleep(MOMENT).await;
    let items = memcached.get_many(&keys()).await.unwrap();
    assert!(items.iter().any(Option::is_some));
    memcached.set("key-0", "one is enough", FOREVER).await.unwrap();
    servers[1].process.kill().await;
    tokio::time::sleep(MOMENT).await;
    for error in [
        memcached.get_many(&keys()).await.map(drop).unwrap_err(),
        memcached.get("key-0").await.map(drop).unwrap_err(),
    ] {
        assert!(matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::CircuitOpen), "{error}");
    }
}

/// Moved, a write that may have happened would have happened twice.
#[tokio::test]
async fn failover_never_moves_what_may_have_been_carried_out() {
    let Servers { mut servers, mut options } = servers().await;
    options.failover = true;
    options.calls.request_timeout = Duration::from_millis(200);
    let memcached = Memcached::with(options).unwrap();
    let server = {
        let named = memcached.server_of("n").unwrap();
        servers.iter().position(|server| *named == *server.address().to_string()).unwrap()
    };
    memcached.set("n", 0_u64, FOREVER).await.unwrap();
    servers[server].process.pause().await;
    let error = memcached.incr("n", 1).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TimedOut, true));
    servers[server].process.resume();
    let silent = &servers[server];
    assert!(open(silent.address()).get("n").await.unwrap().is_some());
    servers.remove(server);
    for other in &servers {
        assert_eq!(open(other.address()).get("n").await.unwrap(), None);
    }
}
