//! Connections that come through a proxy.

use crate::peer::Peer;
use workyard_worker::protocols::Text;
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
