//! A master that sentinels know.

use crate::support::{ask, cmd, impatient};
use std::time::Duration;
use workyard_redis::{ErrorKind, Redis};
use workyard_testbed::{Process, Program, Ready, Redis as Server, Relay, eventually};

async fn sentinel(master: &Server) -> Process {
    let port = master.address().port();
    Process::start(1, |place| {
        let lines = format!(
            "bind 127.0.0.1\nport {}\ndir {}\nsentinel monitor mymaster 127.0.0.1 {port} 1\n\
             sentinel down-after-milliseconds mymaster 300\n\
             sentinel failover-timeout mymaster 3000\n",
            place.port(0),
            place.folder().display()
        );
        Program::new("redis-server")
            .argument(place.file("sentinel.conf", lines))
            .argument("--sentinel")
            .ready(Ready::Answers(place.address(0), "PING\r\n", "+PONG"))
    })
    .await
}

fn options(sentinel: &Process, name: &str) -> workyard_redis::Options {
    // The first one is not there.
    let url = format!("redis+sentinel://127.0.0.1:1,{}/{name}/2", sentinel.place().address(0));
    let mut options = impatient(&url);
    options.calls.breaker.failures_max = 0;
    options
}

#[tokio::test]
async fn the_master_is_found_and_found_again_when_it_is_another() {
    let mut master = Server::start().await;
    let line = format!("replicaof 127.0.0.1 {}", master.address().port());
    let replica = Server::setup().line(&line).line("repl-diskless-sync-delay 0").start().await;
    let sentinel = sentinel(&master).await;
    let redis = Redis::with(options(&sentinel, "mymaster")).unwrap();
    ask::<()>(&redis, "SET a 1").await;
    assert_eq!(master.command(["-n", "2", "GET", "a"]), "1");
    eventually("the replica has it", async || replica.command(["-n", "2", "GET", "a"]) == "1")
        .await;
    let port = sentinel.place().port(0).to_string();
    eventually("the sentinel knows the replica", async || {
        let asked = ["-p", &port, "INFO", "sentinel"];
        Program::new("redis-cli").arguments(asked).output().contains("slaves=1")
    })
    .await;
    master.process.kill().await;
    eventually("there is another master", async || {
        redis.query::<u32>(&cmd("INCR a")).await.is_ok()
    })
    .await;
    assert_eq!(replica.command(["-n", "2", "GET", "a"]), "2");
}

#[tokio::test]
async fn a_master_that_was_made_a_replica_is_left() {
    let (master, other) = (Server::start().await, Server::start().await);
    let sentinel = sentinel(&master).await;
    let mut options = options(&sentinel, "mymaster");
    options.calls.retry.attempts_max = 1;
    let redis = Redis::with(options).unwrap();
    ask::<()>(&redis, "SET a 1").await;
    let port = other.address().port().to_string();
    let _ = master.command(["REPLICAOF", "127.0.0.1", &port]);
    let error = redis.query::<()>(&cmd("SET a 2")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("READONLY")));
    assert!(error.is_transient() && !error.outcome_unknown());
    let error = redis.query::<()>(&cmd("SET a 2")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("no master"), "{error}");
}

#[tokio::test]
async fn a_name_that_no_sentinel_knows_is_said() {
    let master = Server::start().await;
    let sentinel = sentinel(&master).await;
    let mut options = options(&sentinel, "nobody");
    options.calls.connect_timeout = Duration::from_secs(2);
    let error = Redis::with(options).unwrap().ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("does not know a master nobody"), "{error}");
}

#[tokio::test]
async fn a_sentinel_that_swallows_everything_keeps_nobody_from_the_others() {
    let master = Server::start().await;
    let sentinel = sentinel(&master).await;
    let relay = Relay::to(sentinel.place().address(0)).await;
    relay.stall();
    let hosts = format!("{},{}", relay.address(), sentinel.place().address(0));
    let mut options = impatient(&format!("redis+sentinel://{hosts}/mymaster"));
    options.calls.request_timeout = Duration::from_millis(500);
    let redis = Redis::with(options).unwrap();
    ask::<()>(&redis, "SET a 1").await;
}
