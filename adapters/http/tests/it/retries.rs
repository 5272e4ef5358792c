//! What is made again, when, and what never is.

use crate::server::{Server, Step, ok, respond};
use futures_util::stream;
use std::time::{Duration, Instant};
use workyard_http::{ErrorKind, Http, Method, Options, RetryBudget};
use workyard_testbed::eventually;

/// With short waits.
fn options() -> Options {
    let mut options = Options::default();
    options.calls.retry.backoff.first = Duration::from_millis(1);
    options
}

fn http() -> Http {
    Http::with(options()).unwrap()
}

/// Does `first` so many times, and answers then.
async fn troubled(times: usize, first: Vec<Step>) -> Server {
    Server::start(move |asked| if asked.number < times { first.clone() } else { ok("at last") })
        .await
}

#[tokio::test]
async fn statuses_that_pass_are_tried_again() {
    for status in ["429 Slow", "502 Bad", "503 Later", "504 Slow"] {
        let server = troubled(2, respond(status, "", "no")).await;
        let http = http();
        let response = http.get(server.url("/")).send().await.unwrap();
        assert_eq!((response.text().unwrap(), server.count()), ("at last", 3), "{status}");
        assert_eq!((http.stats().repeated, server.connections()), (2, 1));
    }
}

#[tokio::test]
async fn what_does_not_pass_is_the_response_as_it_is() {
    for (status, attempts) in [("503 Later", 3), ("500 Oh", 1), ("404 No", 1), ("501 Never", 1)] {
        let server = troubled(9, respond(status, "X-Id: 7\r\n", "no")).await;
        let response = http().get(server.url("/")).send().await.unwrap();
        assert_eq!((response.text().unwrap(), response.header("x-id")), ("no", Some("7")));
        assert_eq!((response.status().as_str(), server.count()), (&status[..3], attempts));
        let error = response.error_for_status().unwrap_err();
        assert_eq!(error.is_transient(), attempts == 3, "{error}");
    }
}

#[tokio::test]
async fn only_what_may_be_done_twice_is_done_twice() {
    let idempotent = [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS];
    let others = [Method::POST, Method::PATCH];
    for trouble in [respond("503 Later", "", ""), vec![Step::Cut]] {
        let count = async |method: &Method, key: bool, said: bool| {
            let server = troubled(1, trouble.clone()).await;
            let http = http();
            let request = http.request(method.clone(), server.url("/")).body("7");
            let request = if key { request.header("Idempotency-Key", "k") } else { request };
            let request = if said { request.idempotent() } else { request };
            let _ = request.send().await;
            assert!(server.asked().iter().all(|asked| asked.body == b"7"));
            server.count()
        };
        for method in &idempotent {
            assert_eq!(count(method, false, false).await, 2, "{method} {trouble:?}");
        }
        for method in &others {
            assert_eq!(count(method, false, false).await, 1, "{method} {trouble:?}");
            assert_eq!(count(method, true, false).await, 2, "{method} {trouble:?}");
            assert_eq!(count(method, false, true).await, 2, "{method} {trouble:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_is_sent_once() {
    let server = troubled(1, respond("503 Later", "", "no")).await;
    let body = stream::iter([Ok::<_, std::io::Error>("ab")]);
    let response = http().put(server.url("/")).stream_body(body).send().await.unwrap();
    assert_eq!((response.status().as_u16(), server.count()), (503, 1));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_again_and_what_it_answered_is_not_done_twice() {
    let server = troubled(1, vec![Step::Cut]).await;
    let error = http().post(server.url("/")).body("7").send().await.unwrap_err();
    assert_eq!((error.kind(), server.count()), (ErrorKind::Disconnected, 1));
    assert!(error.outcome_unknown());
    let server = troubled(2, vec![Step::Cut]).await;
    assert_eq!(http().get(server.url("/")).send().await.unwrap().text().unwrap(), "at last");
}

#[tokio::test]
async fn a_kept_connection_that_the_server_has_ended_is_no_trouble() {
    let server = Server::start(|_| [ok("x"), vec![Step::End]].concat()).await;
    let http = http();
    for count in 1..=20 {
        http.post(server.url("/")).body("7").send().await.unwrap();
        assert_eq!(server.count(), count);
        eventually("the client has seen the end", async || server.open() == 0).await;
    }
}

#[tokio::test]
async fn a_kept_connection_that_ends_under_a_request_is_repeated_where_that_is_safe() {
    let script = |asked: &crate::server::Asked| match asked.on_connection {
        0 => ok("x"),
        _ => vec![Step::Cut],
    };
    let server = Server::start(script).await;
    let http = http();
    for _ in 0..5 {
        http.get(server.url("/")).send().await.unwrap();
    }
    let before = server.count();
    let error = http.post(server.url("/")).body("7").send().await.unwrap_err();
    assert_eq!((error.kind(), server.count()), (ErrorKind::Disconnected, before + 1));
}

#[tokio::test]
async fn a_server_is_left_alone_as_long_as_it_asks() {
    let server = troubled(1, respond("503 Later", "Retry-After: 1\r\n", "")).await;
    let started = Instant::now();
    assert_eq!(http().get(server.url("/")).send().await.unwrap().status().as_u16(), 200);
    assert!(started.elapsed() >= Duration::from_secs(1));
    let server = troubled(1, respond("429 Slow", "Retry-After: 3600\r\n", "later")).await;
    let started = Instant::now();
    let response = http().get(server.url("/")).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.text().unwrap(), server.count()),
        (429, "later", 1)
    );
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "longer than a call may take: not waited for"
    );
}

#[tokio::test]
async fn attempts_again_have_a_budget() {
    let server = Server::start(|_| respond("503 Later", "", "")).await;
    let mut options = options();
    options.retry_budget = RetryBudget { percent_max: 10, reserve: 5 };
    let http = Http::with(options).unwrap();
    for _ in 0..100 {
        http.get(server.url("/")).send().await.unwrap();
    }
    // 5, and 10 of 100, but the first call has found the reserve full.
    assert_eq!(http.stats().repeated, 14);
    assert_eq!(server.count(), 114);
}

#[tokio::test]
async fn a_stream_that_never_began_is_asked_for_again() {
    let server = troubled(2, respond("503 Later", "", "no")).await;
    let http = http();
    let mut streamed = http.get(server.url("/")).stream().await.unwrap();
    assert_eq!(streamed.chunk().await.unwrap().unwrap(), "at last");
    let server = troubled(9, respond("503 Later", "", "no")).await;
    let mut streamed = http.get(server.url("/")).stream().await.unwrap();
    assert_eq!((streamed.status().as_u16(), server.count()), (503, 3));
    assert_eq!(streamed.chunk().await.unwrap().unwrap(), "no");
    assert_eq!(streamed.chunk().await.unwrap(), None);
}
