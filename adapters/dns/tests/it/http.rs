//! The hosts of HTTP requests, found by this.

use crate::dns;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use workyard_http::{ErrorKind, Http};
use workyard_testbed::Dnsmasq;

#[tokio::test]
async fn requests_go_where_it_says() {
    let server = Dnsmasq::setup().host("shop.test", Ipv4Addr::LOCALHOST).start().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell").await.unwrap();
    });
    let mut options = workyard_http::Options::default();
    options.resolver = Some(Arc::new(dns(&server)));
    let http = Http::with(options).unwrap();
    let response = http.get(format!("http://shop.test:{port}/")).send().await.unwrap();
    assert_eq!(response.text().unwrap(), "well");
    answering.await.unwrap();
    let error = http.get("http://nobody.test/").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("NXDOMAIN"), "{error}");
}
