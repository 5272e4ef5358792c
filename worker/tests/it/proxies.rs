//! Connections that come through a proxy.

use crate::peer::Peer;
use workyard_worker::protocols::{Http, Text, WebSocket};
use workyard_worker::{Proxies, Worker, embedded::serve_while};

fn who_are_you(trusted: &str) -> Worker<Text> {
    Worker::<Text>::bind("text://127.0.0.1:0")
        .trusted_proxies(Proxies::parse([trusted]).unwrap().with_headers())
        .on_message(async |connection, line| {
            connection.send(format!("{line} from {}", connection.remote().unwrap()))
        })
}

#[test]
fn a_trusted_proxy_says_who_connects_in_either_version_and_in_pieces() {
    let served = serve_while(who_are_you("127.0.0.1"), async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("PROXY TCP4 5.6.7.8 127.0.0.1 4711 2347\r\nhello\n").await;
        peer.sees("hello from 5.6.7.8:4711\n").await;

        let mut peer = Peer::connect(&address).await;
        let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
        header.extend([5, 6, 7, 9, 127, 0, 0, 1, 0x12, 0x67, 9, 43]);
        for piece in header.chunks(5) {
            peer.send(piece).await;
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        peer.send("hello\n").await;
        peer.sees("hello from 5.6.7.9:4711\n").await;

        let mut own = Peer::connect(&address).await;
        own.send("PROXY UNKNOWN\r\nhello\n").await;
        own.sees("hello from 127.0.0.1:").await;
    });
    served.unwrap();
}

#[test]
fn one_without_a_header_is_cut_off_and_others_have_none() {
    let served = serve_while(who_are_you("127.0.0.1"), async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("hello\n").await;
        peer.ends().await;
    });
    served.unwrap();
    let served = serve_while(who_are_you("10.0.0.1"), async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("PROXY TCP4 5.6.7.8 127.0.0.1 4711 2347\r\n").await;
        peer.sees("PROXY TCP4 5.6.7.8 127.0.0.1 4711 2347 from 127.0.0.1:").await;
    });
    served.unwrap();
}

#[test]
fn a_trusted_proxy_names_who_asks_in_headers() {
    let hello = Worker::<Http>::bind("http://127.0.0.1:0")
        .trusted_proxies(Proxies::parse(["127.0.0.1", "10.0.0.0/8"]).unwrap())
        .on_message(async |connection, request| {
            connection.send(connection.client_ip(&request).unwrap().to_string())
        });
    let served = serve_while(hello, async |address| {
        for (headers, expected) in [
            ("", "127.0.0.1"),
            ("X-Real-IP: 5.6.7.8\r\n", "5.6.7.8"),
            ("X-Forwarded-For: 6.6.6.6, 5.6.7.8, 10.1.1.1\r\n", "5.6.7.8"),
            ("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 5.6.7.8\r\n", "5.6.7.8"),
            ("X-Real-IP: 6.6.6.6\r\nX-Real-IP: 5.6.7.8\r\n", "5.6.7.8"),
            ("X-Forwarded-For: \u{e9}, 5.6.7.8\r\nX-Real-IP: 6.6.6.6\r\n", "5.6.7.8"),
        ] {
            let mut peer = Peer::connect(&address).await;
            peer.send(format!("GET / HTTP/1.0\r\n{headers}\r\n")).await;
            let answer = String::from_utf8(peer.rest().await).unwrap();
            assert!(answer.ends_with(&format!("\r\n\r\n{expected}")), "{headers}: {answer}");
        }
    });
    served.unwrap();
}

#[test]
fn a_websocket_knows_on_whose_behalf_it_was_opened() {
    let worker = Worker::<WebSocket>::bind("websocket://127.0.0.1:0")
        .trusted_proxies(Proxies::parse(["127.0.0.1"]).unwrap())
        .on_websocket_connect(async |connection, handshake| {
            connection.send(connection.client_ip(&handshake).unwrap().to_string())
        });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        let handshake = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            X-Real-IP: 5.6.7.8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Version: 13\r\n\r\n";
        peer.send(handshake).await;
        peer.send(b"\x88\x82\0\0\0\0\x03\xe8").await;
        let answer = peer.rest().await;
        assert!(answer.ends_with(b"\x81\x075.6.7.8\x88\x02\x03\xe8"), "{answer:?}");
    });
    served.unwrap();
}
