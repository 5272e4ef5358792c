//! Commands that wait.

use crate::support::{MOMENT, ask, cmd, impatient, open, server};
use std::time::{Duration, Instant};
use workyard_redis::redis::streams::{StreamReadOptions, StreamReadReply};
use workyard_redis::redis::{self, AsyncCommands};
use workyard_redis::{ErrorKind, Redis};
use workyard_testbed::{Redis as Server, Relay, eventually};

async fn blocked(server: &Server, count: usize) {
    let line = format!("blocked_clients:{count}\r");
    eventually("they block", async || server.command(["INFO", "clients"]).contains(&line)).await;
}

#[tokio::test]
async fn who_waits_holds_up_nobody() {
    let (server, redis) = server().await;
    let waiting = tokio::spawn({
        let redis = redis.clone();
        async move { redis.query::<(String, String)>(&cmd("BLPOP queue 0")).await }
    });
    blocked(&server, 1).await;
    let begun = Instant::now();
    for _ in 0..100 {
        ask::<()>(&redis, "PING").await;
    }
    assert!(begun.elapsed() < Duration::from_secs(2));
    ask::<u32>(&redis, "RPUSH queue job").await;
    assert_eq!(waiting.await.unwrap().unwrap().1, "job");
    assert_eq!(redis.stats().connected, 2);
}

