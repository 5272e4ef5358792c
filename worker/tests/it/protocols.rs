//! What is in the packages.

use crate::peer::Peer;
use tokio::net::UdpSocket;
use workyard_worker::protocols::{Frame, Tcp, Text};
use workyard_worker::{Worker, embedded::serve_while};

#[test]
fn lines_are_echoed_however_they_are_cut() {
    let echo = Worker::<Text>::bind("text://127.0.0.1:0")
        .on_message(async |connection, line| connection.send(format!("<{line}>")));
    let served = serve_while(echo, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("one\r\ntwo\n\nthr").await;
        peer.sees("<one>\n<two>\n<>\n").await;
        peer.send("ee\n").await;
        peer.sees("<three>\n").await;
        // What was sent before the end is answered.
        peer.send("last\nunfinished").await;
        peer.shuts_down().await;
        assert_eq!(peer.rest().await, b"<last>\n");
    });
    served.unwrap();
}

#[test]
fn frames_are_echoed_and_bad_ones_end_only_their_own_connection() {
    let echo = Worker::<Frame>::bind("tcp://127.0.0.1:0")
        .package_bytes_max(20)
        .on_message(async |connection, message| connection.send(message));
    let served = serve_while(echo, async |address| {
        let mut good = Peer::connect(&address).await;
        for bad in [&b"\0\0\0\x03"[..], b"\0\0\0\x15", b"\xff\xff\xff\xff"] {
            let mut peer = Peer::connect(&address).await;
            peer.send(bad).await;
            peer.ends().await;
        }
        good.send(b"\0\0\0\x07abc\0\0\0\x04\0\0\0\x14sixteen bytes ok").await;
        good.sees(b"\0\0\0\x07abc\0\0\0\x04\0\0\0\x14sixteen bytes ok").await;
    });
    served.unwrap();
}

#[test]
fn a_line_longer_than_allowed_ends_its_connection_and_one_as_long_does_not() {
    let echo = Worker::<Text>::bind("text://127.0.0.1:0")
        .package_bytes_max(10)
        .on_message(async |connection, line| connection.send(line));
    let served = serve_while(echo, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("123456789\n123456789\n").await;
        peer.sees("123456789\n123456789\n").await;
        peer.send("1234567890").await;
        peer.ends().await;
    });
    served.unwrap();
}

#[test]
fn bytes_come_as_they_come() {
    let echo = Worker::<Tcp>::bind("tcp://[::1]:0")
        .on_message(async |connection, bytes| connection.send(bytes));
    let served = serve_while(echo, async |address| {
        let mut peer = Peer::connect(&address).await;
        let large: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
        peer.send(&large).await;
        peer.sees(&large).await;
    });
    served.unwrap();
}

#[test]
fn a_datagram_has_whole_messages_and_an_answer_each() {
    let echo = Worker::<Text>::bind("udp://127.0.0.1:0")
        .on_message(async |connection, line| connection.send(format!("<{line}>")));
    let served = serve_while(echo, async |address| {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(address.endpoint.to_string()).await.unwrap();
        socket.send(b"one\ntwo\nincomplete").await.unwrap();
        let mut buffer = [0; 100];
        for expected in ["<one>\n", "<two>\n"] {
            let length = socket.recv(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..length], expected.as_bytes());
        }
        socket.send(b"three\n").await.unwrap();
        let length = socket.recv(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], b"<three>\n");
    });
    served.unwrap();
}

#[test]
fn a_socket_of_the_file_system_is_served_and_a_stale_one_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("echo.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let echo = Worker::<Text>::bind(&format!("unix://{}", path.display()))
        .on_message(async |connection, line| connection.send(line));
    let served = serve_while(echo, async |_| {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut peer = tokio::net::UnixStream::connect(&path).await.unwrap();
        peer.write_all(b"hello\n").await.unwrap();
        let mut answer = [0; 6];
        peer.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"hello\n");
    });
    served.unwrap();
}

#[test]
fn an_address_that_does_not_fit_is_refused_with_what_would() {
    for (address, expected) in [
        ("http://127.0.0.1:0", "http:// does not go with the protocol text; write text://"),
        ("127.0.0.1:0", "has no scheme"),
    ] {
        let error = serve_while(Worker::<Text>::bind(address), async |_| ()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
