//! Transactions that watch keys.

use crate::support::{ask, impatient, server};
use workyard_redis::redis::{self, Cmd};
use workyard_redis::{Error, ErrorKind, Redis};
use workyard_testbed::{Redis as Server, Relay};

async fn add(redis: &Redis, amount: i64) -> Result<i64, Error> {
    let decided = redis.transaction(&["sum"], async |watched| {
        let sum: Option<i64> = watched.query(&Cmd::get("sum")).await?;
        tokio::task::yield_now().await;
        let sum = sum.unwrap_or_default() + amount;
        Ok(redis::pipe().set("sum", sum).ignore().get("sum").clone())
    });
    decided.await.map(|(sum,)| sum)
}

#[tokio::test]
async fn what_was_decided_by_old_values_is_decided_again() {
    let server = Server::start().await;
    let redis = Redis::with(impatient(&server.url())).unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let redis = redis.clone();
            tokio::spawn(async move {
                let mut added = 0;
                for _ in 0..10 {
                    match add(&redis, 1).await {
                        Ok(_) => added += 1,
                        Err(error) => assert_eq!(error.code(), Some("CONFLICT"), "{error}"),
                    }
                }
                added
            })
        })
        .collect();
    let mut added = 0;
    for task in tasks {
        added += task.await.unwrap();
    }
    assert!(added > 100);
    assert_eq!(server.command(["GET", "sum"]), added.to_string());
    let clients = server.command(["INFO", "clients"]);
    let connected = clients.lines().find_map(|line| line.strip_prefix("connected_clients:"));
    // Those of `blocking_max`, that of all, and this one.
    assert!(connected.unwrap().trim().parse::<u32>().unwrap() <= 10, "{clients}");
}

#[tokio::test]
async fn others_that_are_always_faster_are_a_conflict() {
    let (_server, redis) = server().await;
    let other = redis.clone();
    let mut attempts = 0;
    let result: Result<(), Error> = redis
        .transaction(&["k"], |_| {
            attempts += 1;
            let other = other.clone();
            async move {
                other.query::<()>(&Cmd::incr("k", 1)).await?;
                Ok(redis::pipe().set("k", "mine").ignore().clone())
            }
        })
        .await;
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("CONFLICT")));
    assert_eq!(attempts, 16);
    assert_eq!(ask::<u32>(&redis, "GET k").await, 16);
}

#[tokio::test]
async fn a_decision_against_it_or_an_error_leaves_nothing_watched() {
    let (server, redis) = server().await;
    let nothing: Vec<u32> = redis.transaction(&["k"], async |_| Ok(redis::pipe())).await.unwrap();
    assert!(nothing.is_empty());
    let result: Result<(), Error> = redis
        .transaction(&["k"], async |watched| {
            watched.query::<u32>(&redis::cmd("NONSENSE")).await?;
            Ok(redis::pipe().set("k", 1).clone())
        })
        .await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Server);
    assert_eq!(server.command(["EXISTS", "k"]), "0");
    assert_eq!(add(&redis, 5).await.unwrap(), 5);
}

#[tokio::test]
async fn a_commit_that_may_have_happened_is_not_made_again() {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let redis = Redis::with(impatient(&server.url_at(relay.address()))).unwrap();
    for round in 1..=10 {
        relay.cut_answer_to("EXEC");
        let error = add(&redis, 1).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
        assert_eq!(server.command(["GET", "sum"]), round.to_string());
    }
    relay.cut_answer_to("GET");
    let error = add(&redis, 1).await.unwrap_err();
    assert!(!error.outcome_unknown(), "{error}");
    assert_eq!(server.command(["GET", "sum"]), "10");
    ask::<()>(&redis, "PING").await;
}
