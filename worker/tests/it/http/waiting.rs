//! What waits for peers that do not read.

use super::http;
use super::reply::Reply;
use crate::peer::{Peer, until};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use workyard_worker::http::{Response, StatusCode};
use workyard_worker::{Connection, embedded::serve_while, protocols::Http};

const BYTES: usize = 20_000_000;

#[test]
fn a_long_answer_waits_and_so_does_the_next_request() {
    let known: Rc<RefCell<Option<Connection<Http>>>> = Rc::default();
    let events = Rc::new(RefCell::new(Vec::new()));
    let requests = Rc::new(Cell::new(0));
    let (keep, count) = (Rc::clone(&known), Rc::clone(&requests));
    let (full, drain) = (Rc::clone(&events), Rc::clone(&events));
    let worker = http()
        .on_buffer_full(async move |_| full.borrow_mut().push("full"))
        .on_buffer_drain(async move |_| drain.borrow_mut().push("drain"))
        .on_message(async move |connection, _| {
            *keep.borrow_mut() = Some(connection.clone());
            count.set(count.get() + 1);
            connection.send(vec![b'x'; BYTES])
        });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        peer.send(get.repeat(2)).await;
        until(|| !events.borrow().is_empty()).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let traffic = known.borrow().as_ref().unwrap().traffic();
        assert_eq!((traffic.read, requests.get()), (2 * get.len() as u64, 1));
        let passed = traffic.written as usize + traffic.send_queue;
        assert!((BYTES..BYTES + 500).contains(&passed), "{traffic:?}");
        assert!(traffic.send_queue > BYTES / 4, "{traffic:?}");
        for _ in 0..2 {
            let reply = Reply::read(&mut peer).await;
            assert!(reply.body.len() == BYTES && reply.body.iter().all(|byte| *byte == b'x'));
        }
        until(|| events.borrow().ends_with(&["drain"])).await;
        assert_eq!(known.borrow().as_ref().unwrap().traffic().send_queue, 0);
    });
    served.unwrap();
}

#[test]
fn what_has_no_body_ends_with_its_head() {
    let worker = http().on_message(async |connection, request| match request.path() {
        "/none" => connection.send((StatusCode::NO_CONTENT, "not sent")),
        "/known" => connection.send((StatusCode::NOT_MODIFIED, "not sent")),
        "/empty" => connection.send(Response::new()),
        "/stream" => connection.send(Response::stream().0.status(StatusCode::NO_CONTENT)),
        _ => connection.send("sent"),
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        for (path, status, length) in [
            ("/none", "204", None),
            ("/known", "304", None),
            ("/empty", "200", Some("0")),
            ("/stream", "204", None),
            ("/", "200", Some("4")),
        ] {
            // To a protocol that is not spoken here, nobody is upgraded.
            let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n";
            let reply = Reply::get(&mut peer, path, upgrade).await;
            assert_eq!((reply.status(), reply.header("content-length")), (status, length));
            assert_eq!(reply.header("transfer-encoding"), None);
        }
    });
    served.unwrap();
}