#[tokio::test]
async fn every_waiting_command_gets_its_answer_or_nothing_in_time() {
    let (_server, redis) = server().await;
    let begun = Instant::now();
    for words in ["BLPOP a 0.1", "BRPOP a 0.1", "BZPOPMIN a 0.1", "BLMPOP 0.1 1 a LEFT"] {
        assert_eq!(redis.query::<Option<(String,)>>(&cmd(words)).await.unwrap(), None, "{words}");
    }
    for words in ["BLMOVE a b LEFT RIGHT 0.1", "BRPOPLPUSH a b 0.1"] {
        assert_eq!(redis.query::<Option<String>>(&cmd(words)).await.unwrap(), None, "{words}");
    }
    assert!((MOMENT * 3 - MOMENT / 2..MOMENT * 20).contains(&begun.elapsed()));
    ask::<()>(&redis, "RPUSH a 1 2 3").await;
    assert_eq!(ask::<(String, u32)>(&redis, "BLPOP a 1").await.1, 1);
    assert_eq!(ask::<u32>(&redis, "BLMOVE a b LEFT RIGHT 1").await, 2);
    assert_eq!(ask::<(String, (u32,))>(&redis, "BLMPOP 1 1 a RIGHT").await.1.0, 3);
    ask::<()>(&redis, "ZADD z 1.5 m").await;
    assert_eq!(ask::<(String, String, f64)>(&redis, "BZPOPMAX z 1").await.2, 1.5);
    let error = redis.query::<()>(&cmd("BLPOP a nonsense")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(redis.stats().connected, 2);
}

#[tokio::test]
async fn streams_are_read_by_groups() {
    let (server, redis) = server().await;
    let mut redis = redis;
    let _: () = redis.xgroup_create_mkstream("events", "group", "$").await.unwrap();
    let options = StreamReadOptions::default().group("group", "me").block(5000).count(10);
    let mut reader = redis.clone();
    let reading = tokio::spawn(async move {
        let reply: StreamReadReply = reader.xread_options(&["events"], &[">"], &options).await?;
        redis::RedisResult::Ok(reply)
    });
    blocked(&server, 1).await;
    let id: String = redis.xadd("events", "*", &[("kind", "order")]).await.unwrap();
    let reply = reading.await.unwrap().unwrap();
    assert_eq!(reply.keys[0].ids[0].id, id);
    assert_eq!(reply.keys[0].ids[0].get::<String>("kind").as_deref(), Some("order"));
    assert_eq!(server.command(["XPENDING", "events", "group"]).lines().next(), Some("1"));
    let acknowledged: u32 = redis.xack("events", "group", &[&id]).await.unwrap();
    assert_eq!(acknowledged, 1);
}

#[tokio::test]
async fn a_wait_for_replicas_stands_at_the_end_of_a_pipeline() {
    let (_server, redis) = server().await;
    let mut pipeline = redis::pipe();
    pipeline.set("a", 1).ignore().cmd("WAIT").arg(1).arg(100);
    let begun = Instant::now();
    assert_eq!(redis.pipeline::<(u32,)>(&pipeline).await.unwrap(), (0,));
    assert!(begun.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_pop_whose_answer_was_lost_says_so() {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let redis = Redis::with(impatient(&server.url_at(relay.address()))).unwrap();
    let _ = server.command(["RPUSH", "queue", "job"]);
    redis.ready().await.unwrap();
    relay.cut_answer_to("BLPOP");
    let error = redis.query::<()>(&cmd("BLPOP queue 1")).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
    // With a second list nothing is lost, whatever becomes of the answer.
    let _ = server.command(["RPUSH", "queue", "job"]);
    relay.cut_answer_to("BLMOVE");
    redis.query::<()>(&cmd("BLMOVE queue mine LEFT RIGHT 1")).await.unwrap_err();
    assert_eq!(server.command(["LRANGE", "mine", "0", "-1"]), "job");
}

#[tokio::test]
async fn a_server_that_dies_ends_the_wait() {
    let mut server = Server::start().await;
    let redis = Redis::with(impatient(&server.url())).unwrap();
    let waiting = tokio::spawn({
        let redis = redis.clone();
        async move { redis.query::<()>(&cmd("BLPOP queue 0")).await }
    });
    blocked(&server, 1).await;
    server.process.kill().await;
    assert_eq!(waiting.await.unwrap().unwrap_err().kind(), ErrorKind::Disconnected);
}

#[tokio::test]
async fn closing_ends_waits_at_once() {
    let (server, redis) = server().await;
    let other = open(&server.url());
    let waiting: Vec<_> = ["BLPOP queue 0", "BLMOVE a b LEFT LEFT 0", "XREAD BLOCK 0 STREAMS s $"]
        .map(|words| {
            let redis = redis.clone();
            tokio::spawn(async move { redis.query::<()>(&cmd(words)).await })
        })
        .into();
    blocked(&server, 3).await;
    let begun = Instant::now();
    assert!(redis.close().await);
    assert!(begun.elapsed() < Duration::from_secs(3));
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
    }
    other.ready().await.unwrap();
    blocked(&server, 0).await;
}

#[tokio::test]
async fn a_user_who_may_not_unblock_gets_no_connection_with_a_pop_pending() {
    let server = Server::setup().line("user app on >pw ~* &* +@all -@dangerous").start().await;
    let url = format!("redis://app:pw@{}", server.address());
    let redis = Redis::with(impatient(&url)).unwrap();
    let pop = cmd("BLPOP queue 0");
    {
        let mut waiting = std::pin::pin!(redis.query::<(String, String)>(&pop));
        tokio::select! {
            result = &mut waiting => panic!("{result:?}"),
            () = blocked(&server, 1) => {}
        }
    }
    blocked(&server, 0).await;
    eventually("it is counted", async || redis.pop_stats().lost == 1).await;
    let _ = server.command(["RPUSH", "queue", "job"]);
    let other = cmd("BLPOP other 0.1");
    let next = redis.query::<Option<(String, String)>>(&other);
    assert_eq!(tokio::time::timeout(MOMENT * 20, next).await.unwrap().unwrap(), None);
    assert_eq!(server.command(["LLEN", "queue"]), "1");
    let _ = server.command(["DEL", "queue"]);
    let waiting = tokio::spawn({
        let redis = redis.clone();
        async move { redis.query::<()>(&pop).await }
    });
    blocked(&server, 1).await;
    assert!(redis.close().await);
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true), "{error}");
}
