//! What is bounded.

use crate::support::{SECOND, ask, cmd, impatient, server, sleepy_server};
use std::time::Duration;
use workyard_redis::redis::{Cmd, pipe};
use workyard_redis::{ErrorKind, Redis};
use workyard_testbed::{Redis as Server, eventually};

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_and_the_next_is_answered() {
    let server = Server::start().await;
    let redis = Redis::with(impatient(&format!("{}?response_bytes_max=10000", server.url())));
    let redis = redis.unwrap();
    ask::<()>(&redis, &format!("SET small {}", "x".repeat(9000))).await;
    ask::<()>(&redis, &format!("SET large {}", "x".repeat(10_000))).await;
    for _ in 0..10 {
        let error = redis.query::<String>(&Cmd::get("large")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        assert!(error.to_string().contains("response_bytes_max"), "{error}");
        assert_eq!(ask::<String>(&redis, "GET small").await.len(), 9000);
    }
    redis.query::<()>(&Cmd::rpush("list", (0..3000).collect::<Vec<_>>())).await.unwrap();
    let error = redis.query::<Vec<String>>(&Cmd::lrange("list", 0, -1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_not_sent() {
    let server = Server::start().await;
    let url = format!("{}?request_bytes_max=1000", server.url());
    let redis = Redis::with(impatient(&url)).unwrap();
    let error = redis.query::<()>(&Cmd::set("a", "x".repeat(1000))).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TooLarge, false));
    let mut pipeline = pipe();
    pipeline.set("a", "x".repeat(500)).set("b", "x".repeat(500));
    let error = redis.pipeline::<()>(&pipeline).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(server.command(["DBSIZE"]), "0");
}

#[tokio::test]
async fn too_many_at_once_are_told_so() {
    let (server, _) = sleepy_server().await;
    let mut options = impatient(&format!("{}?calls_max=2&waiting_max=1", server.url()));
    options.calls.call_timeout = SECOND * 2;
    options.calls.request_timeout = Duration::from_secs(5);
    let redis = Redis::with(options).unwrap();
    redis.ready().await.unwrap();
    let mut tasks: Vec<_> = (0..2)
        .map(|_| {
            let redis = redis.clone();
            tokio::spawn(async move { redis.query::<String>(&cmd("DEBUG SLEEP 2")).await })
        })
        .collect();
    eventually("the places are taken", async || redis.stats().calls == 2).await;
    tasks.push(tokio::spawn({
        let redis = redis.clone();
        async move { redis.query::<String>(&cmd("PING")).await }
    }));
    eventually("somebody waits", async || redis.stats().waiting == 1).await;
    let error = redis.query::<()>(&cmd("PING")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(!error.outcome_unknown() && error.to_string().contains("calls_max"), "{error}");
    for task in tasks {
        let _ = task.await.unwrap();
    }
}

#[tokio::test]
async fn blocking_calls_are_bounded_too() {
    let server = Server::start().await;
    let mut options = impatient(&format!("{}?blocking_max=2&attempts_max=1", server.url()));
    options.calls.request_timeout = SECOND;
    let redis = Redis::with(options).unwrap();
    let tasks: Vec<_> = (0..2)
        .map(|_| {
            let redis = redis.clone();
            tokio::spawn(async move { redis.query::<Option<()>>(&cmd("BLPOP none 3")).await })
        })
        .collect();
    eventually("they block", async || {
        server.command(["INFO", "clients"]).contains("blocked_clients:2")
    })
    .await;
    let error = redis.query::<Option<()>>(&cmd("BLPOP none 3")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains("blocking_max"), "{error}");
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), None);
    }
}

#[tokio::test]
async fn subscriptions_are_bounded_too() {
    let (_server, redis) = server().await;
    let options = impatient(&format!("redis://{}?subscriptions_max=1", _server.address()));
    let bounded = Redis::with(options).unwrap();
    let first = bounded.subscribe(&["a"]).await.unwrap();
    let error = bounded.subscribe(&["b"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    drop(first);
    bounded.subscribe(&["b"]).await.unwrap();
    redis.ready().await.unwrap();
}
