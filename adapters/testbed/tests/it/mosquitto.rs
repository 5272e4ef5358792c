//! Mosquitto brokers.

use crate::left::starts_again_and_leaves_nothing;
use crate::secure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workyard_testbed::{Authority, Mosquitto};

/// The opening of MQTT 3.1.1: a client `t`, with a persistent session.
const CONNECT: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x00\0\x3c\0\x01t";
/// The same with user `alice`, password `secret`.
const CONNECT_AS_ALICE: &[u8] = b"\x10\x1c\0\x04MQTT\x04\xc0\0\x3c\0\x01t\0\x05alice\0\x06secret";

async fn open(mosquitto: &Mosquitto, connect: &[u8]) -> (TcpStream, [u8; 4]) {
    let mut stream = TcpStream::connect(mosquitto.address()).await.unwrap();
    stream.write_all(connect).await.unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    (stream, answer)
}

#[tokio::test]
async fn answers_and_leaves_nothing() {
    let mosquitto = Mosquitto::start().await;
    assert_eq!(mosquitto.url(), format!("mqtt://{}", mosquitto.address()));
    assert_eq!(open(&mosquitto, CONNECT).await.1, *b"\x20\x02\0\0");
    starts_again_and_leaves_nothing(mosquitto, |mosquitto| &mut mosquitto.process).await;
}

#[tokio::test]
async fn sessions_survive_a_restart_and_a_kill() {
    let mut mosquitto = Mosquitto::start().await;
    let (mut stream, _) = open(&mosquitto, CONNECT).await;
    stream.write_all(b"\x82\x06\0\x01\0\x01a\x01").await.unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, *b"\x90\x03\0\x01\x01");
    mosquitto.process.kill().await;
    mosquitto.process.start_again().await;
    assert_eq!(open(&mosquitto, CONNECT).await.1, *b"\x20\x02\x01\0");
    mosquitto.process.restart().await;
    assert_eq!(open(&mosquitto, CONNECT).await.1, *b"\x20\x02\x01\0");
}

#[tokio::test]
async fn asks_for_a_password() {
    let mosquitto = Mosquitto::setup().user("alice", "secret").start().await;
    assert_eq!(mosquitto.url(), format!("mqtt://alice:secret@{}", mosquitto.address()));
    assert_eq!(open(&mosquitto, CONNECT).await.1, *b"\x20\x02\0\x05");
    assert_eq!(open(&mosquitto, CONNECT_AS_ALICE).await.1, *b"\x20\x02\0\0");
}

#[tokio::test]
async fn speaks_web_socket() {
    const OPENING: &[u8] = b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let mosquitto = Mosquitto::start().await;
    let mut stream = TcpStream::connect(mosquitto.web_socket_address()).await.unwrap();
    stream.write_all(OPENING).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    assert!(mosquitto.web_socket_url().starts_with("ws://127.0.0.1:"));
}

#[tokio::test]
async fn speaks_tls_to_those_who_trust_it() {
    let authority = Authority::new();
    let mosquitto = Mosquitto::setup().tls(&authority).start().await;
    assert!(
        mosquitto.url().starts_with("mqtts://") && mosquitto.web_socket_url().starts_with("wss://")
    );
    let mut stream = secure::connect(mosquitto.address(), &authority).await.unwrap();
    assert_eq!(secure::ask(&mut stream, CONNECT, 4).await.unwrap(), b"\x20\x02\0\0");
    assert!(secure::connect(mosquitto.web_socket_address(), &authority).await.is_ok());
    assert!(secure::connect(mosquitto.address(), &Authority::new()).await.is_err());
}

#[tokio::test]
async fn may_ask_for_certificates() {
    let authority = Authority::new();
    let mosquitto = Mosquitto::setup().tls(&authority).client_certificates().start().await;
    let mut stream = secure::connect_as_client(mosquitto.address(), &authority).await.unwrap();
    assert_eq!(secure::ask(&mut stream, CONNECT, 4).await.unwrap(), b"\x20\x02\0\0");
    let refused = async {
        let mut stream = secure::connect(mosquitto.address(), &authority).await?;
        secure::ask(&mut stream, CONNECT, 4).await
    };
    assert!(refused.await.is_err());
}
