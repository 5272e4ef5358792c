//! What is too large, and that nobody reads on then.

use crate::server::{Server, Step, ok, write};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;
use workyard_http::{ErrorKind, Http, Options};
use workyard_testbed::eventually;

fn http(response_bytes_max: usize) -> Http {
    let mut options = Options::default();
    options.response_bytes_max = response_bytes_max;
    options.calls.request_timeout = Duration::from_secs(60);
    Http::with(options).unwrap()
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_collected_and_one_byte_more_is_not() {
    let server = Server::start(|asked| ok(vec![b'x'; asked.target[1..].parse().unwrap()])).await;
    let http = http(100_000);
    let get = async |bytes: usize| http.get(server.url(&format!("/{bytes}"))).send().await;
    assert_eq!(get(100_000).await.unwrap().bytes().len(), 100_000);
    let error = get(100_001).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("more than 100000 bytes"), "{error}");
    assert!(!error.is_transient() && !error.outcome_unknown());
    let own = http.get(server.url("/7")).response_bytes_max(6).send().await.unwrap_err();
    assert_eq!(own.kind(), ErrorKind::TooLarge);
    let own = http.get(server.url("/100001")).response_bytes_max(100_001).send().await.unwrap();
    assert_eq!(own.bytes().len(), 100_001);
}

#[tokio::test]
async fn a_body_without_end_is_not_read_on() {
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let server = Server::start(move |_| vec![write(head), Step::WriteForEver]).await;
    let error = http(1 << 20).get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    eventually("the connection has ended", async || server.open() == 0).await;
    // What was under way, in buffers of both sides, comes on top.
    assert!(server.written() < 16 << 20, "{}", server.written());
}

#[tokio::test]
async fn a_bomb_does_not_go_off() {
    let bomb = packed(&vec![0; 64 << 20]);
    assert!(bomb.len() < 100_000);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        bomb.len()
    );
    let server = Server::start(move |_| vec![write(&head), write(&bomb)]).await;
    let error = http(1 << 20).get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let whole = http(64 << 20).get(server.url("/")).send().await.unwrap();
    assert_eq!(whole.bytes().len(), 64 << 20);
    let mut options = Options::default();
    options.compression = false;
    let as_it_is = Http::with(options).unwrap().get(server.url("/")).send().await.unwrap();
    assert!(as_it_is.bytes().len() < 100_000);
    assert_eq!(server.asked().last().unwrap().header("accept-encoding"), None);
}

#[tokio::test]
async fn a_packed_body_that_is_none_is_no_answer() {
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!";
    let server = Server::start(move |_| vec![write(head)]).await;
    let error = http(100).get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
}

#[tokio::test]
async fn a_body_that_is_sent_has_a_limit_too() {
    let server = Server::start(|asked| ok(asked.body.len().to_string())).await;
    let http = Http::open(&format!("http://{}?request_bytes_max=10", server.address)).unwrap();
    assert_eq!(http.post("").body("0123456789").send().await.unwrap().text().unwrap(), "10");
    let error = http.post("").body("0123456789x").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let place = format!("http {}: POST: the body has 11 bytes", server.address);
    assert!(error.to_string().starts_with(&place), "{error}");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_head_without_end_is_not_read_on() {
    let server =
        Server::start(|_| vec![write("HTTP/1.1 200 OK\r\nX-Id: "), Step::WriteForEver]).await;
    let error = http(100).post(server.url("/")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    eventually("the connection has ended", async || server.open() == 0).await;
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut command = Command::new("gzip");
    let mut gzip = command.arg("-9").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    gzip.stdin.take().unwrap().write_all(bytes).unwrap();
    gzip.wait_with_output().unwrap().stdout
}
