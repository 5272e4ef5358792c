//! Bodies that come and go piece by piece.

use crate::server::{Server, Step, ok, write};
use futures_util::{StreamExt, stream};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use workyard_http::{ErrorKind, Http, Options};
use workyard_testbed::eventually;

const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// One call at a time, and nobody waits.
fn single(chunk_timeout: Duration) -> Http {
    let mut options = Options::default();
    options.chunk_timeout = chunk_timeout;
    options.calls.calls_max = 1;
    options.calls.waiting_max = 0;
    options.calls.retry.backoff.first = Duration::from_millis(1);
    Http::with(options).unwrap()
}

#[tokio::test]
async fn a_response_comes_piece_by_piece() {
    let pause = Step::Pause(Duration::from_millis(50));
    let server = Server::start(move |_| {
        let pieces =
            [write(HEAD), write("3\r\nabc\r\n"), pause.clone(), write("2\r\nde\r\n0\r\n\r\n")];
        pieces.to_vec()
    })
    .await;
    let http = single(Duration::from_secs(9));
    let told = Arc::new(AtomicU64::new(0));
    let tell = Arc::clone(&told);
    let get =
        http.get(server.url("/")).progress(move |bytes, _| tell.store(bytes, Ordering::SeqCst));
    let mut streamed = get.stream().await.unwrap();
    assert_eq!(
        (streamed.status().as_u16(), streamed.header("transfer-encoding")),
        (200, Some("chunked"))
    );
    assert_eq!(streamed.chunk().await.unwrap().unwrap(), "abc");
    assert_eq!(told.load(Ordering::SeqCst), 3);
    let rest: Vec<_> = streamed.into_body().collect().await;
    assert_eq!(rest.len(), 1);
    assert_eq!(*rest[0].as_ref().unwrap(), "de");
    assert_eq!((told.load(Ordering::SeqCst), http.stats().calls), (5, 0));
}

#[tokio::test]
async fn a_stream_takes_its_place_until_its_end() {
    let server = Server::start(|asked| match &*asked.target {
        "/endless" => vec![write("HTTP/1.1 200 OK\r\n\r\n"), Step::WriteForEver],
        _ => ok("x"),
    })
    .await;
    let http = single(Duration::from_secs(9));
    let get = async || http.get(server.url("/")).send().await;
    let mut streamed = http.get(server.url("/endless")).stream().await.unwrap();
    streamed.chunk().await.unwrap().unwrap();
    assert_eq!(get().await.unwrap_err().kind(), ErrorKind::Busy);
    drop(streamed);
    get().await.unwrap();
    eventually("the connection has ended", async || server.open() <= 1).await;
    let mut streamed = http.get(server.url("/")).stream().await.unwrap();
    assert_eq!(get().await.unwrap_err().kind(), ErrorKind::Busy);
    while streamed.chunk().await.unwrap().is_some() {}
    get().await.unwrap();
}

#[tokio::test]
async fn a_stream_that_pauses_for_too_long_ends() {
    let server = Server::start(|_| {
        vec![write(HEAD), write("3\r\nabc\r\n"), Step::Pause(Duration::from_secs(60))]
    })
    .await;
    let http = single(Duration::from_millis(200));
    let mut streamed = http.get(server.url("/")).stream().await.unwrap();
    streamed.chunk().await.unwrap().unwrap();
    let started = Instant::now();
    let error = streamed.chunk().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let place = format!("http {}: GET: nothing came for 200ms", server.address);
    assert_eq!(error.to_string(), place);
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(streamed.chunk().await.unwrap(), None);
    assert_eq!(http.stats().calls, 0);
}

#[tokio::test]
async fn a_caller_that_takes_its_time_is_no_pause_of_the_server() {
    let server = Server::start(|_| {
        let pause = Step::Pause(Duration::from_millis(500));
        vec![write(HEAD), write("3\r\nabc\r\n"), pause, write("1\r\nd\r\n0\r\n\r\n")]
    })
    .await;
    let http = single(Duration::from_millis(400));
    let mut streamed = http.get(server.url("/")).stream().await.unwrap();
    streamed.chunk().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert_eq!(streamed.chunk().await.unwrap().unwrap(), "d");
}

#[tokio::test]
async fn a_stream_that_is_cut_says_so() {
    let server = Server::start(|_| vec![write(HEAD), write("3\r\nabc\r\n"), Step::Cut]).await;
    let http = single(Duration::from_secs(9));
    let mut streamed = http.get(server.url("/")).stream().await.unwrap();
    let error = loop {
        match streamed.chunk().await {
            Ok(piece) => assert_eq!(piece.unwrap(), "abc"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert_eq!((http.stats().calls, server.count()), (0, 1));
}

#[tokio::test]
async fn a_stream_may_have_a_limit() {
    let server = Server::start(|_| ok(vec![b'x'; 1 << 20])).await;
    let http = single(Duration::from_secs(9));
    let mut streamed =
        http.get(server.url("/")).response_bytes_max(100_000).stream().await.unwrap();
    let error = loop {
        if let Err(error) = streamed.chunk().await {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let mut bytes = 0;
    let mut streamed = http.get(server.url("/")).stream().await.unwrap();
    while let Some(piece) = streamed.chunk().await.unwrap() {
        bytes += piece.len();
    }
    assert_eq!(bytes, 1 << 20);
}

#[tokio::test]
async fn a_request_goes_piece_by_piece() {
    let server = Server::start(|asked| ok(asked.body.len().to_string())).await;
    let http = single(Duration::from_secs(9));
    let pieces = (0..1000).map(|_| Ok::<_, io::Error>(vec![b'x'; 1000]));
    let pieces = stream::iter(pieces).then(async |piece| {
        tokio::task::yield_now().await;
        piece
    });
    let response = http.put(server.url("/")).stream_body(pieces.boxed()).send().await.unwrap();
    assert_eq!(response.text().unwrap(), "1000000");
    assert_eq!(server.only().header("transfer-encoding"), Some("chunked"));
}

#[tokio::test]
async fn a_request_whose_body_fails_fails_with_that() {
    let server = Server::start(|_| ok("")).await;
    let http = single(Duration::from_secs(9));
    let pieces = [Ok("ab"), Err(io::Error::other("the disk is gone"))];
    let error =
        http.put(server.url("/")).stream_body(stream::iter(pieces)).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("the disk is gone"), "{error}");
    assert!(error.outcome_unknown() && !error.is_transient());
    assert_eq!(server.count(), 0);
    http.get(server.url("/")).send().await.unwrap();
}
