//! Requests and responses as they are meant to be.

use super::http;
use super::reply::Reply;
use crate::peer::Peer;
use std::time::Duration;
use workyard_worker::http::{Response, StatusCode};
use workyard_worker::{Refused, Sent, Timer, embedded::serve_while};

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn hello_is_answered_again_and_again() {
    let worker = http().on_message(async |connection, _| connection.send("hello"));
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        for _ in 0..3 {
            let reply = Reply::to(&mut peer, GET).await;
            assert_eq!(reply.line(), "HTTP/1.1 200 OK");
            assert_eq!(reply.text(), "hello");
            assert_eq!(reply.header("content-type"), Some("text/html;charset=utf-8"));
            assert!(reply.header("date").is_some_and(|date| date.ends_with(" GMT")));
            assert_eq!(reply.header("connection"), None);
        }
        peer.shuts_down().await;
        peer.ends().await;
    });
    served.unwrap();
}

#[test]
fn who_wants_no_more_gets_no_more() {
    let worker = http().on_message(async |connection, request| {
        connection.send(request.is_keep_alive().to_string())
    });
    let served = serve_while(worker, async |address| {
        let close = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let old = "GET / HTTP/1.0\r\n\r\n";
        let old_close = "GET / HTTP/1.0\r\nConnection: close\r\n\r\n";
        for request in [close, old, old_close] {
            let mut peer = Peer::connect(&address).await;
            let reply = Reply::to(&mut peer, request).await;
            assert_eq!(reply.text(), "false");
            assert_eq!(
                &reply.line()[..8],
                request.lines().next().unwrap().rsplit(' ').next().unwrap()
            );
            peer.ends().await;
        }
        let mut peer = Peer::connect(&address).await;
        for _ in 0..2 {
            let reply =
                Reply::to(&mut peer, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").await;
            assert_eq!(reply.header("connection"), Some("keep-alive"));
            assert_eq!(reply.text(), "true");
        }
    });
    served.unwrap();
}

#[test]
fn a_request_whose_sender_says_no_more_is_answered() {
    let worker = http().on_message(async |connection, _| {
        tokio::time::sleep(Duration::from_millis(100)).await;
        connection.send("late")
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send(GET).await;
        peer.shuts_down().await;
        assert_eq!(Reply::read(&mut peer).await.text(), "late");
        peer.ends().await;
    });
    served.unwrap();
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let worker = http().on_message(async |connection, request| {
        let wait = request.query("wait").and_then(|wait| wait.parse().ok()).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        connection.send(request.path_decoded().into_owned())
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        let mut all = String::new();
        for at in 0..300 {
            let wait = if at % 50 == 0 { "?wait=20" } else { "" };
            all += &format!("GET /{at}%20{wait} HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        peer.send(all).await;
        for at in 0..300 {
            assert_eq!(Reply::read(&mut peer).await.text(), format!("/{at} "));
        }
    });
    served.unwrap();
}

#[test]
fn head_is_answered_without_a_body() {
    let worker = http().on_message(async |connection, request| match request.path() {
        "/own" => connection.send(Response::new().header("Content-Length", "123456")),
        _ => connection.send("hello"),
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        for (path, length) in [("/", "5"), ("/own", "123456"), ("/", "5")] {
            peer.send(format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
            let reply = Reply::head(&mut peer).await;
            assert_eq!((reply.status(), reply.header("content-length")), ("200", Some(length)));
        }
        // What is said of a body's length is not believed.
        assert_eq!(Reply::get(&mut peer, "/own", "").await.header("content-length"), Some("0"));
    });
    served.unwrap();
}

#[test]
fn bodies_come_whole_however_they_are_sent() {
    let worker = http().on_message(async |connection, request| {
        connection.send(format!("<{}>", request.text()?));
        Ok::<_, workyard_worker::http::BodyError>(())
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        peer.send("67890").await;
        assert_eq!(Reply::read(&mut peer).await.text(), "<1234567890>");
        let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        peer.send(format!("{chunked}3\r\nabc\r\n")).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        peer.send("A;some=thing\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n").await;
        assert_eq!(Reply::read(&mut peer).await.text(), "<abc0123456789>");
        assert_eq!(Reply::to(&mut peer, GET).await.text(), "<>");
    });
    served.unwrap();
}

#[test]
fn who_asks_whether_to_send_a_body_is_told() {
    let worker = http()
        .package_bytes_max(10)
        .on_message(async |connection, request| connection.send(request.body().clone()));
    let served = serve_while(worker, async |address| {
        let post = |length: usize| {
            format!(
                "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
            )
        };
        let mut peer = Peer::connect(&address).await;
        peer.send(post(3)).await;
        peer.sees("HTTP/1.1 100 Continue\r\n\r\n").await;
        assert_eq!(Reply::to(&mut peer, "abc").await.text(), "abc");
        peer.send(post(11)).await;
        let reply = Reply::read(&mut peer).await;
        assert_eq!((reply.status(), reply.header("connection")), ("413", Some("close")));
        peer.ends().await;
    });
    served.unwrap();
}

#[test]
fn an_answer_may_come_later_and_only_one() {
    let worker = http().on_connect(async |connection| {
        let sent = connection.send("before any request");
        assert!(matches!(sent, Sent::Refused(Refused::Protocol(_))), "{sent:?}");
    });
    let worker = worker.on_message(async |connection, request| {
        let answer = request.path().to_owned();
        Timer::once(Duration::from_millis(50), async move || {
            assert_eq!(connection.send(answer), Sent::Written);
            let sent = connection.send("twice");
            assert!(matches!(sent, Sent::Refused(Refused::Protocol(_))), "{sent:?}");
            connection.worker().provide(sent);
        });
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n").await;
        for path in ["/a", "/b"] {
            assert_eq!(Reply::read(&mut peer).await.text(), path);
        }
        assert_eq!(Reply::get(&mut peer, "/c", "").await.text(), "/c");
    });
    served.unwrap();
}

#[test]
fn responses_are_what_they_are_made_of() {
    let worker = http().on_message(async |connection, request| match request.path() {
        "/status" => connection.send(StatusCode::NOT_FOUND),
        "/none" => connection.send(StatusCode::NO_CONTENT),
        "/both" => connection.send((StatusCode::GONE, "no more")),
        "/redirect" => connection.send(Response::redirect("/else?where")),
        "/json" => connection.send(Response::json(&vec![1, 2, 3]).unwrap()),
        "/bytes" => connection.send(vec![0, 255]),
        "/headers" => {
            let response = Response::new().header("X-One", "1").header("x-one", "2");
            connection.send(response.add_header("X-More", "a").add_header("X-More", "ü").body("x"))
        }
        "/injected" => {
            let sent = connection.send(Response::new().header("X-One", "1\r\nX-Two: 2"));
            assert!(matches!(sent, Sent::Refused(Refused::Protocol(_))));
            sent
        }
        "/informational" => connection.send(StatusCode::CONTINUE),
        _ => connection.close_with("the last"),
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        for (path, status, content_type, body) in [
            ("/status", "404", Some("text/plain;charset=utf-8"), "404 Not Found"),
            ("/none", "204", None, ""),
            ("/both", "410", Some("text/html;charset=utf-8"), "no more"),
            ("/redirect", "302", None, ""),
            ("/json", "200", Some("application/json"), "[1,2,3]"),
            ("/injected", "500", Some("text/plain;charset=utf-8"), "500 Internal Server Error"),
            (
                "/informational",
                "500",
                Some("text/plain;charset=utf-8"),
                "500 Internal Server Error",
            ),
        ] {
            let reply = Reply::get(&mut peer, path, "").await;
            assert_eq!(reply.status(), status);
            assert_eq!(reply.header("content-type"), content_type, "{path}");
            assert_eq!(reply.text(), body);
            assert_eq!(reply.header("location"), (path == "/redirect").then_some("/else?where"));
        }
        assert_eq!(Reply::get(&mut peer, "/bytes", "").await.body, [0, 255]);
        let reply = Reply::get(&mut peer, "/headers", "").await;
        assert_eq!((reply.header("x-one"), reply.header("x-more")), (Some("2"), Some("a")));
        let reply = Reply::get(&mut peer, "/close", "").await;
        assert_eq!((reply.text(), reply.header("connection")), ("the last", Some("close")));
        peer.ends().await;
    });
    served.unwrap();
}

#[test]
fn two_hundred_connections_are_served_at_once() {
    let worker = http().on_message(async |connection, request| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        connection.send(format!("{} {}", connection.worker().connections().count(), request.path()))
    });
    let served = serve_while(worker, async |address| {
        let mut peers = Vec::new();
        for _ in 0..200 {
            peers.push(Peer::connect(&address).await);
        }
        for round in 0..3 {
            for (at, peer) in peers.iter_mut().enumerate() {
                peer.send(format!("GET /{round}/{at} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
            }
            for (at, peer) in peers.iter_mut().enumerate() {
                assert_eq!(Reply::read(peer).await.text(), format!("200 /{round}/{at}"));
            }
        }
    });
    served.unwrap();
}
