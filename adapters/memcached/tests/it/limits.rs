//! Limits: of keys, values, answers, calls; and that nothing of a caller becomes a command.

use crate::common::{FOREVER, MOMENT, counted, open, relayed, server, url};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use workyard_memcached::{ErrorKind, Memcached, Options};
use workyard_testbed::{Memcached as Server, eventually};

#[tokio::test]
async fn a_key_is_never_a_command() {
    let (_server, memcached) = server().await;
    memcached.set("key", "v", FOREVER).await.unwrap();
    let sets = counted(&memcached, "cmd_flush").await;
    for key in ["", "a b", "a\r\nflush_all", "a\nflush_all\r\n", "a\0", "a 0 0 1\r\nx\r\nflush_all"]
    {
        let errors = [
            memcached.get(key).await.map(drop).unwrap_err(),
            memcached.gets(key).await.map(drop).unwrap_err(),
            memcached.get_many(&["key", key]).await.map(drop).unwrap_err(),
            memcached.set(key, "v", FOREVER).await.unwrap_err(),
            memcached.append(key, "v").await.map(drop).unwrap_err(),
            memcached.incr(key, 1).await.map(drop).unwrap_err(),
            memcached.delete(key).await.map(drop).unwrap_err(),
            memcached.touch(key, FOREVER).await.map(drop).unwrap_err(),
            memcached.server_stats(Some(key)).await.map(drop).unwrap_err(),
            memcached.server_of(key).map(drop).unwrap_err(),
        ];
        for error in errors {
            assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::InvalidRequest, false));
        }
    }
    let long = "k".repeat(251);
    assert_eq!(memcached.get(&long).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    // A value may hold anything.
    memcached.set("value", "v\r\nflush_all\r\n", FOREVER).await.unwrap();
    assert_eq!(counted(&memcached, "cmd_flush").await, sets);
    assert!(memcached.get("key").await.unwrap().is_some());
}

#[tokio::test]
async fn a_ttl_beyond_what_servers_understand_is_refused() {
    let (_server, memcached) = server().await;
    let errors = [
        memcached.set("key", "v", Duration::MAX).await.unwrap_err(),
        memcached.touch("key", Duration::MAX).await.map(drop).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("Duration::ZERO keeps for ever"), "{error}");
    }
}

#[tokio::test]
async fn a_value_that_is_too_large_is_not_sent_or_the_server_says_so() {
    let (_server, memcached) = server().await;
    memcached.ready().await.unwrap();
    let error = memcached.set("key", vec![0; (1 << 20) + 1], FOREVER).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::TooLarge, None));
    assert!(error.to_string().contains("more than value_bytes_max allows"), "{error}");
    // The server counts its own bytes, too.
    let error = memcached.set("key", vec![0; 1 << 20], FOREVER).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::TooLarge, Some("SERVER_ERROR")));
    let almost = vec![7; (1 << 20) - 512];
    memcached.set("key", almost.clone(), FOREVER).await.unwrap();
    assert_eq!(memcached.get("key").await.unwrap().unwrap().data, almost);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_received() {
    let server = Server::setup().argument("-I").argument("4m").start().await;
    let large = Memcached::open(&format!("{}?value_bytes_max=3000000", url(server.address())));
    let large = large.unwrap();
    for key in ["a", "b"] {
        large.set(key, vec![7; 2 << 20], FOREVER).await.unwrap();
    }
    assert_eq!(large.get("a").await.unwrap().unwrap().data.len(), 2 << 20);
    let usual = open(server.address());
    let error = usual.get("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("2097152 bytes, more than value_bytes_max"), "{error}");
    let mut options = Options::new(url(server.address()));
    options.value_bytes_max = 3 << 20;
    options.answer_bytes_max = 3 << 20;
    let bounded = Memcached::with(options).unwrap();
    assert_eq!(bounded.get_many(&["a"]).await.unwrap().len(), 1);
    let error = bounded.get_many(&["a", "b"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("answer_bytes_max"), "{error}");
    assert_eq!(bounded.get("absent").await.unwrap(), None);
}

#[tokio::test]
async fn more_calls_than_may_be_under_way_wait_or_are_busy() {
    let (_server, relay, mut options) = relayed().await;
    options.calls.calls_max = 4;
    options.calls.waiting_max = 2;
    options.calls.request_timeout = Duration::from_secs(5);
    let memcached = Memcached::with(options).unwrap();
    memcached.ready().await.unwrap();
    relay.stall();
    let mut calls = Vec::new();
    for number in 0..6 {
        let memcached = memcached.clone();
        calls.push(tokio::spawn(async move { memcached.get(format!("k{number}")).await }));
    }
    eventually("two wait", async || memcached.stats().waiting == 2).await;
    let error = memcached.get("key").await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Busy, false));
    tokio::time::sleep(MOMENT).await;
    assert!(relay.connections() <= 4);
    relay.pass();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), None);
    }
}

#[tokio::test]
async fn connections_that_nobody_uses_are_closed() {
    let (_server, relay, mut options) = relayed().await;
    options.calls.idle_timeout = MOMENT;
    let memcached = Memcached::with(options).unwrap();
    let calls = (0..8).map(|_| memcached.get("key"));
    for result in futures_util::future::join_all(calls).await {
        result.unwrap();
    }
    assert!(relay.open() > 1);
    tokio::time::sleep(MOMENT * 2).await;
    memcached.get("key").await.unwrap();
    eventually("one is left", async || relay.open() == 1).await;
}

/// What is no server of memcached, and answers every line with this.
async fn stranger(answer: &'static [u8]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream.read(&mut buffer).await {
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn answers_that_are_none_are_refused() {
    let cases: [(&[u8], ErrorKind); 8] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ErrorKind::Protocol),
        (b"-ERR unknown command\r\n", ErrorKind::Protocol),
        (b"STORED\r\n", ErrorKind::Protocol),
        (b"VALUE other 0 1\r\nv\r\nEND\r\n", ErrorKind::Protocol),
        (b"VALUE key 0 1\r\nv\r\nVALUE key 0 1\r\nv\r\nEND\r\n", ErrorKind::Protocol),
        (b"VALUE key 0 99999999999\r\n", ErrorKind::TooLarge),
        (b"END\r\nEND\r\n", ErrorKind::Protocol),
        (&[b'x'; 5000], ErrorKind::Protocol),
    ];
    for (answer, expected) in cases {
        let mut options = Options::new(url(stranger(answer).await));
        options.calls.retry.attempts_max = 1;
        let memcached = Memcached::with(options).unwrap();
        for _ in 0..3 {
            let error = memcached.get("key").await.unwrap_err();
            assert_eq!(error.kind(), expected, "{}: {error}", answer.escape_ascii());
        }
        assert_eq!(memcached.stats().connected, 3, "none of them is used again");
    }
}
