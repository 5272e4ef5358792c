//! Redis servers.

use crate::left::starts_again_and_leaves_nothing;
use crate::secure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use workyard_testbed::{Authority, Redis};

async fn ask(redis: &Redis, question: &str, length: usize) -> String {
    let mut stream = TcpStream::connect(redis.address()).await.unwrap();
    stream.write_all(question.as_bytes()).await.unwrap();
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn answers_and_leaves_nothing() {
    let redis = Redis::start().await;
    assert_eq!(redis.url(), format!("redis://{}", redis.address()));
    assert_eq!(ask(&redis, "PING\r\n", 7).await, "+PONG\r\n");
    let mut stream = UnixStream::connect(redis.socket()).await.unwrap();
    stream.write_all(b"PING\r\n").await.unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(redis.command(["SET", "key", "value"]), "OK");
    assert_eq!(ask(&redis, "GET key\r\n", 11).await, "$5\r\nvalue\r\n");
    starts_again_and_leaves_nothing(redis, |redis| &mut redis.process).await;
}

#[tokio::test]
async fn asks_for_a_password() {
    let redis = Redis::setup().password("secret").start().await;
    assert_eq!(redis.url(), format!("redis://:secret@{}", redis.address()));
    assert_eq!(ask(&redis, "PING\r\n", 7).await, "-NOAUTH");
    assert_eq!(ask(&redis, "AUTH wrong\r\n", 10).await, "-WRONGPASS");
    assert_eq!(ask(&redis, "AUTH secret\r\n", 5).await, "+OK\r\n");
    assert_eq!(redis.command(["PING"]), "PONG");
}

#[tokio::test]
async fn asks_for_a_user() {
    let redis = Redis::setup().user("alice", "secret").start().await;
    assert_eq!(redis.url(), format!("redis://alice:secret@{}", redis.address()));
    assert_eq!(ask(&redis, "PING\r\n", 7).await, "-NOAUTH");
    assert_eq!(ask(&redis, "AUTH bob secret\r\n", 10).await, "-WRONGPASS");
    assert_eq!(ask(&redis, "AUTH alice secret\r\n", 5).await, "+OK\r\n");
    assert_eq!(redis.command(["PING"]), "PONG");
}

#[tokio::test]
async fn speaks_tls_to_those_who_trust_it() {
    let authority = Authority::new();
    let redis = Redis::setup().tls(&authority).start().await;
    assert_eq!(redis.url(), format!("rediss://{}", redis.address()));
    let mut stream = secure::connect(redis.address(), &authority).await.unwrap();
    assert_eq!(secure::ask(&mut stream, b"PING\r\n", 7).await.unwrap(), b"+PONG\r\n");
    let error = secure::connect(redis.address(), &Authority::new()).await.unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
}

#[tokio::test]
async fn may_ask_for_certificates() {
    let authority = Authority::new();
    let redis = Redis::setup().tls(&authority).client_certificates().start().await;
    let mut stream = secure::connect_as_client(redis.address(), &authority).await.unwrap();
    assert_eq!(secure::ask(&mut stream, b"PING\r\n", 7).await.unwrap(), b"+PONG\r\n");
    // The refusal comes after what the client takes for the end of the handshake.
    let refused = async {
        let mut stream = secure::connect(redis.address(), &authority).await?;
        secure::ask(&mut stream, b"PING\r\n", 7).await
    };
    assert!(refused.await.is_err());
}

#[tokio::test]
async fn a_durable_one_forgets_nothing() {
    let mut redis = Redis::setup().durable().start().await;
    assert_eq!(redis.command(["INCR", "count"]), "1");
    redis.process.kill().await;
    redis.process.start_again().await;
    assert_eq!(redis.command(["INCR", "count"]), "2");
}
