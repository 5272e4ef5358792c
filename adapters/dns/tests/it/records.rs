//! Records of every type, as dnsmasq has them.

use crate::dns;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use workyard_dns::{Dns, ErrorKind, RData, RecordType};
use workyard_testbed::{Dnsmasq, DnsmasqSetup};

fn shop() -> DnsmasqSetup {
    Dnsmasq::setup()
        .host("shop.test", Ipv4Addr::new(192, 0, 2, 1))
        .host("shop.test", Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))
        .host("six.test", Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 6))
        .cname("www.test", "shop.test")
        .mx("test", "mail2.test", 20)
        .mx("test", "mail1.test", 10)
        .txt("shop.test", "v=spf1 -all")
        .srv("_shop._tcp.test", "b.test", 81, 2, 0)
        .srv("_shop._tcp.test", "a.test", 80, 1, 5)
        .option("caa-record=shop.test,0,issue,ca.example")
}

#[tokio::test]
async fn hosts_have_addresses() {
    let server = shop().start().await;
    let dns = dns(&server);
    dns.ready().await.unwrap();
    let (four, six): (IpAddr, IpAddr) =
        ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
    assert_eq!(dns.resolve("shop.test").await.unwrap(), four);
    assert_eq!(dns.resolve("SHOP.Test.").await.unwrap(), four);
    assert_eq!(dns.resolve("www.test").await.unwrap(), four, "through its other name");
    assert_eq!(dns.resolve("six.test").await.unwrap().to_string(), "2001:db8::6");
    assert_eq!(dns.addresses("shop.test").await.unwrap(), [four, six]);
    assert_eq!(dns.addresses("six.test").await.unwrap().len(), 1);
    for literal in ["192.0.2.77", "2001:db8::77"] {
        let address: IpAddr = literal.parse().unwrap();
        assert_eq!(dns.resolve(literal).await.unwrap(), address);
        assert_eq!(dns.addresses(literal).await.unwrap(), [address]);
    }
}

#[tokio::test]
async fn an_address_of_several_is_taken_at_random() {
    let many = (1..=8).fold(Dnsmasq::setup(), |setup, last| {
        setup.host("many.test", Ipv4Addr::new(192, 0, 2, last))
    });
    let server = many.ttl(60).start().await;
    let dns = dns(&server);
    let mut seen = HashSet::new();
    for _ in 0..500 {
        seen.insert(dns.resolve("many.test").await.unwrap());
    }
    assert_eq!(seen.len(), 8);
    assert_eq!(server.queries("A", "many.test"), 1);
}

#[tokio::test]
async fn records_of_every_type_are_found() {
    let server = shop().start().await;
    let dns = dns(&server);
    assert_eq!(dns.mail_servers("test").await.unwrap(), ["mail1.test", "mail2.test"]);
    assert_eq!(dns.texts("shop.test").await.unwrap(), ["v=spf1 -all"]);
    assert_eq!(dns.reverse([192, 0, 2, 1].into()).await.unwrap(), ["shop.test"]);
    let six = "2001:db8::1".parse().unwrap();
    assert_eq!(dns.reverse(six).await.unwrap(), ["shop.test"]);
    let services = dns.services("_shop._tcp.test").await.unwrap();
    let services: Vec<_> = services.iter().map(|it| (&*it.host, it.port)).collect();
    assert_eq!(services, [("a.test", 80), ("b.test", 81)]);
    let types = [
        ("shop.test", RecordType::A, "192.0.2.1"),
        ("shop.test", RecordType::AAAA, "2001:db8::1"),
        ("www.test", RecordType::CNAME, "shop.test."),
        ("shop.test", RecordType::CAA, "0 issue \"ca.example\""),
        ("shop.test", RecordType::TXT, "v=spf1 -all"),
    ];
    for (name, record_type, expected) in types {
        let records = dns.resolve_all(name, record_type).await.unwrap();
        assert_eq!(records.iter().map(RData::to_string).collect::<Vec<_>>(), [expected]);
    }
    let whole = dns.lookup("www.test", RecordType::A).await.unwrap();
    assert_eq!(whole.answers().len(), 2, "with the name in between");
    assert_eq!(dns.resolve_all("www.test", RecordType::A).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_zone_has_its_beginning_and_its_servers() {
    let server = zone().start().await;
    let dns = dns(&server);
    let soa = dns.resolve_all("zone.test", RecordType::SOA).await.unwrap();
    assert!(soa[0].to_string().contains("hostmaster.zone.test"), "{soa:?}");
    let servers = dns.resolve_all("zone.test", RecordType::NS).await.unwrap();
    assert_eq!(servers[0].to_string(), "ns.zone.test.");
}

/// A zone of which dnsmasq is the authority, so that it says how long there is nothing.
pub(crate) fn zone() -> DnsmasqSetup {
    Dnsmasq::setup()
        .host("shop.zone.test", Ipv4Addr::new(192, 0, 2, 1))
        .option("auth-server=ns.zone.test,127.0.0.1")
        .option("auth-zone=zone.test,192.0.2.0/24")
        .option("auth-soa=1,hostmaster.zone.test")
        .option("auth-ttl=60")
}

#[tokio::test]
async fn what_is_not_there_has_the_code_of_the_answer() {
    let server = shop().start().await;
    let dns = dns(&server);
    let cases = [
        ("nobody.test", RecordType::A, "3"),
        ("shop.test", RecordType::MX, "0"),
        ("other.example", RecordType::A, "5"),
    ];
    for (name, record_type, code) in cases {
        let error = dns.resolve_all(name, record_type).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some(code)), "{error}");
        assert!(!error.is_transient());
        let place = format!("dns {}: {record_type}: ", server.address());
        assert!(error.to_string().starts_with(&place), "{error}");
    }
    assert_eq!(dns.resolve("nobody.test").await.unwrap_err().code(), Some("3"));
    assert_eq!(dns.addresses("nobody.test").await.unwrap_err().code(), Some("3"));
    assert_eq!(dns.reverse([192, 0, 2, 99].into()).await.unwrap_err().kind(), ErrorKind::Server);
    assert_eq!(dns.resolve("").await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert_eq!(dns.resolve(&"x".repeat(70)).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert_eq!(dns.stats().repeated, 0);
}

#[tokio::test]
async fn an_answer_that_is_too_long_for_a_datagram_is_asked_for_by_tcp() {
    let many = (0..200).fold(Dnsmasq::setup(), |setup, number| {
        setup.txt("long.test", &format!("{number} {}", "x".repeat(100)))
    });
    let server = many.start().await;
    let texts = dns(&server).texts("long.test").await.unwrap();
    assert_eq!(texts.len(), 200);
    assert_eq!(server.queries("TXT", "long.test"), 2, "by UDP, and by TCP");
    let mut options = crate::options(server.address());
    options.tcp = true;
    let by_tcp = Dns::with(options).unwrap();
    assert_eq!(by_tcp.texts("long.test").await.unwrap().len(), 200);
    assert_eq!(server.queries("TXT", "long.test"), 3);
}

#[tokio::test]
async fn names_that_are_not_whole_are_looked_for_in_domains() {
    let server = shop().start().await;
    let mut options = crate::options(server.address());
    options.search = vec!["elsewhere.test".to_owned(), "test".to_owned()];
    let dns = Dns::with(options).unwrap();
    assert_eq!(dns.resolve("shop").await.unwrap().to_string(), "192.0.2.1");
}
