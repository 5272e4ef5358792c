//! HTTP as programs serve it.

use crate::program::{PATIENCE, Program, free_port};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

struct Client(BufReader<TcpStream>);

/// Status, whether the connection goes on, and the body.
struct Answer(String, bool, String);

impl Client {
    fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn ask(&mut self, request: &str) -> Answer {
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut status, mut goes_on, mut length) = (String::new(), true, 0);
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "not answered: {request}");
            let line = line.trim_end();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("connection", "close")) => goes_on = false,
                None if line.is_empty() => break,
                None => status = line.to_owned(),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Answer(status, goes_on, String::from_utf8(body).unwrap())
    }
}

fn site() -> (Program, u16) {
    let port = free_port();
    let program = Program::new("http-site").with("LISTEN", format!("http://127.0.0.1:{port}"));
    let folder = program.folder().join("www");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("index.html"), "<h1>welcome</h1>").unwrap();
    (program.with("FOLDER", folder.display()).start(), port)
}

#[test]
fn a_site_has_files_forms_and_events() {
    let (_program, port) = site();
    let mut client = Client::connect(port);
    let Answer(status, _, body) = client.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((status.as_str(), body.as_str()), ("HTTP/1.1 200 OK", "<h1>welcome</h1>"));
    let form =
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\nname=Ann";
    let Answer(_, _, body) = client.ask(&format!("POST /greet HTTP/1.1\r\nHost: x\r\n{form}"));
    assert_eq!(body, "hello, Ann");
    client.ask("GET /clock HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut event = String::new();
    while !event.starts_with("data: ") {
        event.clear();
        assert_ne!(client.0.read_line(&mut event).unwrap(), 0);
    }
    assert!(event["data: ".len()..].trim_end().parse::<u64>().is_ok(), "{event}");
}

#[test]
fn reloads_lose_no_request() {
    let (program, port) = site();
    let is_over = AtomicBool::new(false);
    let moves: [AtomicUsize; 8] = Default::default();
    std::thread::scope(|scope| {
        for moves in &moves {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut client = Client::connect(port);
                while !is_over.load(Ordering::Relaxed) {
                    // Mostly nothing is under way: that is when a connection could be given up.
                    std::thread::sleep(Duration::from_millis(1));
                    let Answer(_, goes_on, body) = client.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                    assert_eq!(body, "<h1>welcome</h1>");
                    if !goes_on {
                        moves.fetch_add(1, Ordering::Relaxed);
                        client = Client::connect(port);
                    }
                }
            });
        }
        for (at, arguments) in [&["reload"][..], &["reload", "-g"], &["reload"]].iter().enumerate()
        {
            assert!(program.run(arguments).status.success());
            let begun = Instant::now();
            // Everybody is told to ask somebody else, by every reload.
            while moves.iter().any(|moves| moves.load(Ordering::Relaxed) <= at)
                && begun.elapsed() < PATIENCE
            {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(moves.iter().all(|moves| moves.load(Ordering::Relaxed) >= 3), "{moves:?}");
}
