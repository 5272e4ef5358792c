//! Redis servers.

use crate::left::starts_again_and_leaves_nothing;
use crate::secure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use workyard_testbed::{Authority, Redis, Relay, eventually};

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

#[tokio::test]
async fn what_a_relay_does_not_answer_was_carried_out() {
    let redis = Redis::start().await;
    let relay = Relay::to(redis.address()).await;
    assert_eq!(redis.url_at(relay.address()), format!("redis://{}", relay.address()));
    let mut stream = TcpStream::connect(relay.address()).await.unwrap();
    relay.cut_answer_to("INCR");
    stream.write_all(b"INCR count\r\n").await.unwrap();
    assert!(stream.read_u8().await.is_err());
    assert_eq!(redis.command(["GET", "count"]), "1");
}

#[tokio::test]
async fn a_cluster_shares_its_slots() {
    let mut cluster = Redis::cluster(3).await;
    assert_eq!(cluster.urls().len(), 3);
    // Its slot is 12182, of the last node.
    assert!(ask(&cluster.nodes[0], "SET foo bar\r\n", 12).await.starts_with("-MOVED 12182"));
    assert_eq!(ask(&cluster.nodes[2], "SET foo bar\r\n", 5).await, "+OK\r\n");
    cluster.nodes[2].process.kill().await;
    cluster.nodes[2].process.start_again().await;
    cluster.is_whole().await;
    assert_eq!(ask(&cluster.nodes[2], "SET foo bar\r\n", 5).await, "+OK\r\n");
}

#[tokio::test]
async fn a_cluster_may_be_closed() {
    let authority = Authority::new();
    let cluster = Redis::setup().password("secret").tls(&authority).cluster(2).await;
    let mut stream = secure::connect(cluster.nodes[1].address(), &authority).await.unwrap();
    assert_eq!(secure::ask(&mut stream, b"AUTH secret\r\n", 5).await.unwrap(), b"+OK\r\n");
    let place = format!("-MOVED 0 127.0.0.1:{}", cluster.nodes[0].address().port());
    let answer = secure::ask(&mut stream, b"GET 3560\r\n", place.len()).await.unwrap();
    assert_eq!(String::from_utf8(answer).unwrap(), place);
}

#[tokio::test]
async fn sentinels_replace_a_master() {
    for (setup, sentinels) in
        [(Redis::setup(), 1), (Redis::setup().user("alice", "secret").password("other"), 3)]
    {
        let mut group = setup.sentinel(sentinels).await;
        assert_eq!(group.addresses().len(), sentinels);
        assert_eq!(group.master_address(), group.master.address());
        assert_eq!(group.master.command(["SET", "key", "value"]), "OK");
        let followed = async || group.replica.command(["GET", "key"]) == "value";
        eventually("the replica follows", followed).await;
        group.master.process.kill().await;
        let replaced = async || group.master_address() == group.replica.address();
        eventually("the replica is the master", replaced).await;
        assert_eq!(group.replica.command(["SET", "key", "other"]), "OK");
    }
}
