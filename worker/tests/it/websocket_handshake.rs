//! How a WebSocket is opened, or not.

use crate::peer::Peer;
use crate::websocket_peer::{
    ACCEPTED, BINARY, CLOSE, FIN, REQUEST, TEXT, code, masked, open, plain,
};
use futures_util::future::join_all;
use std::time::Duration;
use workyard_worker::websocket::CloseCode;
use workyard_worker::{Worker, embedded::serve_while, protocols::WebSocket};

fn echo() -> Worker<WebSocket> {
    Worker::<WebSocket>::bind("websocket://127.0.0.1:0")
        .on_message(async |connection, message| connection.send(message))
}

/// The request with something replaced.
fn request(what: &str, by: &str) -> String {
    assert!(REQUEST.contains(what), "{what}");
    REQUEST.replacen(what, by, 1)
}

/// Requests, and the status and a part of what they are answered.
fn requests() -> Vec<(String, &'static str, &'static str)> {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    let long = format!("Host: localhost\r\nX-Long: {}\r\n", "*".repeat(16 * 1024));
    let many: String = (0..100).map(|at| format!("X-{at}: x\r\n")).collect();
    vec![
        (REQUEST.to_owned(), "101", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
        (
            REQUEST.to_lowercase().replace("get /chat http", "GET /chat HTTP"),
            "101",
            "Upgrade: websocket",
        ),
        (request("Upgrade: websocket", "uPGRADE:\t h2c , WebSocket"), "101", ""),
        (request("keep-alive, Upgrade", "close\r\nconnection: upgrade"), "101", ""),
        (request("/chat", "http://localhost/chat?x"), "101", ""),
        (request("GET", "POST"), "405", "Allow: GET\r\n"),
        (request("HTTP/1.1", "HTTP/1.0"), "400", "opened with HTTP/1.1"),
        (request("/chat", "chat"), "400", "is no path"),
        (request("Host: localhost\r\n", ""), "400", "no header host"),
        (request("Host: localhost\r\n", "Host: a\r\nHost: b\r\n"), "400", "several headers host"),
        (request("Upgrade: websocket\r\n", ""), "426", "Upgrade: websocket\r\n"),
        (request("Upgrade: websocket", "Upgrade: h2c"), "426", "Only WebSockets are served here."),
        (request("keep-alive, Upgrade", "keep-alive"), "400", "does not name"),
        (request(version, ""), "426", "Sec-WebSocket-Version: 13\r\n"),
        (request("Version: 13", "Version: 8"), "426", "Sec-WebSocket-Version: 13\r\n"),
        (request(version, &version.repeat(2)), "426", "Sec-WebSocket-Version: 13\r\n"),
        (request(key, ""), "400", "no header sec-websocket-key"),
        (request(key, &key.repeat(2)), "400", "several headers sec-websocket-key"),
        (request("25jZQ==", "25jZQ"), "400", "16 bytes in base64"),
        (request("dGhl", "d_hl"), "400", "16 bytes in base64"),
        (request("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), "400", "16 bytes in base64"),
        (request("Host:", "Content-Length: 5\r\nHost:"), "400", "has a body"),
        (request("Host:", "Transfer-Encoding: chunked\r\nHost:"), "400", "has a body"),
        (request("Host: localhost\r\n", &long), "431", "More than 16384 bytes"),
        (request("Host: localhost\r\n", &many), "431", "More than 100 headers"),
        (request("Host: ", "Ho st: "), "400", "this is no HTTP"),
        ("hello\r\n\r\n".to_owned(), "400", "this is no HTTP"),
        ("*".repeat(20_000), "431", "More than 16384 bytes"),
    ]
}

#[test]
fn requests_are_answered_as_the_protocol_says() {
    let served = serve_while(echo(), async |address| {
        let ask = async |(request, status, part): (String, &str, &str)| {
            let mut peer = Peer::connect(&address).await;
            peer.try_send(&request).await;
            peer.shuts_down().await;
            let answer = peer.rest().await;
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{answer}");
            assert!(answer.contains(part), "{request}\n{answer}");
            if status != "101" {
                let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                assert!(head.contains("Connection: close\r\n"), "{head}");
                assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{answer}");
            }
        };
        join_all(requests().into_iter().map(ask)).await;
    });
    served.unwrap();
}

#[test]
fn a_request_may_come_in_pieces_and_with_messages_behind_it() {
    let served = serve_while(echo(), async |address| {
        let mut peer = Peer::connect(&address).await;
        for byte in REQUEST.bytes() {
            peer.send([byte]).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        peer.sees(ACCEPTED).await;
        let mut peer = Peer::connect(&address).await;
        let large = vec![b'*'; 100_000];
        peer.send(
            [REQUEST.as_bytes(), &masked(FIN | TEXT, "abc"), &masked(FIN | BINARY, &large)]
                .concat(),
        )
        .await;
        peer.sees(ACCEPTED).await;
        peer.sees(plain(FIN | TEXT, "abc")).await;
        peer.sees(plain(FIN | BINARY, large)).await;
    });
    served.unwrap();
}

#[test]
fn the_program_sees_what_is_asked_for() {
    let worker = echo().on_websocket_connect(async |connection, handshake| {
        connection.send(handshake.path());
        connection.send(handshake.query_string());
        for name in ["name", "empty", "none"] {
            connection.send(format!("{:?}", handshake.query(name)));
        }
        for name in ["session", "b", "none"] {
            connection.send(format!("{:?}", handshake.cookie(name)));
        }
        connection.send(format!("{:?} {:?}", handshake.origin(), handshake.header("HOST")));
        let protocols: Vec<_> = handshake.protocols().collect();
        connection.send(protocols.join("|"))
    });
    let headers = "?name=J%C3%BCrgen+K&empty= HTTP/1.1\r\nCookie: session=a=b; b=\"c\"\r\n\
        Origin: https://chat.example\r\nSec-WebSocket-Protocol: one, two\r\nsec-websocket-protocol: three";
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send(request(" HTTP/1.1", headers)).await;
        peer.sees(ACCEPTED).await;
        for seen in [
            "/chat",
            "name=J%C3%BCrgen+K&empty=",
            r#"Some("Jürgen K")"#,
            r#"Some("")"#,
            "None",
            r#"Some("a=b")"#,
            r#"Some("c")"#,
            "None",
            r#"Some("https://chat.example") Some("localhost")"#,
            "one|two|three",
        ] {
            peer.sees(plain(FIN | TEXT, seen)).await;
        }
    });
    served.unwrap();
}

#[test]
fn what_is_sent_before_the_answer_follows_it() {
    let worker = echo()
        .on_connect(async |connection| connection.send("connected"))
        .on_websocket_connect(async |connection, _| {
            connection.send("opening");
            tokio::time::sleep(Duration::from_millis(50)).await;
            connection.send(b"opened".to_vec())
        });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send(REQUEST).await;
        peer.sees(ACCEPTED).await;
        peer.sees(plain(FIN | TEXT, "connected")).await;
        peer.sees(plain(FIN | TEXT, "opening")).await;
        peer.sees(plain(FIN | BINARY, "opened")).await;
        // It is not sent to who is refused.
        let mut peer = Peer::connect(&address).await;
        peer.send(request("GET", "PUT")).await;
        assert!(peer.rest().await.ends_with(b"A WebSocket is opened with GET.\n"));
    });
    served.unwrap();
}

