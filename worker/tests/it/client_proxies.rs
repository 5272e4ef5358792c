//! Clients that go through a proxy: what they ask for, and what they make of the answer.

use crate::peer::{PATIENCE, until};
use futures_util::future::join_all;
use std::cell::RefCell;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;
use workyard_worker::protocols::Text;
use workyard_worker::{Client, Worker, embedded::serve_while};

/// What a proxy sees and answers, step by step, and what the client says of it in the end: a message that came behind
/// the last answer, or an error.
struct Case {
    proxy: &'static str,
    to: &'static str,
    steps: Vec<(&'static [u8], &'static [u8])>,
    told: &'static str,
}

const SOCKS: &[u8] = b"\x05\x01\x00\x03\x09one.local\x00\x50";
const CONNECT: &[u8] = b"CONNECT one.local:80 HTTP/1.1\r\nHost: one.local:80\r\n\r\n";

fn cases() -> Vec<Case> {
    let socks = |steps, told| Case { proxy: "socks5://", to: "one.local:80", steps, told };
    let http = |steps, told| Case { proxy: "http://", to: "one.local:80", steps, told };
    vec![
        socks(
            vec![(b"\x05\x01\x00", b"\x05\x00"), (SOCKS, b"\x05\x00\x00\x01\x7f\0\0\x01\0\x50hi\n")],
            "hi",
        ),
        socks(vec![(b"\x05\x01\x00", b"\x05\x00"), (SOCKS, b"\x05\x00\x00\x03\x01a\0\x50hi\n")], "hi"),
        socks(vec![(b"\x05\x01\x00", b"\x05\xff")], "it wants another login"),
        socks(
            vec![(b"\x05\x01\x00", b"\x05\x00"), (SOCKS, b"\x05\x05\x00\x01\0\0\0\0\0\0")],
            "the host refused the connection",
        ),
        Case {
            proxy: "socks5://user:pass@",
            to: "one.local:80",
            steps: vec![
                (b"\x05\x01\x02", b"\x05\x02"),
                (b"\x01\x04user\x04pass", b"\x01\x01"),
            ],
            told: "it does not accept the login",
        },
        http(vec![(CONNECT, b"HTTP/1.1 200 Connected\r\nX: y\r\n\r\nhi\n")], "hi"),
        http(vec![(CONNECT, b"HTTP/1.1 407 Who Are You\r\n\r\n")], "407 Who Are You"),
        http(vec![(CONNECT, b"hello\r\n\r\n")], "its answer is no HTTP"),
        Case {
            proxy: "http://user:pass@",
            to: "[::1]:80",
            steps: vec![(
                b"CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n",
                b"HTTP/1.1 200 OK\r\n\r\nhi\n",
            )],
            told: "hi",
        },
    ]
}

async fn run(case: Case) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("{}{}", case.proxy, listener.local_addr().unwrap());
    let told: Rc<RefCell<Option<String>>> = Rc::default();
    let (message, error) = (Rc::clone(&told), Rc::clone(&told));
    Client::<Text>::to(&format!("text://{}", case.to))
        .proxy(&proxy)
        .on_message(async move |_, line| *message.borrow_mut() = Some(line))
        .on_error(async move |_, failed| *error.borrow_mut() = Some(failed.to_string()))
        .connect()
        .unwrap();
    let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    for (asked, answer) in case.steps {
        let mut seen = vec![0; asked.len()];
        timeout(PATIENCE, stream.read_exact(&mut seen)).await.unwrap().unwrap();
        assert_eq!(seen, asked, "{proxy}");
        stream.write_all(answer).await.unwrap();
    }
    until(|| told.borrow().is_some()).await;
    let told = told.take().unwrap();
    assert!(told.ends_with(case.told), "{proxy}: {told}");
}

#[test]
fn proxies_are_asked_and_believed() {
    let served = serve_while(Worker::<Text>::bind("text://127.0.0.1:0"), async |_| {
        join_all(cases().into_iter().map(run)).await;
        let wrong = Client::<Text>::to("text://one.local:80").proxy("ftp://a:1").connect();
        assert!(wrong.unwrap_err().to_string().contains("write socks5://HOST:PORT"));
    });
    served.unwrap();
}
