//! What becomes of calls when the connection or the server goes away.

use crate::support::{SECOND, ask, cmd, impatient, open, server, sleepy_server};
use std::time::Instant;
use workyard_redis::redis::{Cmd, pipe};
use workyard_redis::{ErrorKind, Options, Redis};
use workyard_testbed::{PATIENCE, Port, Redis as Server, Relay, eventually};

#[tokio::test]
async fn wrong_credentials_are_refused_and_never_shown() {
    let server = Server::setup().password("right").start().await;
    let address = server.address();
    let wrongs = [
        format!("redis://:wrong-secret@{address}"),
        format!("redis://nobody:wrong-secret@{address}"),
        format!("redis://{address}"),
    ];
    for url in wrongs {
        let redis = open(&url);
        let error = redis.ready().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(matches!(error.code(), Some("WRONGPASS" | "NOAUTH")), "{error}");
        let shown = format!("{error} {error:?} {redis:?} {:?}", Options::new(&url));
        assert!(!shown.contains("wrong-secret"), "{shown}");
    }
    open(&server.url()).ready().await.unwrap();
    let server = Server::setup().user("app", "right").start().await;
    let redis = open(&server.url());
    redis.ready().await.unwrap();
    assert_eq!(ask::<String>(&redis, "ACL WHOAMI").await, "app");
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let port = Port::free();
    let mut options = impatient(&format!("redis://127.0.0.1:{}", port.number()));
    options.calls.breaker.failures_max = 0;
    let redis = Redis::with(options).unwrap();
    let error = redis.query::<()>(&Cmd::set("a", 1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(!error.outcome_unknown());
    assert_eq!((redis.stats().repeated, redis.stats().lost), (2, 3));
}

#[tokio::test]
async fn a_server_that_comes_back_is_found_with_everything_restored() {
    let mut server = Server::setup().password("secret").durable().start().await;
    let url = format!("{}/2?client_name=me", server.url());
    let mut options = impatient(&url);
    options.calls.breaker.failures_max = 0;
    let redis = Redis::with(options).unwrap();
    ask::<()>(&redis, "SET a before").await;
    server.process.kill().await;
    eventually("the loss is noticed", async || redis.stats().lost > 0).await;
    assert!(redis.query::<String>(&Cmd::get("a")).await.is_err());
    server.process.start_again().await;
    assert_eq!(ask::<String>(&redis, "GET a").await, "before");
    assert_eq!(ask::<String>(&redis, "CLIENT GETNAME").await, "me");
    assert_eq!(redis.stats().connected, 2);
}

#[tokio::test]
async fn a_write_that_may_have_happened_is_not_sent_again_and_a_read_is() {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let redis = Redis::with(impatient(&server.url_at(relay.address()))).unwrap();
    ask::<()>(&redis, "SET count 0").await;
    for round in 1..=20 {
        relay.cut_answer_to("INCR");
        let error = redis.query::<u32>(&Cmd::incr("count", 1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Disconnected);
        assert!(error.outcome_unknown());
        assert_eq!(server.command(["GET", "count"]), round.to_string());
        relay.cut_answer_to("GET");
        assert_eq!(ask::<u32>(&redis, "GET count").await, round);
    }
    let mut atomic = pipe();
    atomic.atomic().incr("count", 1);
    relay.cut_answer_to("EXEC");
    let error = redis.pipeline::<(u32,)>(&atomic).await.unwrap_err();
    assert!(error.outcome_unknown());
    assert_eq!(server.command(["GET", "count"]), "21");
    assert_eq!(redis.stats().repeated, 20);
}

#[tokio::test]
async fn a_write_that_was_not_sent_is_sent_when_there_is_a_connection() {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let mut options = impatient(&server.url_at(relay.address()));
    options.calls.retry.attempts_max = 100;
    let redis = Redis::with(options).unwrap();
    ask::<()>(&redis, "SET count 0").await;
    relay.refuse();
    relay.cut();
    eventually("the loss is noticed", async || redis.stats().lost > 0).await;
    let later = async {
        eventually("attempts", async || relay.refused() > 2).await;
        relay.pass();
    };
    let command = cmd("INCR count");
    let (count, ()) = tokio::join!(redis.query::<u32>(&command), later);
    assert_eq!(count.unwrap(), 1);
}

#[tokio::test]
async fn a_silent_server_costs_its_callers_no_more_than_their_time() {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let mut options = impatient(&server.url_at(relay.address()));
    options.calls.request_timeout = SECOND;
    options.calls.retry.attempts_max = 1;
    let redis = Redis::with(options).unwrap();
    ask::<()>(&redis, "SET a 1").await;
    relay.stall();
    let begun = Instant::now();
    let error = redis.query::<u32>(&Cmd::incr("a", 1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.outcome_unknown());
    assert!((SECOND..SECOND * 5).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert!(redis.query::<u32>(&Cmd::get("a")).await.is_err());
    relay.pass();
    // What was under way at the time is carried out in its turn, and answers nobody else.
    for _ in 0..50 {
        assert_eq!(ask::<u32>(&redis, "GET a").await, 2);
    }
}

#[tokio::test]
async fn a_connection_that_is_dead_without_a_sign_is_replaced() {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let mut options = impatient(&server.url_at(relay.address()));
    options.calls.request_timeout = SECOND;
    let redis = Redis::with(options).unwrap();
    ask::<()>(&redis, "SET a 1").await;
    relay.stall();
    assert!(redis.query::<u32>(&Cmd::incr("a", 1)).await.is_err());
    assert_eq!(redis.stats().lost, 1);
    relay.pass();
    assert_eq!(ask::<u32>(&redis, "GET a").await, 2);
    assert_eq!(relay.connections(), 2);
}

#[tokio::test]
async fn a_dead_connection_is_replaced_though_no_caller_waits_for_long() {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let mut options = impatient(&server.url_at(relay.address()));
    options.calls.request_timeout = SECOND;
    let redis = Redis::with(options).unwrap();
    ask::<()>(&redis, "SET a 1").await;
    relay.stall();
    let begun = Instant::now();
    while redis.stats().lost == 0 {
        let get = Cmd::get("a");
        let asked = tokio::time::timeout(SECOND / 10, redis.query::<u32>(&get));
        assert!(asked.await.is_err());
        assert!(begun.elapsed() < PATIENCE);
    }
    assert!(begun.elapsed() >= SECOND * 9 / 10);
    relay.pass();
    assert_eq!(ask::<u32>(&redis, "GET a").await, 1);
    assert_eq!(relay.connections(), 2);
}

#[tokio::test]
async fn a_slow_answer_to_one_does_not_cost_the_others_their_connection() {
    let (server, redis) = sleepy_server().await;
    redis.ready().await.unwrap();
    let slow = tokio::spawn({
        let redis = redis.clone();
        async move { ask::<String>(&redis, "DEBUG SLEEP 0.5").await }
    });
    eventually("it is under way", async || redis.stats().calls == 1).await;
    for _ in 0..3 {
        let set = cmd("SET a 1");
        let asked = tokio::time::timeout(SECOND / 10, redis.query::<()>(&set));
        assert!(asked.await.is_err());
    }
    ask::<()>(&redis, "SET a 1").await;
    assert_eq!(slow.await.unwrap(), "OK");
    assert_eq!((redis.stats().connected, redis.stats().lost), (1, 0));
    drop(server);
}

#[tokio::test]
async fn a_server_that_loads_is_waited_for() {
    let mut server = Server::setup().durable().line("key-load-delay 400").start().await;
    let mut options = impatient(&server.url());
    options.calls.retry.attempts_max = 1000;
    let redis = Redis::with(options).unwrap();
    let mut pipeline = pipe();
    for number in 0..2000 {
        pipeline.set(number, number).ignore();
    }
    redis.pipeline::<()>(&pipeline).await.unwrap();
    server.process.stop().await;
    let (value, ()) = tokio::join!(
        tokio::time::timeout(PATIENCE, async {
            loop {
                if let Ok(value) = redis.query::<u32>(&Cmd::incr("7", 1)).await {
                    return value;
                }
            }
        }),
        server.process.start_again()
    );
    assert_eq!(value.unwrap(), 8);
}

#[tokio::test]
async fn a_thousand_callers_get_their_own_answers() {
    let (_server, redis) = server().await;
    let callers: Vec<_> = (0..1000)
        .map(|caller| {
            let redis = redis.clone();
            tokio::spawn(async move {
                for round in 0..10 {
                    let text = format!("{caller}-{round}");
                    let said: String = redis.query(&cmd(&format!("ECHO {text}"))).await.unwrap();
                    assert_eq!(said, text);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!((redis.stats().succeeded, redis.stats().connected), (10_000, 1));
}

#[tokio::test]
async fn closing_lets_calls_end_and_new_ones_not_begin() {
    let (_server, redis) = sleepy_server().await;
    ask::<()>(&redis, "SET a 1").await;
    let under_way = tokio::spawn({
        let redis = redis.clone();
        async move { redis.query::<String>(&cmd("DEBUG SLEEP 0.3")).await }
    });
    eventually("it is under way", async || redis.stats().calls == 1).await;
    assert!(redis.close().await);
    assert_eq!(under_way.await.unwrap().unwrap(), "OK");
    let error = redis.query::<()>(&Cmd::get("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[test]
fn it_works_in_every_runtime() {
    use tokio::runtime::{Builder, LocalRuntime};
    let check = async {
        let (_server, redis) = server().await;
        ask::<()>(&redis, "SET a 1").await;
        assert_eq!(ask::<u32>(&redis, "GET a").await, 1);
    };
    Builder::new_multi_thread().enable_all().build().unwrap().block_on(check);
    let check = async {
        let (_server, redis) = server().await;
        ask::<()>(&redis, "SET a 1").await;
    };
    LocalRuntime::new().unwrap().block_on(check);
}