#[test]
fn the_program_chooses_a_protocol_and_adds_headers() {
    let worker = echo().on_websocket_connect(async |connection, handshake| {
        handshake.add_header("Set-Cookie", "session=1; Path=/")?;
        for (name, value) in
            [("a b", ""), ("X", "a\r\nY: b"), ("upgrade", "x"), ("Sec-WebSocket-X", "")]
        {
            assert!(handshake.add_header(name, value).is_err(), "{name}");
        }
        let chosen = handshake.choose_protocol(&["v2", "v1"]);
        connection.send(chosen.unwrap_or_else(|| "none".to_owned()));
        Ok::<_, workyard_worker::ProtocolError>(())
    });
    let served = serve_while(worker, async |address| {
        for (asked, chosen) in [("v1, v2, v3", "v2"), ("v1", "v1"), ("v3", "none")] {
            let mut peer = Peer::connect(&address).await;
            let asks = format!("Host: localhost\r\nSec-WebSocket-Protocol: {asked}\r\n");
            peer.send(request("Host: localhost\r\n", &asks)).await;
            peer.sees(ACCEPTED.trim_end()).await;
            peer.sees("\r\nSet-Cookie: session=1; Path=/\r\n").await;
            if chosen != "none" {
                peer.sees(format!("Sec-WebSocket-Protocol: {chosen}\r\n")).await;
            }
            peer.sees("\r\n").await;
            peer.sees(plain(FIN | TEXT, chosen)).await;
        }
    });
    served.unwrap();
}

#[test]
fn the_program_refuses() {
    let worker = echo().on_websocket_connect(async |connection, handshake| {
        connection.send("never seen");
        match handshake.path() {
            "/origin" if handshake.origin() != Some("https://chat.example") => {
                handshake.add_header("X-Reason", "origin")?;
                handshake.refuse(403, "Only for chat.example.");
            }
            "/busy" => handshake.refuse(503, ""),
            "/error" => return Err("this is not told".into()),
            "/panic" => panic!("neither is this"),
            "/late" => connection.close_because(CloseCode::POLICY, "not you"),
            _ => {}
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    });
    let served = serve_while(worker, async |address| {
        for (path, status, part) in [
            ("/origin", "403 Forbidden", "X-Reason: origin\r\n"),
            ("/origin", "403 Forbidden", "\r\n\r\nOnly for chat.example.\n"),
            ("/busy", "503 Service Unavailable", "\r\n\r\n\n"),
            ("/error", "403 Forbidden", "\r\n\r\nThis connection is refused.\n"),
            ("/panic", "403 Forbidden", "\r\n\r\nThis connection is refused.\n"),
        ] {
            let mut peer = Peer::connect(&address).await;
            peer.send(request("/chat", path) + "message").await;
            let answer = String::from_utf8(peer.rest().await).unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{path}\n{answer}");
            assert!(answer.contains(part) && !answer.contains("never seen"), "{path}\n{answer}");
        }
        let mut peer = Peer::connect(&address).await;
        peer.send(request("/chat", "/late")).await;
        peer.sees(ACCEPTED).await;
        peer.sees(plain(FIN | TEXT, "never seen")).await;
        peer.sees(plain(FIN | CLOSE, code(1008, "not you"))).await;
        let mut peer = open(&address).await;
        peer.sees(plain(FIN | TEXT, "never seen")).await;
    });
    served.unwrap();
}

#[test]
fn who_asks_for_nothing_is_cut_off() {
    let served = serve_while(echo(), async |address| {
        let mut open = open(&address).await;
        let mut silent = Peer::connect(&address).await;
        let mut slow = Peer::connect(&address).await;
        slow.send("GET / HTTP/1.1\r\n").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(9)).await;
        slow.send("Host: localhost\r\n").await;
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::time::resume();
        for peer in [&mut silent, &mut slow] {
            assert!(peer.rest().await.starts_with(b"HTTP/1.1 408 Request Timeout\r\n"));
        }
        open.send(masked(FIN | TEXT, "still here")).await;
        open.sees(plain(FIN | TEXT, "still here")).await;
    });
    served.unwrap();
}
