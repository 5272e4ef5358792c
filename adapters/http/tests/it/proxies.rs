//! Requests through proxies.

use crate::proxy::Proxy;
use crate::server::{Server, ok};
use crate::tls::acceptor;
use std::process::Command;
use workyard_http::{ErrorKind, Http, Options};
use workyard_testbed::Authority;

#[tokio::test]
async fn what_is_not_secret_is_given_to_the_proxy() {
    // It is asked for whole URLs then, and answers by itself here.
    let proxy = Server::start(|_| ok("from the proxy")).await;
    let http = Http::open(&format!("http://h?proxy=http://me:pw@{}", proxy.address)).unwrap();
    let response = http.get("http://nobody.invalid/x").send().await.unwrap();
    assert_eq!(response.text().unwrap(), "from the proxy");
    let asked = proxy.only();
    assert_eq!(asked.target, "http://nobody.invalid/x");
    assert_eq!(asked.header("proxy-authorization"), Some("Basic bWU6cHc="));
}

#[tokio::test]
async fn what_is_secret_goes_through_a_tunnel() {
    let authority = Authority::new();
    let server = Server::start_tls(acceptor(&authority, false), |_| ok("secret")).await;
    let proxy = Proxy::tunnel(Some("Basic bWU6cHc=")).await;
    let mut options = Options::default();
    options.tls.ca = Some(authority.certificate());
    options.proxy = Some(format!("http://me:pw@{}", proxy.address));
    options.calls.retry.attempts_max = 1;
    let http = Http::with(options.clone()).unwrap();
    assert_eq!(http.get(server.url("/")).send().await.unwrap().text().unwrap(), "secret");
    assert_eq!(proxy.asked(), [server.address.to_string()]);
    assert_eq!(server.only().header("proxy-authorization"), None);
    assert!(!format!("{http:?}").contains("pw"));
    options.proxy = Some(format!("http://me:wrong@{}", proxy.address));
    let http = Http::with(options).unwrap();
    let error = http.get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(!format!("{error} {error:?}").contains("wrong"));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn socks_leads_there_and_a_request_may_name_its_proxy() {
    let server = Server::start(|_| ok("x")).await;
    let (one, other) = (Proxy::socks().await, Proxy::socks().await);
    let http = Http::open(&format!("http://h?proxy=socks5://{}", one.address)).unwrap();
    http.get(server.url("/")).send().await.unwrap();
    let port = server.address.port();
    let by_name = format!("http://localhost:{port}/");
    for _ in 0..3 {
        let get = http.get(&by_name).proxy(format!("socks5h://{}", other.address));
        get.send().await.unwrap();
    }
    assert_eq!(one.asked(), [server.address.to_string()]);
    assert_eq!(other.asked(), [format!("localhost:{port}")]);
    assert_eq!((server.count(), server.connections()), (4, 2));
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_no_way() {
    let gone = Server::start(|_| ok("")).await.address;
    let http = Http::open(&format!("http://h?proxy=http://{gone}&attempts_max=1")).unwrap();
    let error = http.get("http://127.0.0.1:9/").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
}

/// Set for the run of `with_the_environment` in a process of its own.
const SERVER: &str = "WORKYARD_TEST_SERVER";

#[tokio::test]
async fn the_environment_counts_only_where_one_wants_it() {
    let (server, proxy) =
        (Server::start(|_| ok("straight")).await, Server::start(|_| ok("through")).await);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "proxies::with_the_environment"]);
    command.env(SERVER, server.url("/")).env("http_proxy", proxy.url("")).env_remove("no_proxy");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.count(), proxy.count()), (1, 1));
}

/// A part of the test above.
#[tokio::test]
async fn with_the_environment() {
    let Ok(url) = std::env::var(SERVER) else { return };
    for (environment_proxies, expected) in [(false, "straight"), (true, "through")] {
        let mut options = Options::default();
        options.environment_proxies = environment_proxies;
        let response = Http::with(options).unwrap().get(&url).send().await.unwrap();
        assert_eq!(response.text().unwrap(), expected);
    }
}
