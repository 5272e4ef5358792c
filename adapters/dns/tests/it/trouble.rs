//! Servers that are not there, do not answer, or answer with nonsense.

use crate::options;
use crate::relay::{Mode, Relay};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};
use workyard_dns::{Dns, ErrorKind, Options};
use workyard_testbed::{Dnsmasq, Port, eventually};

const SHOP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const SHOP_6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

async fn shop() -> Dnsmasq {
    Dnsmasq::setup().host("shop.test", SHOP).start().await
}

fn quick(server: impl std::fmt::Display) -> Options {
    let mut options = options(server);
    options.calls.request_timeout = Duration::from_millis(300);
    options.calls.connect_timeout = Duration::from_millis(300);
    options
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_asked_three_times_and_not_waited_for() {
    let server = shop().await;
    let relay = Relay::to(server.address()).await;
    let dns = Dns::with(quick(relay.address)).unwrap();
    dns.resolve("shop.test").await.unwrap();
    relay.set(Mode::Drop);
    let (before, started) = (relay.questions(), Instant::now());
    let error = dns.resolve("shop.test").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let taken = started.elapsed();
    assert!(taken >= Duration::from_millis(890), "{taken:?}");
    assert!(taken < Duration::from_secs(9), "{taken:?}");
    assert_eq!(dns.stats().repeated, 2);
    assert!(relay.questions() - before >= 3);
    let error = dns.ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    relay.set(Mode::Pass);
    assert_eq!(dns.resolve("shop.test").await.unwrap(), SHOP);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_again() {
    let server = shop().await;
    let relay = Relay::to(server.address()).await;
    let dns = Dns::with(quick(relay.address)).unwrap();
    relay.set(Mode::Drop);
    let again = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        relay.set(Mode::Pass);
    };
    let (answer, ()) = tokio::join!(dns.resolve("shop.test"), again);
    assert_eq!(answer.unwrap(), SHOP);
}

#[tokio::test]
async fn addresses_of_one_version_do_not_wait_for_those_of_the_other() {
    let server = both().await;
    for (late, found) in [(28, IpAddr::from(SHOP)), (1, IpAddr::from(SHOP_6))] {
        let relay = Relay::to(server.address()).await;
        relay.set(Mode::DelayType(late, Duration::from_secs(60)));
        // All attempts take 15 s.
        let dns = Dns::with(options(relay.address)).unwrap();
        let started = Instant::now();
        assert_eq!(dns.addresses("shop.test").await.unwrap(), [found]);
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn addresses_that_came_late_are_there_the_next_time() {
    let server = both().await;
    let relay = Relay::to(server.address()).await;
    relay.set(Mode::DelayType(28, Duration::from_secs(1)));
    let dns = Dns::with(options(relay.address)).unwrap();
    assert_eq!(dns.addresses("shop.test").await.unwrap(), [SHOP]);
    eventually("both are kept", async || dns.cache_stats().entries == 2).await;
    let all = [IpAddr::from(SHOP), IpAddr::from(SHOP_6)];
    assert_eq!(dns.addresses("shop.test").await.unwrap(), all);
    assert_eq!((dns.stats().succeeded, dns.stats().cancelled), (2, 0));
}

async fn both() -> Dnsmasq {
    Dnsmasq::setup().host("shop.test", SHOP).host("shop.test", SHOP_6).ttl(60).start().await
}

#[tokio::test]
async fn nobody_there() {
    let port = Port::free();
    let mut options = quick(format!("127.0.0.1:{}", port.number()));
    // A datagram that nobody wants is not given back.
    for (tcp, kind) in [(false, ErrorKind::TimedOut), (true, ErrorKind::Unreachable)] {
        options.tcp = tcp;
        let dns = Dns::with(options.clone()).unwrap();
        let error = dns.resolve("shop.test").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.is_transient());
        assert_eq!(dns.stats().repeated, 2);
        dns.ready().await.unwrap_err();
    }
}

#[tokio::test]
async fn a_server_that_is_killed_and_comes_back_is_found_again() {
    let mut server = shop().await;
    let dns = Dns::with(quick(server.address())).unwrap();
    dns.resolve("shop.test").await.unwrap();
    server.process.kill().await;
    dns.resolve("shop.test").await.unwrap_err();
    server.process.start_again().await;
    for _ in 0..10 {
        assert_eq!(dns.resolve("shop.test").await.unwrap(), SHOP);
    }
}

#[tokio::test]
async fn another_server_answers_where_one_is_down() {
    let (server, gone) = (shop().await, Port::free());
    let mut options = quick(format!("127.0.0.1:{}", gone.number()));
    let third = Port::free();
    options.servers = vec![format!("127.0.0.1:{}", third.number()), server.address().to_string()];
    options.servers_at_once = 3;
    options.cache_entries_max = 0;
    let dns = Dns::with(options).unwrap();
    for _ in 0..10 {
        assert_eq!(dns.resolve("shop.test").await.unwrap(), SHOP);
    }
    assert_eq!(dns.stats().repeated, 0, "nobody waits for those that are down");
}

#[tokio::test]
async fn a_server_that_has_failed_is_asked_again_and_one_that_refuses_is_not() {
    let server = shop().await;
    for (code, repeated, transient) in [(2, 2, true), (4, 0, false), (5, 0, false)] {
        let relay = Relay::to(server.address()).await;
        relay.set(Mode::Code(code));
        let dns = Dns::with(quick(relay.address)).unwrap();
        let error = dns.resolve("shop.test").await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some(&*code.to_string())));
        assert_eq!((dns.stats().repeated, error.is_transient()), (repeated, transient), "{error}");
        assert_eq!(dns.cache_stats().entries, 0);
        dns.ready().await.unwrap();
    }
}

#[tokio::test]
async fn nonsense_is_no_answer() {
    let server = shop().await;
    let relay = Relay::to(server.address()).await;
    relay.set(Mode::Garble);
    let dns = Dns::with(quick(relay.address)).unwrap();
    let error = dns.resolve("shop.test").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    relay.set(Mode::Pass);
    assert_eq!(dns.resolve("shop.test").await.unwrap(), SHOP);
}

#[tokio::test]
async fn servers_that_are_down_are_left_alone_and_what_is_kept_is_still_there() {
    let server = Dnsmasq::setup().host("shop.test", SHOP).ttl(60).start().await;
    let relay = Relay::to(server.address()).await;
    let mut options = quick(relay.address);
    options.calls.request_timeout = Duration::from_secs(1);
    options.calls.retry.attempts_max = 1;
    options.calls.breaker.failures_max = 3;
    let dns = Dns::with(options).unwrap();
    dns.resolve("shop.test").await.unwrap();
    relay.set(Mode::Drop);
    for number in 0..3 {
        let error = dns.resolve(&format!("h{number}.test")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
    let error = dns.resolve("h3.test").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    assert_eq!(dns.resolve("shop.test").await.unwrap(), SHOP);
    relay.set(Mode::Pass);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(dns.resolve("h3.test").await.unwrap_err().code(), Some("3"));
}

#[tokio::test]
async fn what_is_closed_ends_in_order() {
    let server = shop().await;
    let relay = Relay::to(server.address()).await;
    relay.set(Mode::Delay(Duration::from_millis(100)));
    let dns = Dns::with(options(relay.address)).unwrap();
    let (answer, ended) = tokio::join!(dns.resolve("shop.test"), dns.close());
    assert_eq!((answer.unwrap().to_string().as_str(), ended), ("192.0.2.1", true));
    let error = dns.resolve("shop.test").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}
