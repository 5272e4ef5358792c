//! Memcached servers.

use crate::left::starts_again_and_leaves_nothing;
use crate::secure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workyard_testbed::{Authority, Memcached};

#[tokio::test]
async fn answers_and_leaves_nothing() {
    let memcached = Memcached::setup().argument("-m").argument("8").start().await;
    let mut stream = TcpStream::connect(memcached.address()).await.unwrap();
    stream.write_all(b"set key 0 0 5\r\nvalue\r\n").await.unwrap();
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"STORED\r\n");
    stream.write_all(b"stats settings\r\n").await.unwrap();
    let mut answer = [0; 23];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"STAT maxbytes 8388608\r\n");
    starts_again_and_leaves_nothing(memcached, |memcached| &mut memcached.process).await;
}

#[tokio::test]
async fn speaks_tls_to_those_who_trust_it() {
    let authority = Authority::new();
    let memcached = Memcached::setup().tls(&authority).start().await;
    let mut stream = secure::connect(memcached.address(), &authority).await.unwrap();
    assert_eq!(secure::ask(&mut stream, b"version\r\n", 8).await.unwrap(), b"VERSION ");
    assert!(secure::connect(memcached.address(), &Authority::new()).await.is_err());
}

#[tokio::test]
async fn asks_who_is_there() {
    let memcached = Memcached::setup().login("app", "secret").start().await;
    for (password, expected) in [("secret", "STORED\r\n"), ("terces", "CLIENT_E")] {
        let mut stream = TcpStream::connect(memcached.address()).await.unwrap();
        let login = format!("set login 0 0 10\r\napp {password}\r\n");
        stream.write_all(login.as_bytes()).await.unwrap();
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, expected.as_bytes());
    }
}
