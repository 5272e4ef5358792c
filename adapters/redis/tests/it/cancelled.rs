//! Calls that are given up at any moment.

use crate::support::{ask, cmd, impatient, polled, server};
use futures_util::FutureExt;
use workyard_redis::Redis;
use workyard_redis::redis::{self, Cmd, Value};
use workyard_testbed::{Redis as Server, eventually};

#[tokio::test]
async fn calls_given_up_poison_nothing() {
    let (_server, redis) = server().await;
    for round in 0..500_u64 {
        let command = cmd(&format!("ECHO given-up-{round}"));
        let call = redis.query::<String>(&command);
        let _ = polled(round % 5, call).await;
        let text = format!("kept-{round}");
        assert_eq!(ask::<String>(&redis, &format!("ECHO {text}")).await, text);
    }
    let stats = redis.stats();
    assert!(stats.cancelled > 100, "{stats:?}");
    assert_eq!((stats.calls, stats.connected, stats.lost), (0, 1, 0));
}

#[tokio::test]
async fn transactions_given_up_watch_nothing_and_hold_no_place() {
    let server = Server::start().await;
    let redis = Redis::with(impatient(&format!("{}?blocking_max=2", server.url()))).unwrap();
    for round in 0..200_u64 {
        let transaction = redis.transaction::<(), _, _>(&["k"], async |watched| {
            watched.query::<Value>(&Cmd::get("k")).await?;
            Ok(redis::pipe().incr("k", 1).ignore().clone())
        });
        let _ = polled(round % 40, transaction).await;
    }
    let counted: u32 = server.command(["GET", "k"]).parse().unwrap_or_default();
    redis
        .transaction::<(), _, _>(&["k"], async |_| Ok(redis::pipe().incr("k", 1).ignore().clone()))
        .await
        .unwrap();
    assert!(ask::<u32>(&redis, "GET k").await > counted);
    eventually("connections given up are closed", async || {
        server.command(["CLIENT", "LIST"]).lines().count() <= 4
    })
    .await;
}

#[tokio::test]
async fn elements_popped_for_callers_who_went_away_are_put_back() {
    let (server, redis) = server().await;
    let mut received = Vec::new();
    let mut pushed = 0;
    for round in 0..400_u64 {
        let pop = cmd("BLPOP queue 5");
        let call = redis.query::<(String, u64)>(&pop);
        let wait = polled(round * 7 % 97, call);
        let push = async {
            let _ = polled(round * 11 % 61, std::future::pending::<()>()).await;
            pushed += 1;
            ask::<u32>(&redis, &format!("RPUSH queue {pushed}")).await;
        };
        if let (Some(popped), ()) = tokio::join!(wait, push) {
            received.push(popped.unwrap().1);
        }
    }
    eventually("all was answered", async || {
        let blocked = server.command(["INFO", "clients"]).contains("blocked_clients:0");
        let left = server.command(["LLEN", "queue"]).parse::<usize>().unwrap();
        blocked && received.len() + left == 400
    })
    .await;
    let left: Vec<u64> = ask(&redis, "LRANGE queue 0 -1").await;
    received.extend(left);
    received.sort_unstable();
    assert_eq!(received, (1..=400).collect::<Vec<_>>());
    assert_eq!(redis.pop_stats().lost, 0);
}

#[tokio::test]
async fn a_pop_given_up_before_it_was_sent_is_not_sent() {
    let (server, redis) = server().await;
    ask::<Option<(String, String)>>(&redis, "BLPOP warm 0.01").await;
    let _ = server.command(["RPUSH", "queue", "job"]);
    let _ = server.command(["CONFIG", "RESETSTAT"]);
    for _ in 0..30 {
        let pop = cmd("BLPOP queue 0");
        assert!(redis.query::<(String, String)>(&pop).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    ask::<Option<(String, String)>>(&redis, "BRPOP warm 0.01").await;
    let statistics = server.command(["INFO", "commandstats"]);
    assert!(statistics.contains("cmdstat_brpop:"), "{statistics}");
    assert!(!statistics.contains("cmdstat_blpop:"), "{statistics}");
    assert_eq!(redis.stats().connected, 1);
}

#[tokio::test]
async fn closing_waits_for_what_is_put_back() {
    let (server, admin) = server().await;
    for round in 0..60_u64 {
        let _ = server.command(["DEL", "queue"]);
        let _ = server.command(["RPUSH", "queue", "job"]);
        let redis = Redis::with(impatient(&server.url())).unwrap();
        ask::<Option<(String, String)>>(&redis, "BLPOP warm 0.01").await;
        let pop = cmd("BLPOP queue 0");
        let popped = polled(1 + round % 4, redis.query::<(String, String)>(&pop)).await;
        assert!(redis.close().await);
        let left = usize::from(popped.is_none());
        assert_eq!(ask::<usize>(&admin, "LLEN queue").await, left, "round {round}");
        assert_eq!(redis.pop_stats().lost, 0);
    }
}
