//! The first words: who is welcomed, and what is said to whom is not.

use crate::support::{FakeServer, a_welcome};
use std::time::Duration;
use workyard_link::{Error, ErrorKind, Link, Options, Stateless, Unread};
use workyard_protocol::control::{ServiceKind, Welcome};
use workyard_protocol::{Reason, ToServer};

const SERVICE: Stateless = Stateless(ServiceKind::GlobalData);

fn options() -> Options {
    let mut options = Options::default();
    options.name = "tester".to_owned();
    options.credentials = Some("secret".into());
    options
}

#[tokio::test]
async fn a_client_says_who_it_is_and_learns_whom_it_reached() {
    let server = FakeServer::bind().await;
    let serving = async {
        let mut peer = server.accept().await;
        let hello = peer.frame().await.unwrap();
        let ToServer::Hello(hello) = hello.to_server::<Unread<'_>>() else { panic!("no hello") };
        assert_eq!(hello.service, ServiceKind::GlobalData);
        assert_eq!(hello.client, "tester");
        assert_eq!(hello.credentials, Some(&b"secret"[..]));
        peer.send(&workyard_protocol::ToClient::<Unread<'_>, Unread<'_>>::Welcome(a_welcome()))
            .await;
        peer
    };
    let (link, _peer) = tokio::join!(Link::connect(server.address(), options(), SERVICE), serving);
    let found = link.unwrap().server().unwrap();
    assert_eq!((found.name.as_str(), found.epoch, found.connection), ("fake/1", 7, 1));
    assert_eq!(found.heartbeat, Duration::from_secs(20));
}

#[tokio::test]
async fn a_refused_hello_is_told_with_its_reason() {
    let server = FakeServer::bind().await;
    let serving = async {
        let mut peer = server.accept().await;
        peer.frame().await.unwrap();
        peer.goodbye(Reason::WrongService, None).await;
    };
    let (link, ()) = tokio::join!(Link::connect(server.address(), options(), SERVICE), serving);
    match link.unwrap_err() {
        Error::Rejected { refusal, .. } => assert_eq!(refusal.reason, Reason::WrongService),
        other => panic!("expected a rejection, not {other}"),
    }
}

#[tokio::test]
async fn another_version_is_not_spoken() {
    let server = FakeServer::bind().await;
    let serving = server.welcome_as(Welcome { version: 2, ..a_welcome() });
    let (link, _peer) = tokio::join!(Link::connect(server.address(), options(), SERVICE), serving);
    match link.unwrap_err() {
        Error::Rejected { refusal, .. } => assert_eq!(refusal.reason, Reason::VersionUnsupported),
        other => panic!("expected a rejection, not {other}"),
    }
}

#[tokio::test]
async fn what_is_no_workyard_server_is_named_so() {
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"", b"\0\0\0\x05\xff"] {
        let server = FakeServer::bind().await;
        let serving = async {
            let mut peer = server.accept().await;
            peer.frame().await.unwrap();
            peer.bytes(answer).await;
        };
        let (link, ()) = tokio::join!(Link::connect(server.address(), options(), SERVICE), serving);
        let error = link.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().contains("is no globaldata-server"), "{error}");
    }
}

#[tokio::test]
async fn nobody_there_is_told_at_once() {
    let address = FakeServer::bind().await.address();
    let error = Link::connect(address.clone(), options(), SERVICE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().starts_with(&format!("cannot reach {address}")), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let server = FakeServer::bind().await;
    let (link, _peer) =
        tokio::join!(Link::connect(server.address(), options(), SERVICE), server.accept());
    let error = link.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("no welcome within"), "{error}");
}

#[tokio::test]
async fn a_hello_that_no_server_takes_is_not_sent() {
    let mut options = Options::default();
    options.name = "n".repeat(20_000);
    let address = FakeServer::bind().await.address();
    let error = Link::connect(address, options, SERVICE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_unix_socket_is_as_good() {
    let path = std::env::temp_dir().join(format!("workyard-link-{}.sock", std::process::id()));
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let address = format!("unix://{}", path.display()).parse().unwrap();
    let serving = async {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        workyard_protocol::ToClient::<Unread<'_>, Unread<'_>>::Welcome(a_welcome())
            .encode(&mut bytes);
        stream.write_all(&bytes).await.unwrap();
        stream
    };
    let (link, _stream) = tokio::join!(Link::connect(address, options(), SERVICE), serving);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(link.unwrap().server().unwrap().epoch, 7);
}
