//! What peers should not do, and what it costs them.

use super::http;
use super::reply::Reply;
use crate::peer::Peer;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use workyard_worker::embedded::serve_while;
use workyard_worker::http::Response;
use workyard_worker::protocols::Http;
use workyard_worker::{Connection, ConnectionState};

#[test]
fn bad_requests_cost_their_own_connection() {
    let worker = http().on_message(async |connection, _| connection.send("well"));
    let served = serve_while(worker, async |address| {
        let mut good = Peer::connect(&address).await;
        let many: String = (0..200).map(|at| format!("X-{at}: y\r\n")).collect();
        let long = format!("X: {}\r\n", "y".repeat(17_000));
        for (request, status) in [
            ("nonsense\r\n\r\n", "400"),
            ("\x16\x03\x01\x02\0\x01\0\x01\n\n", "400"),
            ("GET / HTTP/1.1\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "400"),
            ("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", "400"),
            ("GET / HTTP/3.0\r\nHost: x\r\n\r\n", "400"),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n", "400"),
            (
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc",
                "400",
            ),
            ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nabc", "400"),
            ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", "400"),
            ("POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
            ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "400"),
            ("CONNECT other:80 HTTP/1.1\r\nHost: x\r\n\r\n", "501"),
            (&format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n"), "431"),
            (&format!("GET / HTTP/1.1\r\nHost: x\r\n{long}\r\n"), "431"),
            (&format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(17_000)), "431"),
        ] {
            let mut peer = Peer::connect(&address).await;
            let reply = Reply::to(&mut peer, request).await;
            assert_eq!(reply.status(), status, "{request}");
            assert_eq!(reply.header("connection"), Some("close"), "{request}");
            peer.ends().await;
        }
        assert_eq!(Reply::get(&mut good, "/", "").await.text(), "well");
    });
    served.unwrap();
}

#[test]
fn nothing_is_smuggled_behind_two_lengths() {
    let worker =
        http().on_message(async |connection, request| connection.send(request.body().clone()));
    let served = serve_while(worker, async |address| {
        let smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
        let length = smuggled.len();
        for headers in [
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
            format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"),
        ] {
            let mut peer = Peer::connect(&address).await;
            peer.send(format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n{smuggled}")).await;
            let reply = Reply::read(&mut peer).await;
            assert_eq!((reply.text(), reply.header("connection")), ("", Some("close")));
            peer.ends().await;
        }
    });
    served.unwrap();
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let worker = http()
        .package_bytes_max(1000)
        .on_message(async |connection, request| connection.send(request.body().len().to_string()));
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        let post = "POST / HTTP/1.1\r\nHost: x\r\n";
        let exact = format!("{post}Content-Length: 1000\r\n\r\n{}", "x".repeat(1000));
        assert_eq!(Reply::to(&mut peer, exact).await.text(), "1000");
        let announced = format!("{post}Content-Length: 1001\r\n\r\n");
        let sent = format!("{post}Content-Length: 300000\r\n\r\n{}", "x".repeat(300_000));
        let chunks = "100\r\n".to_owned() + &"x".repeat(256) + "\r\n";
        let chunked = format!("{post}Transfer-Encoding: chunked\r\n\r\n{}", chunks.repeat(4));
        for request in [announced, sent, chunked] {
            let mut peer = Peer::connect(&address).await;
            let reply = Reply::to(&mut peer, request).await;
            assert_eq!((reply.status(), reply.header("connection")), ("413", Some("close")));
            peer.ends().await;
        }
    });
    served.unwrap();
}

#[test]
fn failures_are_answered_and_cost_their_own_connection() {
    let worker = http().on_message(async |connection, request| match request.path() {
        "/panic" => panic!("as it was told"),
        "/error" => Err("as it was told"),
        "/answered" => {
            connection.send("an answer");
            Err("as it was told")
        }
        _ => Ok(connection.send("well")),
    });
    let served = serve_while(worker, async |address| {
        let mut other = Peer::connect(&address).await;
        for (path, status) in [("/panic", "500"), ("/error", "500"), ("/answered", "200")] {
            let mut peer = Peer::connect(&address).await;
            let reply = Reply::get(&mut peer, path, "").await;
            assert_eq!((reply.status(), reply.header("connection")), (status, Some("close")));
            peer.ends().await;
        }
        assert_eq!(Reply::get(&mut other, "/", "").await.text(), "well");
    });
    served.unwrap();
}

#[test]
fn who_sends_slowly_or_nothing_is_cut() {
    let worker = http().on_message(async |connection, _| connection.send("well"));
    let served = serve_while(worker, async |address| {
        let body = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na";
        for (begun, seconds) in [("GET / HTTP/1.1\r\n", 30), (body, 60), ("", 75)] {
            let mut peer = Peer::connect(&address).await;
            assert_eq!(Reply::get(&mut peer, "/", "").await.text(), "well");
            peer.send(begun).await;
            is_cut_after(&mut peer, seconds).await;
        }
    });
    served.unwrap();
}

#[test]
fn who_may_have_gone_does_not_wait_for_ever() {
    let worker = http().on_message(async |_, _| {});
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        peer.shuts_down().await;
        is_cut_after(&mut peer, 60).await;
    });
    served.unwrap();
}

#[test]
fn a_stream_that_is_not_read_ends_also_while_its_callback_runs() {
    let known: Rc<RefCell<Option<Connection<Http>>>> = Rc::default();
    let keep = Rc::clone(&known);
    let worker = http().on_message(async move |connection, _| {
        *keep.borrow_mut() = Some(connection.clone());
        let (response, body) = Response::stream();
        connection.send(response);
        while body.send(vec![b'x'; 64 * 1024]).await.is_ok() {}
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        peer.sees("HTTP/1.1 200 OK\r\n").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        passes(Duration::from_secs(58)).await;
        let state = || known.borrow().as_ref().unwrap().state();
        assert_eq!(state(), ConnectionState::Established);
        passes(Duration::from_secs(5)).await;
        assert_eq!(state(), ConnectionState::Closed);
    });
    served.unwrap();
}

#[test]
fn a_connection_that_has_sent_a_body_may_be_idle_as_long_as_any() {
    let hello = http().on_message(async |connection, _| connection.send("well"));
    let served = serve_while(hello, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        peer.send("body").await;
        peer.sees("HTTP/1.1 200 OK\r\n").await;
        passes(Duration::from_secs(40)).await;
        peer.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        let rest = String::from_utf8(peer.rest().await).unwrap();
        assert_eq!(rest.matches("HTTP/1.1 200 OK").count(), 1, "{rest}");
    });
    served.unwrap();
}

async fn is_cut_after(peer: &mut Peer, seconds: u64) {
    passes(Duration::from_secs(seconds - 2)).await;
    assert!(peer.is_silent());
    passes(Duration::from_secs(3)).await;
    peer.ends().await;
}

/// Lets the server see what was sent, and the time pass.
async fn passes(time: Duration) {
    tokio::time::sleep(Duration::from_millis(50)).await;
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
    tokio::time::sleep(Duration::from_millis(20)).await;
}
