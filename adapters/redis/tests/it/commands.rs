//! Commands of all families, through both doors.

use crate::support::{ask, cmd, open, server};
use std::collections::HashMap;
use workyard_redis::redis::{self, AsyncCommands, Cmd, Value};
use workyard_redis::{ErrorKind, from_driver};
use workyard_testbed::Redis as Server;

#[tokio::test]
async fn every_family_has_its_answers() {
    let (_server, redis) = server().await;
    redis.ready().await.unwrap();
    assert_eq!(redis.query::<Option<String>>(&Cmd::get("none")).await.unwrap(), None);
    redis.query::<()>(&Cmd::set_ex("text", "hello", 60)).await.unwrap();
    assert_eq!(redis.query::<String>(&Cmd::get("text")).await.unwrap(), "hello");
    assert_eq!(redis.query::<i64>(&Cmd::incr("number", 5)).await.unwrap(), 5);
    redis.query::<()>(&Cmd::hset_multiple("hash", &[("a", 1), ("b", 2)])).await.unwrap();
    let hash: HashMap<String, u32> = redis.query(&Cmd::hgetall("hash")).await.unwrap();
    assert_eq!(hash["b"], 2);
    redis.query::<()>(&Cmd::rpush("list", &["x", "y"])).await.unwrap();
    assert_eq!(redis.query::<Vec<String>>(&Cmd::lrange("list", 0, -1)).await.unwrap(), ["x", "y"]);
    assert_eq!(redis.query::<u32>(&Cmd::sadd("set", &["m", "m"])).await.unwrap(), 1);
    redis.query::<()>(&Cmd::zadd("sorted", "m", 1.5)).await.unwrap();
    assert_eq!(redis.query::<f64>(&Cmd::zscore("sorted", "m")).await.unwrap(), 1.5);
    let bytes = vec![0, 255, 13, 10, 0];
    redis.query::<()>(&Cmd::set("bytes", &bytes)).await.unwrap();
    assert_eq!(redis.query::<Vec<u8>>(&Cmd::get("bytes")).await.unwrap(), bytes);
    let stats = redis.stats();
    assert_eq!((stats.connected, stats.lost, stats.calls), (1, 0, 0));
    assert!(stats.succeeded > 10 && stats.failed.is_empty());
}

#[tokio::test]
async fn the_drivers_own_commands_go_the_same_way() {
    let (_server, redis) = server().await;
    let mut commands = redis.clone();
    let _: () = commands.set("k", 7).await.unwrap();
    let value: u32 = commands.get("k").await.unwrap();
    assert_eq!((value, redis.stats().succeeded), (7, 2));
    let error = commands.lpush::<_, _, ()>("k", 1).await.unwrap_err();
    assert_eq!(error.code(), Some("WRONGTYPE"));
    let error = from_driver(error);
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("WRONGTYPE")));
    let found: Vec<String> = {
        let mut scan = commands.scan_match::<_, String>("k*").await.unwrap();
        let mut found = Vec::new();
        while let Some(key) = scan.next_item().await {
            found.push(key.unwrap());
        }
        found
    };
    assert_eq!(found, ["k"]);
    let error = redis::cmd("SELECT").arg(1).query_async::<()>(&mut commands).await.unwrap_err();
    let error = from_driver(error);
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("SELECT cannot be sent so"), "{error}");
}

#[tokio::test]
async fn an_answer_of_another_type_is_an_error_and_the_command_was_carried_out() {
    let (_server, redis) = server().await;
    ask::<()>(&redis, "SET word hello").await;
    let error = redis.query::<u32>(&Cmd::get("word")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(!error.outcome_unknown());
    assert_eq!(ask::<String>(&redis, "GET word").await, "hello");
}

#[tokio::test]
async fn pipelines_are_one_journey_and_atomic_ones_one_act() {
    let (server, redis) = server().await;
    let mut pipeline = redis::pipe();
    pipeline.set("a", 1).ignore().incr("a", 1).get("a");
    let answers: (u32, String) = redis.pipeline(&pipeline).await.unwrap();
    assert_eq!(answers, (2, "2".to_owned()));
    let mut atomic = redis::pipe();
    atomic.atomic().incr("a", 1).incr("a", 1);
    assert_eq!(redis.pipeline::<(u32, u32)>(&atomic).await.unwrap(), (3, 4));
    atomic.cmd("NONSENSE");
    let error = redis.pipeline::<Value>(&atomic).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert!(!error.outcome_unknown() && error.to_string().contains("NONSENSE"), "{error}");
    let mut failing = redis::pipe();
    failing.set("b", "x").lpush("b", 1).set("c", "y");
    let error = redis.pipeline::<Value>(&failing).await.unwrap_err();
    assert_eq!(error.code(), Some("WRONGTYPE"));
    assert_eq!(server.command(["MGET", "a", "b", "c"]), "4\nx\ny");
}

#[tokio::test]
async fn a_database_is_that_of_the_url() {
    let server = Server::start().await;
    let third = open(&format!("{}/3", server.url()));
    ask::<()>(&third, "SET where three").await;
    assert_eq!(server.command(["-n", "3", "GET", "where"]), "three");
    assert_eq!(ask::<Option<String>>(&open(&server.url()), "GET where").await, None);
    let beyond = open(&format!("{}/99", server.url())).ready().await.unwrap_err();
    assert_eq!(beyond.kind(), ErrorKind::Refused);
    assert!(beyond.to_string().contains("out of range"), "{beyond}");
}

#[tokio::test]
async fn a_unix_socket_does_as_well() {
    let server = Server::start().await;
    let url = format!("redis+unix://{}?client_name=sock", server.socket().display());
    let redis = open(&url);
    ask::<()>(&redis, "SET a 1").await;
    assert_eq!(ask::<String>(&redis, "CLIENT GETNAME").await, "sock");
    assert!(redis.connection().await.is_ok());
}

#[tokio::test]
async fn the_table_of_commands_is_that_of_the_server() {
    let (_server, redis) = server().await;
    type Info = (String, i64, Vec<String>);
    let commands: Vec<Value> = ask(&redis, "COMMAND").await;
    assert!(commands.len() > 200);
    for command in commands {
        let parts = command.into_sequence().unwrap().into_iter().take(3).collect::<Vec<_>>();
        let (name, _, flags): Info = redis::from_redis_value(Value::Array(parts)).unwrap();
        let has = |flag: &str| flags.iter().any(|it| it == flag);
        let outcome = workyard_redis::is_repeated_freely(&cmd(&name));
        let expected = match name.as_str() {
            "echo" | "info" | "lastsave" | "time" | "ping" | "object" | "memory" | "xinfo"
            | "pubsub" | "role" | "command" => Some(true),
            "readonly" | "readwrite" => None,
            _ if has("readonly") => Some(true),
            _ if outcome.is_none() => continue,
            _ => Some(false),
        };
        assert_eq!(outcome, expected, "{name}: {flags:?}");
    }
}
