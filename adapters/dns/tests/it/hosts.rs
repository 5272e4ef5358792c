//! The hosts file, and the servers of the system.

use crate::options;
use std::io::Write;
use std::net::Ipv4Addr;
use workyard_dns::{Dns, ErrorKind, Options};
use workyard_testbed::Dnsmasq;

#[tokio::test]
async fn the_hosts_file_comes_first() {
    let server = Dnsmasq::setup().host("shop.test", Ipv4Addr::new(192, 0, 2, 1)).start().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"# ours\n192.0.2.7 shop.test shop\n2001:db8::7 shop.test\n").unwrap();
    let mut options = options(server.address());
    options.hosts = true;
    options.hosts_file = Some(file.path().to_owned());
    let dns = Dns::with(options).unwrap();
    assert_eq!(dns.resolve("shop.test").await.unwrap().to_string(), "192.0.2.7");
    assert_eq!(dns.resolve("Shop").await.unwrap().to_string(), "192.0.2.7");
    assert_eq!(dns.addresses("shop.test").await.unwrap().len(), 2);
    let names = dns.reverse([192, 0, 2, 7].into()).await.unwrap();
    assert!(names.contains(&"shop.test".to_owned()), "{names:?}");
    assert_eq!((server.queries("A", "shop.test"), dns.stats().succeeded), (0, 0));
    let without = crate::dns(&server);
    assert_eq!(without.resolve("shop.test").await.unwrap().to_string(), "192.0.2.1");
}

#[tokio::test]
async fn localhost_is_here_and_nobody_is_asked() {
    let server = Dnsmasq::setup().start().await;
    let dns = crate::dns(&server);
    assert!(dns.resolve("localhost").await.unwrap().is_loopback());
    assert_eq!(dns.resolve("nobody.invalid").await.unwrap_err().code(), Some("3"));
    assert!(!server.process.log().contains("query["), "{}", server.process.log());
}

#[test]
fn what_cannot_work_is_refused_at_once() {
    for url in ["dns://localhost", "dns://192.0.2.1?servers=h", "dns://192.0.2.1?search=a..b"] {
        let error = Dns::open(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{url}");
    }
    let mut options = Options::new("dns://192.0.2.1");
    options.hosts_file = Some("/nowhere/hosts".into());
    let error = Dns::with(options).unwrap_err();
    assert!(error.to_string().contains("/nowhere/hosts"), "{error}");
}

#[tokio::test]
async fn the_servers_of_the_system_are_read() {
    let dns = match Dns::system() {
        Ok(dns) => dns,
        // A machine may have no name server.
        Err(error) => return assert!(error.to_string().contains("/etc/resolv.conf"), "{error}"),
    };
    assert!(dns.resolve("localhost").await.unwrap().is_loopback());
}
