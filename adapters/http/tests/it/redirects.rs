//! Where redirects lead, and what goes along.

use crate::server::{Asked, Server, ok, redirect, respond};
use futures_util::stream;
use workyard_http::header::{HeaderName, HeaderValue};
use workyard_http::{ErrorKind, HeaderMap, Http, Method, Options};
use workyard_testbed::Port;

/// `/307/PATH` redirects there with that status; all else is the end.
fn script(asked: &Asked) -> Vec<crate::server::Step> {
    let (status, rest) = asked.target[1..].split_once('/').unwrap_or_default();
    match status.parse() {
        Ok(status) => redirect(status, &format!("/{rest}")),
        Err(_) => ok("end"),
    }
}

#[tokio::test]
async fn methods_and_bodies_go_along_as_the_status_says() {
    let cases = [
        (Method::POST, 301, "GET", false),
        (Method::POST, 302, "GET", false),
        (Method::POST, 303, "GET", false),
        (Method::PUT, 303, "GET", false),
        (Method::PUT, 302, "PUT", true),
        (Method::POST, 307, "POST", true),
        (Method::POST, 308, "POST", true),
        (Method::HEAD, 303, "HEAD", true),
    ];
    for (method, status, expected, kept) in cases {
        let server = Server::start(script).await;
        let http = Http::new().unwrap();
        let request = http.request(method.clone(), server.url(&format!("/{status}/end")));
        let request = request.json(&7).header("X-Own", "1");
        let response = request.send().await.unwrap();
        assert_eq!(response.url().path(), "/end");
        let last = server.asked().pop().unwrap();
        assert_eq!(last.method, expected, "{method} {status}");
        assert_eq!(last.text(), if kept { "7" } else { "" }, "{method} {status}");
        assert_eq!(last.header("content-type").is_some(), kept, "{method} {status}");
        assert_eq!((last.header("x-own"), server.connections()), (Some("1"), 1));
    }
}

#[tokio::test]
async fn a_chain_is_followed_to_its_limit() {
    let server = Server::start(script).await;
    let http = Http::new().unwrap();
    let five = server.url("/302/307/308/301/303/end");
    assert_eq!(http.get(&five).send().await.unwrap().text().unwrap(), "end");
    assert_eq!((server.count(), http.stats().succeeded), (6, 6));
    let six = server.url("/302/302/302/302/302/302/end");
    let error = http.get(&six).send().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("302")));
    assert!(error.to_string().contains("too many redirects"), "{error}");
    assert_eq!(server.count(), 12);
    let error = http.get(&five).redirects_max(4).send().await.unwrap_err();
    assert!(error.to_string().contains("too many redirects"), "{error}");
    let itself = http.get(&five).redirects_max(0).send().await.unwrap();
    assert_eq!((itself.status().as_u16(), itself.text().unwrap()), (302, "elsewhere"));
}

#[tokio::test]
async fn secrets_stay_with_their_host_and_do_not_come_back() {
    let other = Server::start(script).await;
    let elsewhere = other.url("/end");
    let server = Server::start(move |asked| match &*asked.target {
        "/away" => redirect(307, &elsewhere),
        _ => script(asked),
    })
    .await;
    let back = server.url("/end");
    let http = Http::new().unwrap();
    let post = || {
        let mut key = HeaderValue::from_static("key");
        key.set_sensitive(true);
        let marked = HeaderMap::from_iter([(HeaderName::from_static("x-api-key"), key)]);
        let post = http.post(server.url("/away")).body("shop").bearer("secret").headers(marked);
        post.header("Cookie", "id=7").header("X-Own", "1").header("Proxy-Authorization", "p")
    };
    post().send().await.unwrap();
    let there = other.only();
    assert_eq!((there.text(), there.header("x-own")), ("shop", Some("1")));
    for name in ["authorization", "cookie", "proxy-authorization", "x-api-key"] {
        assert_eq!(there.header(name), None, "{name}");
        assert!(server.only().header(name).is_some(), "{name}");
    }
    let returning = Server::start(move |_| redirect(307, &back)).await;
    let through = returning.url("/");
    let first = Server::start(move |_| redirect(307, &through)).await;
    http.get(first.url("/")).bearer("secret").send().await.unwrap();
    assert_eq!(server.asked().last().unwrap().header("authorization"), None);
}

