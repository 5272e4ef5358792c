//! Hosts that are not there, do not answer, or answer with nonsense.

use crate::server::{Server, Step, ok, write};
use std::time::{Duration, Instant};
use workyard_http::{ErrorKind, Http, Options};
use workyard_testbed::{Port, Relay};

fn quick() -> Options {
    let mut options = Options::default();
    options.calls.retry.backoff.first = Duration::from_millis(1);
    options.calls.request_timeout = Duration::from_millis(300);
    options.calls.call_timeout = Duration::from_secs(5);
    options
}

fn http() -> Http {
    Http::with(quick()).unwrap()
}

#[tokio::test]
async fn nobody_there() {
    let port = Port::free();
    let http = http();
    let url = format!("http://127.0.0.1:{}/?token=secret", port.number());
    let error = http.post(&url).body("7").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.is_transient() && !error.outcome_unknown());
    assert!(error.to_string().contains("no connection: Connection refused"), "{error}");
    assert_eq!(http.stats().repeated, 2, "nothing was sent, so a POST is tried again, too");
    let unknown = http.get("http://nobody.invalid/").send().await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Unreachable, "{unknown}");
    let shown = format!("{error:?} {:?}", std::error::Error::source(&error));
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_not_waited_for() {
    let server = Server::start(|_| ok("x")).await;
    let relay = Relay::to(server.address).await;
    let http = http();
    let url = format!("http://{}/", relay.address());
    http.get(&url).send().await.unwrap();
    relay.stall();
    for (request, attempts) in [(http.post(&url), 1), (http.get(&url), 3)] {
        let (started, before) = (Instant::now(), http.stats().repeated);
        let error = request.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().contains("no answer within 300ms"), "{error}");
        assert!(error.outcome_unknown());
        let taken = started.elapsed();
        assert!(taken >= Duration::from_millis(300 * attempts), "{taken:?}");
        assert!(taken < Duration::from_secs(4), "{taken:?}");
        assert_eq!(http.stats().repeated - before, attempts - 1);
    }
    relay.pass();
    assert_eq!(http.get(&url).send().await.unwrap().text().unwrap(), "x");
}

#[tokio::test]
async fn a_request_may_have_less_time_or_more() {
    let server = Server::start(|asked| {
        let pause = Duration::from_millis(asked.target[1..].parse().unwrap());
        [vec![Step::Pause(pause)], ok("x")].concat()
    })
    .await;
    let usual = |millis, path| {
        let mut options = quick();
        options.calls.request_timeout = Duration::from_millis(millis);
        options.calls.call_timeout = Duration::from_secs(600);
        Http::with(options).unwrap().post(server.url(path))
    };
    let less = usual(300_000, "/300000").timeout(Duration::from_millis(50));
    assert_eq!(less.send().await.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(server.written(), 0);
    usual(300, "/600").timeout(Duration::from_secs(20)).send().await.unwrap();
}

#[tokio::test]
async fn a_body_that_is_cut_is_no_body() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    for end in [Step::Cut, Step::End] {
        let server = Server::start(move |_| vec![write(half), end.clone()]).await;
        let error = http().post(server.url("/")).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
        assert!(error.outcome_unknown());
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn nonsense_is_no_answer() {
    let server = Server::start(|_| vec![write("220 mail.example ESMTP\r\n\r\n"), Step::End]).await;
    let http = http();
    let error = http.get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(!error.is_transient());
    assert_eq!((server.count(), http.stats().failed["protocol"]), (1, 1));
}

#[tokio::test]
async fn a_host_that_goes_and_comes_back_is_found_again() {
    let port = Port::free();
    let start = || Server::start_at(port.number(), None, |_| ok("x"));
    let server = start().await;
    let http = http();
    let url = server.url("/");
    http.get(&url).send().await.unwrap();
    drop(server);
    tokio::task::yield_now().await;
    let error = http.get(&url).send().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Disconnected), "{error}");
    let server = start().await;
    for _ in 0..20 {
        http.get(&url).send().await.unwrap();
    }
    assert_eq!(server.count(), 20);
}

#[tokio::test]
async fn a_host_that_is_killed_under_a_request_gets_it_again_only_where_that_is_safe() {
    let server = Server::start(|asked| match &*asked.target {
        "/slow" => [vec![Step::Pause(Duration::from_millis(100))], ok("x")].concat(),
        _ => ok("x"),
    })
    .await;
    let relay = Relay::to(server.address).await;
    let http = http();
    let url = format!("http://{}/slow", relay.address());
    relay.cut_answer();
    let error = http.post(&url).body("7").send().await.unwrap_err();
    assert_eq!((error.kind(), server.count()), (ErrorKind::Disconnected, 1));
    relay.cut_answer();
    http.get(&url).send().await.unwrap();
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_host_that_is_down_is_left_alone_and_the_others_are_not() {
    let (port, server) = (Port::free(), Server::start(|_| ok("x")).await);
    let mut options = quick();
    options.calls.retry.attempts_max = 1;
    options.calls.breaker.failures_max = 3;
    options.calls.breaker.open_for = Duration::from_millis(300);
    let http = Http::with(options).unwrap();
    let url = format!("http://127.0.0.1:{}/", port.number());
    let kind = async || http.get(&url).send().await.map(drop).map_err(|error| error.kind());
    for _ in 0..3 {
        assert_eq!(kind().await, Err(ErrorKind::Unreachable));
    }
    assert_eq!(kind().await, Err(ErrorKind::CircuitOpen));
    assert!(http.stats().circuit_open);
    http.get(server.url("/")).send().await.unwrap();
    let _back = Server::start_at(port.number(), None, |_| ok("x")).await;
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(kind().await, Ok(()));
    assert!(!http.stats().circuit_open);
}

#[tokio::test]
async fn what_is_closed_ends_in_order() {
    let server = Server::start(|asked| match &*asked.target {
        "/slow" => [vec![Step::Pause(Duration::from_millis(200))], ok("x")].concat(),
        _ => ok("x"),
    })
    .await;
    let http = Http::new().unwrap();
    http.get(server.url("/")).send().await.unwrap();
    let slow = tokio::spawn(http.get(server.url("/slow")).send());
    workyard_testbed::eventually("it is asked", async || server.count() == 2).await;
    assert!(http.close().await);
    slow.await.unwrap().unwrap();
    for url in [server.url("/"), "http://127.0.0.1:1/".to_owned()] {
        let error = http.get(url).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
    assert_eq!(http.client().unwrap_err().kind(), ErrorKind::Closed);
    workyard_testbed::eventually("connections have ended", async || server.open() == 0).await;
}
