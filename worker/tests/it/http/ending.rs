//! How connections end when the process is to leave.

use super::http;
use super::reply::Reply;
use crate::peer::Peer;
use std::time::{Duration, Instant};
use workyard_worker::embedded::serve_while;

#[test]
fn what_is_asked_is_answered_and_who_is_idle_is_let_go() {
    let worker = http().on_message(async |connection, request| {
        if request.path() == "/slow" {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        connection.send("done")
    });
    let begun = Instant::now();
    let peers = serve_while(worker, async |address| {
        let (mut busy, mut idle) = (Peer::connect(&address).await, Peer::connect(&address).await);
        let fresh = Peer::connect(&address).await;
        assert_eq!(Reply::get(&mut idle, "/", "").await.text(), "done");
        busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        (busy, idle, fresh)
    });
    let (busy, idle, fresh) = peers.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2));
    let busy = String::from_utf8(busy.left()).unwrap();
    assert!(busy.ends_with("\r\n\r\ndone") && busy.contains("connection: close"), "{busy}");
    assert_eq!((idle.left(), fresh.left()), (vec![], vec![]));
}

#[test]
fn no_request_is_lost_while_the_process_leaves() {
    let worker = http()
        .requests_max(100)
        .on_message(async |connection, _| connection.send("x".repeat(1000)));
    let served = serve_while(worker, async |address| {
        let mut peers = Vec::new();
        for _ in 0..20 {
            peers.push(Peer::connect(&address).await);
        }
        let mut left = 0;
        while !peers.is_empty() {
            for peer in &mut peers {
                peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
            }
            let mut stay = Vec::new();
            for mut peer in peers {
                let reply = Reply::read(&mut peer).await;
                assert_eq!(reply.body.len(), 1000);
                match reply.header("connection") {
                    Some("close") => {
                        peer.ends().await;
                        left += 1;
                    }
                    _ => stay.push(peer),
                }
            }
            peers = stay;
        }
        assert_eq!(left, 20);
    });
    served.unwrap();
}
