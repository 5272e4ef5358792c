//! Scripts.

use crate::support::server;
use workyard_redis::{ErrorKind, Script, redis};

#[tokio::test]
async fn a_script_is_sent_in_full_once() {
    let (server, redis) = server().await;
    let script = Script::new("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}");
    for round in 1..=3 {
        let answer: (String, String, u32) = redis.run(&script, &["k"], "x").await.unwrap();
        assert_eq!(answer, ("k".to_owned(), "x".to_owned(), round));
    }
    let calls = server.command(["INFO", "commandstats"]);
    assert!(calls.contains("cmdstat_evalsha:calls=3"), "{calls}");
    assert!(calls.contains("cmdstat_eval:calls=1"), "{calls}");
    assert_eq!(server.command(["SCRIPT", "FLUSH"]), "OK");
    assert_eq!(redis.run::<(String, String, u32)>(&script, &["k"], "x").await.unwrap().2, 4);
}

#[tokio::test]
async fn a_reading_script_may_not_write() {
    let (server, redis) = server().await;
    let reads = Script::reading("return redis.call('GET', KEYS[1])");
    assert_eq!(redis.run::<Option<String>>(&reads, &["k"], None::<&str>).await.unwrap(), None);
    let writes = Script::reading("return redis.call('INCR', KEYS[1])");
    let error = redis.run::<u32>(&writes, &["k"], None::<&str>).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(server.command(["EXISTS", "k"]), "0");
}

#[tokio::test]
async fn the_drivers_scripts_work_as_well() {
    let (_server, redis) = server().await;
    let script = redis::Script::new("return tonumber(ARGV[1]) + 1");
    let mut redis = redis;
    let answer: u32 = script.arg(41).invoke_async(&mut redis).await.unwrap();
    assert_eq!(answer, 42);
}
