//! What the examples do.

use crate::line_peer::LinePeer;
use crate::program::{PATIENCE, Program, free_port, free_udp_port};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn text_program(name: &str) -> (Program, u16) {
    let port = free_port();
    let listen = format!("text://127.0.0.1:{port}");
    (Program::new(name).with("LISTEN", listen), port)
}

#[test]
fn a_chat_room_hears_who_comes_speaks_and_goes() {
    let (program, port) = text_program("chat");
    let _program = program.start();
    let mut ann = LinePeer::connect(port);
    ann.sees(&["user[1] comes"]);
    let mut tom = LinePeer::connect(port);
    tom.sees(&["user[2] comes"]);
    ann.send("hello");
    tom.sees(&["user[1] said: hello"]);
    drop(tom);
    ann.sees(&["user[2] comes", "user[1] said: hello", "user[2] logout"]);
}

#[test]
fn timers_tick_and_end() {
    let (program, port) = text_program("timers");
    let program = program.start();
    let mut peer = LinePeer::connect(port);
    peer.sees(&["tick 1", "tick 2", "tick 3", "that was all"]);
    peer.ends();
    program.prints("a second has passed");
}

#[test]
fn the_silent_and_the_nameless_are_cut_off() {
    let (program, port) = text_program("heartbeat");
    let _program = program.with("IDLE", 1).with("SWEEP", 0.1).with("LOGIN", 0.5).start();
    let begun = Instant::now();
    let mut ann = LinePeer::connect(port);
    let mut nameless = LinePeer::connect(port);
    ann.send("ann");
    ann.sees(&["hello, ann"]);
    let mut tom = LinePeer::connect(port);
    tom.send("tom");
    tom.sees(&["hello, tom"]);
    tom.send("ann: are you there?");
    tom.sees(&["told 1"]);
    ann.sees(&["are you there?"]);
    nameless.ends();
    assert!(begun.elapsed() >= Duration::from_millis(500));
    for _ in 0..8 {
        tom.send("");
        tom.sees(&["pong"]);
        std::thread::sleep(Duration::from_millis(200));
    }
    ann.ends();
    tom.send("ann: still?");
    tom.sees(&["told 0"]);
}

#[test]
fn a_long_computation_holds_up_nobody() {
    let (program, port) = text_program("async-task");
    let _program = program.start();
    let (mut slow, mut quick) = (LinePeer::connect(port), LinePeer::connect(port));
    slow.send("1000000");
    let begun = Instant::now();
    for _ in 0..10 {
        quick.send("ping");
        quick.sees(&["pong"]);
    }
    let answered = begun.elapsed();
    slow.sees(&["78498"]);
    assert!(answered < begun.elapsed(), "pings took {answered:?}");
    slow.send("17");
    slow.send("many");
    slow.sees(&["6", "a number, or ping"]);
}

#[test]
fn datagrams_are_answered() {
    let port = free_udp_port();
    let listen = format!("udp://127.0.0.1:{port}");
    let _program = Program::new("udp-service").with("LISTEN", listen).start();
    // Different senders reach different processes.
    for _ in 0..8 {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.send_to(b"hello\n", ("127.0.0.1", port)).unwrap();
        let mut answer = [0; 100];
        let length = socket.recv(&mut answer).unwrap();
        assert_eq!(&answer[..length], b"you said hello\n");
    }
}

#[test]
fn protocols_of_ones_own_are_served_and_files_saved() {
    let program = Program::new("custom-protocols");
    let folder = program.folder().to_owned();
    let ports: Vec<u16> = (0..4).map(|_| free_port()).collect();
    let program = program.with("TRANSFER_FOLDER", folder.display());
    let ports_text = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    let _program = program.with("PORTS", ports_text).start();
    let says = |port: u16, bytes: &[u8], expected: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = vec![0; expected.len()];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), expected);
    };
    says(ports[0], b"0000000014<a/>", "0000000014<a/>");
    says(ports[1], b"\0\0\0\x05\x37", "\0\0\0\x12{\"received\":7}");
    let saved = |name: &str| format!("saved as {}\n", folder.join(name).display());
    says(ports[2], b"\0\0\0\x0d\x05a.txthey", &saved("a.txt"));
    says(ports[3], b"{\"file_name\":\"b.txt\",\"file_data\":\"aGV5\"}\n", &saved("b.txt"));
    for name in ["a.txt", "b.txt"] {
        assert_eq!(std::fs::read_to_string(folder.join(name)).unwrap(), "hey");
    }
}

fn http(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn files_are_uploaded_and_shown_and_nothing_else_is() {
    let port = free_port();
    let program = Program::new("file-upload").with("LISTEN", format!("http://127.0.0.1:{port}"));
    let folder = program.folder().join("uploads");
    std::fs::create_dir(&folder).unwrap();
    let _program = program.with("UPLOAD_FOLDER", folder.display()).start();
    let part = |name: &str, content: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/plain\r\n\r\n{content}\r\n"
        )
    };
    let body = format!("{}{}--b--\r\n", part("a.txt", "first"), part("../../b.txt", "second"));
    let head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
        Content-Type: multipart/form-data; boundary=b\r\n";
    let answer = http(port, &format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()));
    assert!(answer.ends_with("a.txt: 5 bytes\nb.txt: 6 bytes\n"), "{answer}");
    assert_eq!(std::fs::read_to_string(folder.join("b.txt")).unwrap(), "second");
    let get = |path: &str| {
        http(port, &format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
    };
    assert!(get("/").contains("multipart/form-data"));
    assert!(get("/files/a.txt").ends_with("\r\n\r\nfirst"));
    for path in ["/files/../file-upload", "/files/%2e%2e%2ffile-upload", "/files/c.txt", "/files/"]
    {
        let answer = get(path);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
    }
    let bad = http(port, &format!("{head}Content-Length: 3\r\n\r\nabc"));
    assert!(bad.starts_with("HTTP/1.1 400 "), "{bad}");
}

#[test]
fn websocket_goes_over_tls() {
    let port = free_port();
    let program = Program::new("websocket-tls").with("LISTEN", format!("wss://127.0.0.1:{port}"));
    let made = rcgen::generate_simple_self_signed(vec!["one.test".to_owned()]).unwrap();
    let (certificate, key) = (program.folder().join("crt"), program.folder().join("key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let program = program.with("TLS_CERTIFICATE", certificate.display());
    let _program = program.with("TLS_KEY", key.display()).start();

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("one.test").unwrap();
    let session = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut peer = rustls::StreamOwned::new(session, stream);
    let handshake = "GET / HTTP/1.1\r\nHost: one.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    peer.write_all(handshake.as_bytes()).unwrap();
    peer.write_all(b"\x81\x85\0\0\0\0hello\x88\x82\0\0\0\0\x03\xe8").unwrap();
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    assert!(answer.ends_with(b"\x81\x05hello\x88\x02\x03\xe8"), "{answer:?}");
}

#[test]
fn a_proxy_passes_on_what_both_sides_say() {
    let (echo, target) = text_program("chat");
    let port = free_port();
    let proxy = Program::new("tcp-proxy")
        .with("LISTEN", format!("tcp://127.0.0.1:{port}"))
        .with("TARGET", format!("tcp://127.0.0.1:{target}"));
    let _programs = (echo.start(), proxy.start());
    let mut peer = LinePeer::connect(port);
    peer.sees(&["user[1] comes"]);
    peer.send("hello");
    peer.sees(&["user[1] said: hello"]);
}
