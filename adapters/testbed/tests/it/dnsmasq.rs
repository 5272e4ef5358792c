//! Name servers.

use crate::left::starts_again_and_leaves_nothing;
use std::net::{Ipv4Addr, Ipv6Addr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use workyard_testbed::Dnsmasq;

const A: u16 = 1;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const SRV: u16 = 33;

/// A question for records of a kind.
fn question(name: &str, kind: u16) -> Vec<u8> {
    let mut bytes = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0".to_vec();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(b"\0\x01");
    bytes
}

async fn ask(dnsmasq: &Dnsmasq, name: &str, kind: u16) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&question(name, kind), dnsmasq.address()).await.unwrap();
    let mut answer = vec![0; 512];
    let count = socket.recv(&mut answer).await.unwrap();
    answer.truncate(count);
    answer
}

/// How it went, and whether these bytes are in the answer.
async fn finds(dnsmasq: &Dnsmasq, name: &str, kind: u16, sought: &[u8]) -> (u8, bool) {
    let answer = ask(dnsmasq, name, kind).await;
    let beyond = &answer[question(name, kind).len()..];
    (answer[3] & 15, beyond.windows(sought.len()).any(|window| window == sought))
}

#[tokio::test]
async fn knows_what_it_is_told() {
    let dnsmasq = Dnsmasq::setup()
        .host("one.test", Ipv4Addr::new(192, 0, 2, 1))
        .host("six.test", Ipv6Addr::LOCALHOST)
        .mx("test", "one.test", 10)
        .txt("test", "some text")
        .srv("_sip._tcp.test", "one.test", 5060, 1, 2)
        .cname("alias.test", "one.test")
        .ptr("9.2.0.192.in-addr.arpa", "nine.test")
        .ttl(4711)
        .start()
        .await;
    let found = (0, true);
    assert_eq!(finds(&dnsmasq, "one.test", A, &[0x12, 0x67, 0, 4, 192, 0, 2, 1]).await, found);
    assert_eq!(finds(&dnsmasq, "six.test", AAAA, &Ipv6Addr::LOCALHOST.octets()).await, found);
    assert_eq!(finds(&dnsmasq, "test", MX, b"\0\x0a\x03one").await, found);
    assert_eq!(finds(&dnsmasq, "test", TXT, b"\x09some text").await, found);
    let service = [0, 1, 0, 2, 0x13, 0xc4];
    assert_eq!(finds(&dnsmasq, "_sip._tcp.test", SRV, &service).await, found);
    assert_eq!(finds(&dnsmasq, "alias.test", A, &CNAME.to_be_bytes()).await, found);
    assert_eq!(finds(&dnsmasq, "alias.test", A, &[192, 0, 2, 1]).await, found);
    assert_eq!(finds(&dnsmasq, "9.2.0.192.in-addr.arpa", PTR, b"\x04nine").await, found);
    assert_eq!(finds(&dnsmasq, "1.2.0.192.in-addr.arpa", PTR, b"\x03one").await, found);
    assert_eq!(dnsmasq.queries("A", "alias.test"), 2);
    assert_eq!(dnsmasq.queries("AAAA", "alias.test"), 0);
}

#[tokio::test]
async fn knows_nothing_else() {
    let dnsmasq = Dnsmasq::setup().start().await;
    assert_eq!(ask(&dnsmasq, "none.test", A).await[3] & 15, 3);
    assert_eq!(ask(&dnsmasq, "example.org", A).await[3] & 15, 5);
}

#[tokio::test]
async fn answers_over_tcp_and_leaves_nothing() {
    let dnsmasq = Dnsmasq::setup().host("one.test", Ipv4Addr::LOCALHOST).start().await;
    let mut stream = TcpStream::connect(dnsmasq.address()).await.unwrap();
    let question = question("one.test", A);
    stream.write_u16(u16::try_from(question.len()).unwrap()).await.unwrap();
    stream.write_all(&question).await.unwrap();
    let mut answer = vec![0; stream.read_u16().await.unwrap().into()];
    stream.read_exact(&mut answer).await.unwrap();
    assert!(answer.ends_with(&[127, 0, 0, 1]));
    // The process that serves this connection ends too.
    starts_again_and_leaves_nothing(dnsmasq, |dnsmasq| &mut dnsmasq.process).await;
}
