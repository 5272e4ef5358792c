//! The three programs that need no more than eight lines, at the ports that they say.

use crate::line_peer::LinePeer;
use crate::program::{PATIENCE, Program};
use serde_json::Value as Json;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Each has four processes; several connections are served, and the program is stopped in order.
fn check(name: &str, port: u16, talk: impl Fn(TcpStream)) {
    let program = Program::new(name).start();
    for _ in 0..8 {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        talk(stream);
    }
    let status = program.run(&["status", "--json"]);
    let status: Json = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["processes"].as_array().unwrap().len(), 4);
    assert!(program.run(&["stop"]).status.success());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    let source = std::fs::read_to_string(format!("examples/{name}.rs")).unwrap();
    let main = source.split_once("fn main()").unwrap().1;
    assert!(main.lines().count() <= 8, "{main}");
}

#[test]
fn hello_over_http() {
    check("http-hello", 2345, |mut stream| {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"));
    });
}

#[test]
fn an_echo_over_websocket() {
    let handshake = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    check("websocket-echo", 2000, |mut stream| {
        stream.write_all(handshake.as_bytes()).unwrap();
        stream.write_all(b"\x81\x85\0\0\0\0hello\x88\x82\0\0\0\0\x03\xe8").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.ends_with(b"\x81\x05hello\x88\x02\x03\xe8"), "{answer:?}");
    });
}

#[test]
fn an_echo_of_lines() {
    check("text-echo", 2347, |stream| {
        let mut peer = LinePeer::new(stream);
        peer.send("hello");
        peer.sees(&["hello"]);
    });
}