#[tokio::test]
async fn the_user_of_the_base_is_not_shown_elsewhere() {
    let other = Server::start(script).await;
    let elsewhere = other.url("/end").replace("http://", "http://you:own@");
    let server = Server::start(move |_| redirect(302, &elsewhere)).await;
    let http = Http::open(&format!("http://me:secret@{}", server.address)).unwrap();
    http.get("x").send().await.unwrap();
    assert!(server.only().header("authorization").is_some());
    assert_eq!(other.only().header("authorization"), None);
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_good_is_refused() {
    let server = Server::start(|asked| redirect(302, &asked.target[1..])).await;
    let http = Http::new().unwrap();
    for location in ["ftp://h/", "file:///etc/passwd", "http://["] {
        let url = format!("http://{}/{location}", server.address);
        let error = http.get(url).send().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("302")), "{location}");
        assert!(error.to_string().contains("the redirect leads to"), "{error}");
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn a_body_that_was_a_stream_is_not_sent_again() {
    let server = Server::start(script).await;
    let http = Http::new().unwrap();
    let body = || stream::iter([Ok::<_, std::io::Error>("ab"), Ok("cd")]);
    let post = |path| http.post(server.url(path)).stream_body(body());
    let error = post("/307/end").send().await.unwrap_err();
    assert!(error.to_string().contains("that was a stream"), "{error}");
    assert_eq!(server.only().text(), "abcd");
    assert_eq!(post("/303/end").send().await.unwrap().text().unwrap(), "end");
}

#[tokio::test]
async fn what_fails_behind_a_redirect_may_have_been_carried_out_before_it() {
    let port = Port::free();
    let nobody = format!("http://127.0.0.1:{}/", port.number());
    let server = Server::start(move |asked| match &*asked.target {
        "/gone" => respond("500 Broken", "", ""),
        "/long" => ok("a long answer"),
        target => redirect(target[1..4].parse().unwrap(), target[4..].trim_start_matches('=')),
    })
    .await;
    let http = Http::open("http://h?response_bytes_max=9&attempts_max=1").unwrap();
    let ask = async |method: &Method, path: String| {
        let sent = http.request(method.clone(), server.url(&path)).send().await;
        sent.and_then(|response| response.error_for_status()).unwrap_err()
    };
    for (method, open) in
        [(Method::POST, true), (Method::PUT, true), (Method::PATCH, true), (Method::GET, false)]
    {
        for status in [301, 302, 303, 307] {
            let cases = [
                (nobody.as_str(), ErrorKind::Unreachable),
                ("/long", ErrorKind::TooLarge),
                ("/gone", ErrorKind::Server),
                ("/302ftp://h", ErrorKind::Server),
            ];
            for (location, kind) in cases {
                let error = ask(&method, format!("/{status}={location}")).await;
                let said = (error.kind(), error.outcome_unknown());
                assert_eq!(said, (kind, open), "{method} {status} {location}: {error}");
            }
        }
        let refused = ask(&method, "/302ftp://h".to_owned()).await;
        assert!(!refused.outcome_unknown(), "it has answered: {refused}");
    }
}

#[tokio::test]
async fn each_hop_is_a_call_to_its_host() {
    let other = Server::start(script).await;
    let elsewhere = other.url("/end");
    let server = Server::start(move |_| redirect(302, &elsewhere)).await;
    let mut options = Options::default();
    options.calls.calls_max = 1;
    let http = Http::with(options).unwrap();
    http.get(server.url("/")).stream().await.unwrap().into_body().chunk().await.unwrap();
    let stats = http.stats_by_host();
    assert_eq!(stats.len(), 2);
    for stats in stats.values() {
        assert_eq!((stats.succeeded, stats.calls), (1, 0));
    }
}

#[tokio::test]
async fn all_hops_together_have_the_time_of_a_call() {
    let server = Server::start(|_| {
        let pause = crate::server::Step::Pause(std::time::Duration::from_millis(20));
        [vec![pause], redirect(302, "/")].concat()
    })
    .await;
    let url = "http://h?request_timeout=900ms&call_timeout=1s&redirects_max=1000";
    let http = Http::open(url).unwrap();
    let started = std::time::Instant::now();
    let error = http.get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(started.elapsed() < workyard_testbed::PATIENCE);
    assert!(server.count() >= 2, "{}", server.count());
}
