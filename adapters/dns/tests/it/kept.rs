//! What is kept, and for how long.

use crate::records::zone;
use crate::{dns, options};
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::time::sleep;
use workyard_dns::{Dns, RecordType};
use workyard_testbed::Dnsmasq;

fn many(count: u8) -> workyard_testbed::DnsmasqSetup {
    (0..count).fold(Dnsmasq::setup(), |setup, number| {
        setup.host(&format!("h{number}.test"), Ipv4Addr::new(192, 0, 2, number))
    })
}

#[tokio::test]
async fn an_answer_is_kept_for_as_long_as_it_holds() {
    let server = many(1).ttl(1).start().await;
    let dns = dns(&server);
    for _ in 0..10 {
        dns.resolve("h0.test").await.unwrap();
    }
    assert_eq!(server.queries("A", "h0.test"), 1);
    assert_eq!((dns.cache_stats().entries, dns.cache_stats().hits), (1, 9));
    assert_eq!(dns.stats().succeeded, 1);
    sleep(Duration::from_millis(1100)).await;
    dns.resolve("h0.test").await.unwrap();
    assert_eq!(server.queries("A", "h0.test"), 2);
    dns.clear_cache();
    assert_eq!(dns.cache_stats().entries, 0);
    dns.resolve("h0.test").await.unwrap();
    assert_eq!(server.queries("A", "h0.test"), 3);
}

#[tokio::test]
async fn the_times_have_bounds() {
    let zero = many(1).ttl(0).start().await;
    let dns = dns(&zero);
    for _ in 0..3 {
        dns.resolve("h0.test").await.unwrap();
    }
    assert_eq!(zero.queries("A", "h0.test"), 3, "it does not hold at all");
    let mut longer = options(zero.address());
    longer.ttl_min = Duration::from_secs(60);
    let dns = Dns::with(longer).unwrap();
    for _ in 0..3 {
        dns.resolve("h0.test").await.unwrap();
    }
    assert_eq!(zero.queries("A", "h0.test"), 4);
    let long = many(1).ttl(3600).start().await;
    let mut shorter = options(long.address());
    shorter.ttl_max = Duration::from_millis(200);
    let dns = Dns::with(shorter).unwrap();
    dns.resolve("h0.test").await.unwrap();
    sleep(Duration::from_millis(300)).await;
    dns.resolve("h0.test").await.unwrap();
    assert_eq!(long.queries("A", "h0.test"), 2);
}

#[tokio::test]
async fn so_many_answers_are_kept_and_no_more() {
    let server = many(20).ttl(60).start().await;
    let mut options = options(server.address());
    options.cache_entries_max = 5;
    let dns = Dns::with(options).unwrap();
    for number in 0..20 {
        dns.resolve(&format!("h{number}.test")).await.unwrap();
    }
    assert_eq!(dns.cache_stats().entries, 5);
    dns.resolve("h19.test").await.unwrap();
    dns.resolve("h0.test").await.unwrap();
    assert_eq!((server.queries("A", "h19.test"), server.queries("A", "h0.test")), (1, 2));
}

#[tokio::test]
async fn that_there_is_nothing_is_kept_where_the_server_says_for_how_long() {
    let authority = zone().start().await;
    let asks = async |dns: &Dns, name: &str| {
        let error = dns.resolve_all(name, RecordType::A).await.unwrap_err();
        error.code().unwrap().to_owned()
    };
    let dns = dns(&authority);
    for _ in 0..5 {
        assert_eq!(asks(&dns, "nobody.zone.test").await, "3");
    }
    assert_eq!(dns.cache_stats().hits, 4);
    assert_eq!(dns.stats().failed["server"], 1);
    let mut options = options(authority.address());
    options.negative_ttl_max = Duration::ZERO;
    let forgetful = Dns::with(options).unwrap();
    asks(&forgetful, "nobody.zone.test").await;
    asks(&forgetful, "nobody.zone.test").await;
    assert_eq!(forgetful.stats().failed["server"], 2);
    let plain = Dnsmasq::setup().start().await;
    let dns = crate::dns(&plain);
    asks(&dns, "nobody.test").await;
    asks(&dns, "nobody.test").await;
    assert_eq!(dns.cache_stats().entries, 0, "it has not said for how long");
}
