//! TLS: whom to trust, and who to be.

use crate::server::{Server, ok};
use bytes::Bytes;
use http_body_util::Full;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use workyard_http::{ErrorKind, Http, Options, Version, reqwest};
use workyard_testbed::Authority;

/// Shows the authority's certificate, and wants one of a client where that is said.
pub(crate) fn acceptor(authority: &Authority, wants_client: bool) -> TlsAcceptor {
    TlsAcceptor::from(Arc::new(server_config(authority, wants_client)))
}

fn server_config(authority: &Authority, wants_client: bool) -> ServerConfig {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.certificate()).unwrap()).unwrap();
    let verifier = match wants_client {
        true => WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap(),
        false => WebPkiClientVerifier::no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_file(&authority.server().certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&authority.server().key).unwrap();
    let config = ServerConfig::builder().with_client_cert_verifier(verifier);
    config.with_single_cert(chain, key).unwrap()
}

fn trusting(authority: &Authority) -> Options {
    let mut options = Options::default();
    options.tls.ca = Some(authority.certificate());
    options
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_named() {
    let authority = Authority::new();
    let server = Server::start_tls(acceptor(&authority, false), |_| ok("x")).await;
    let http = Http::with(trusting(&authority)).unwrap();
    for url in [server.url("/"), server.url("/").replace("127.0.0.1", "localhost")] {
        let response = http.get(url).send().await.unwrap();
        assert_eq!((response.text().unwrap(), response.version()), ("x", Version::HTTP_11));
    }
    for stranger in [Http::with(trusting(&Authority::new())).unwrap(), Http::new().unwrap()] {
        let error = stranger.get(server.url("/")).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(!error.is_transient() && !error.outcome_unknown());
        assert_eq!(stranger.stats().repeated, 0);
    }
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let server = Server::start_tls(acceptor(&authority, false), |_| ok("x")).await;
    let http = Http::with(trusting(&authority)).unwrap();
    let by_other_name = format!("https://localhost.localdomain:{}/", server.address.port());
    let mut options = trusting(&authority);
    options.resolver = Some(Arc::new(Here(server.address)));
    let error = Http::with(options).unwrap().get(&by_other_name).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    http.get(server.url("/")).send().await.unwrap();
    assert_eq!(server.count(), 1);
}

/// Every name is here.
struct Here(std::net::SocketAddr);

impl workyard_http::Resolve for Here {
    fn resolve(&self, _name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let addresses: reqwest::dns::Addrs = Box::new(std::iter::once(self.0));
        Box::pin(async { Ok(addresses) })
    }
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_it() {
    let authority = Authority::new();
    let server = Server::start_tls(acceptor(&authority, true), |_| ok("x")).await;
    let client = authority.client();
    let url = format!(
        "{}?tls_ca={}&tls_certificate={}&tls_key={}",
        server.url(""),
        authority.certificate().display(),
        client.certificate.display(),
        client.key.display()
    );
    let http = Http::open(&url).unwrap();
    http.ready().await.unwrap();
    let error =
        Http::with(trusting(&authority)).unwrap().get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_port_without_tls_is_told_from_one_with() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
    });
    let error = Http::with(trusting(&authority)).unwrap().get(url).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(!error.outcome_unknown());
    answering.await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_answered_by_an_alert_may_have_been_carried_out() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let acceptor = acceptor(&authority, false);
    let answering = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        let head = crate::server::read_head(&mut stream).await.unwrap();
        let (tcp, tls) = stream.get_mut();
        // A record that cannot be decrypted is what this TLS answers with an alert.
        tls.read_tls(&mut [&[23, 3, 3, 0, 32][..], &[7; 32]].concat().as_slice()).unwrap();
        tls.process_new_packets().unwrap_err();
        let mut alert = Vec::new();
        tls.write_tls(&mut alert).unwrap();
        tcp.write_all(&alert).await.unwrap();
        tcp.shutdown().await.unwrap();
        let _ = tcp.read_to_end(&mut Vec::new()).await;
        head
    });
    let error = Http::with(trusting(&authority)).unwrap().post(url).send().await.unwrap_err();
    assert!(error.to_string().contains("TLS: received fatal alert"), "{error}");
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
    assert!(answering.await.unwrap().starts_with("POST / "));
}

#[tokio::test]
async fn where_the_server_offers_http_2_requests_share_a_connection() {
    let authority = Authority::new();
    let mut config = server_config(&authority, false);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (acceptor, listener) =
        (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    let serving = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let stream = acceptor.accept(stream).await.unwrap();
            tokio::spawn(serve_http_2(TokioIo::new(stream)));
        }
    });
    let http = Http::with(trusting(&authority)).unwrap();
    http.get(&url).send().await.unwrap();
    for response in http.batch((0..200).map(|_| http.post(&url).body("7")), 50).await {
        let response = response.unwrap();
        assert_eq!((response.version(), response.text().unwrap()), (Version::HTTP_2, "well"));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    serving.abort();
}

async fn serve_http_2(stream: TokioIo<TlsStream<TcpStream>>) {
    let answer = service_fn(async |_| {
        let body = Full::new(Bytes::from_static(b"well"));
        Ok::<_, Infallible>(hyper::Response::new(body))
    });
    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, answer).await;
}

#[tokio::test]
async fn from_https_to_http_leads_no_redirect_unless_it_may() {
    let authority = Authority::new();
    let plain = Server::start(|_| ok("plain")).await;
    let there = plain.url("/");
    let script = move |_: &_| crate::server::redirect(302, &there);
    let server = Server::start_tls(acceptor(&authority, false), script).await;
    let mut options = trusting(&authority);
    let error = Http::with(options.clone()).unwrap().get(server.url("/")).send().await.unwrap_err();
    assert_eq!((error.kind(), plain.count()), (ErrorKind::Server, 0));
    assert!(error.to_string().contains("https_to_http"), "{error}");
    options.https_to_http = true;
    let http = Http::with(options).unwrap();
    let response = http.get(server.url("/")).bearer("secret").send().await.unwrap();
    assert_eq!(response.text().unwrap(), "plain");
    assert_eq!(plain.only().header("authorization"), None);
}
