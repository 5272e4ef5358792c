//! TLS, with certificates of an authority of our own.

use crate::peer::{Peer, until};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use workyard_worker::protocols::{Http, Text, WebSocket};
use workyard_worker::{Address, Client, ConnectionState, Tls, Worker, embedded::serve_while};

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, folder: tempfile::tempdir().unwrap() }
    }

    /// Writes a certificate for a name and its key to files of that name.
    fn issue(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let path = |kind: &str| self.folder.path().join(format!("{name}.{kind}"));
        std::fs::write(path("crt"), certificate.pem()).unwrap();
        std::fs::write(path("key"), key.serialize_pem()).unwrap();
        (path("crt"), path("key"))
    }

    /// Says hello to a name; returns the answer and the certificate that was shown.
    async fn greet(&self, address: &Address, name: &str) -> std::io::Result<(String, Vec<u8>)> {
        let mut peer = self.connect(address, name).await?;
        let shown = peer.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        peer.write_all(b"hello\n").await?;
        peer.flush().await?;
        let mut answer = [0; 6];
        peer.read_exact(&mut answer).await?;
        Ok((String::from_utf8_lossy(&answer).into_owned(), shown))
    }

    async fn connect(
        &self,
        address: &Address,
        name: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address.endpoint.to_string()).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

fn echo(tls: Tls) -> Worker<Text> {
    Worker::<Text>::bind("ssl://127.0.0.1:0")
        .tls(tls)
        .on_message(async |connection, line| connection.send(line))
}

fn names(path: &Path) -> Vec<u8> {
    let pem = std::fs::read(path).unwrap();
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_slice(&pem).unwrap().to_vec()
}

#[test]
fn each_name_is_shown_its_certificate() {
    let authority = Authority::new();
    let (first, first_key) = authority.issue("one.test");
    let (second, second_key) = authority.issue("two.test");
    let tls = Tls::from_files(&first, first_key).for_name("two.test", &second, second_key);
    let served = serve_while(echo(tls), async |address| {
        for (name, path) in [("one.test", &first), ("two.test", &second)] {
            let (answer, shown) = authority.greet(&address, name).await.unwrap();
            assert_eq!(answer, "hello\n");
            assert_eq!(shown, names(path));
        }
        // The first is shown, and is not for this name.
        assert!(authority.greet(&address, "three.test").await.is_err());
    });
    served.unwrap();
}

#[test]
fn who_speaks_no_tls_is_cut_off_alone() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("one.test");
    let served = serve_while(echo(Tls::from_files(certificate, key)), async |address| {
        let mut plain = Peer::connect(&address).await;
        plain.send("hello\n").await;
        // An alert, and not what was sent.
        assert!(!plain.rest().await.ends_with(b"hello\n"));
        let silent = Peer::connect(&address).await;
        let (answer, _) = authority.greet(&address, "one.test").await.unwrap();
        assert_eq!(answer, "hello\n");
        drop(silent);
    });
    served.unwrap();
}

#[test]
fn certificates_are_replaced_while_it_runs_unless_they_are_no_good() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("one.test");
    let before = names(&certificate);
    let tls = Tls::from_files(&certificate, &key).check_every(Duration::from_millis(20));
    let served = serve_while(echo(tls), async |address| {
        let shown = async || authority.greet(&address, "one.test").await.unwrap().1;
        assert_eq!(shown().await, before);
        std::fs::write(&certificate, "nonsense").unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(shown().await, before);
        authority.issue("one.test");
        let after = names(&certificate);
        for _ in 0..500 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if shown().await == after {
                return;
            }
        }
        panic!("the new certificate is not shown");
    });
    served.unwrap();
}

#[test]
fn what_is_missing_for_tls_is_said_at_the_start() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("one.test");
    let (_, other_key) = authority.issue("two.test");
    let missing = authority.folder.path().join("missing");
    for (worker, expected) in [
        (Worker::<Text>::bind("ssl://127.0.0.1:0"), "needs certificates"),
        (echo(Tls::from_files(&missing, &key)), "no PEM certificate"),
        (echo(Tls::from_files(&certificate, &missing)), "no PEM private key"),
        (echo(Tls::from_files(&key, &key)), "there is no certificate in it"),
        (echo(Tls::from_files(&certificate, &other_key)), "does not go with"),
    ] {
        let error = serve_while(worker, async |_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn http_and_websocket_go_over_tls() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("one.test");
    let tls = || Tls::from_files(&certificate, &key);
    let hello = Worker::<Http>::bind("https://127.0.0.1:0")
        .tls(tls())
        .on_message(async |connection, _| connection.send("hello"));
    let served = serve_while(hello, async |address| {
        let mut peer = authority.connect(&address, "one.test").await.unwrap();
        peer.write_all(b"GET / HTTP/1.1\r\nHost: one.test\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        peer.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"));
    });
    served.unwrap();

    let echo = Worker::<WebSocket>::bind("wss://127.0.0.1:0")
        .tls(tls())
        .on_message(async |connection, message| connection.send(message));
    let served = serve_while(echo, async |address| {
        let mut peer = authority.connect(&address, "one.test").await.unwrap();
        let handshake = "GET / HTTP/1.1\r\nHost: one.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        peer.write_all(handshake.as_bytes()).await.unwrap();
        peer.write_all(b"\x81\x85\0\0\0\0hello\x88\x82\0\0\0\0\x03\xe8").await.unwrap();
        let mut answer = Vec::new();
        peer.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 101 "));
        assert!(answer.ends_with(b"\x81\x05hello\x88\x02\x03\xe8"), "{answer:?}");
    });
    served.unwrap();
}

#[test]
fn clients_speak_tls_with_those_that_they_trust() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (certificates, key) = authority.issue("one.test");
    let trusted = authority.folder.path().join("trusted.pem");
    std::fs::write(&trusted, authority.issuer.pem()).unwrap();
    let untrusted = other.folder.path().join("trusted.pem");
    std::fs::write(&untrusted, other.issuer.pem()).unwrap();
    let echo = Worker::<WebSocket>::bind("wss://127.0.0.1:0")
        .tls(Tls::from_files(certificates, key))
        .on_message(async |connection, message| connection.send(message));
    let served = serve_while(echo, async |address| {
        let url = format!("wss://{}/path", address.endpoint);
        let log: Rc<RefCell<Vec<String>>> = Rc::default();
        for (trusted, name) in
            [(&trusted, "one.test"), (&trusted, "two.test"), (&untrusted, "one.test")]
        {
            let (message, error) = (Rc::clone(&log), Rc::clone(&log));
            let client = Client::<WebSocket>::to(&url)
                .trust(trusted)
                .server_name(name)
                .on_message(async move |client, heard| {
                    message.borrow_mut().push(format!("{heard:?}"));
                    client.close();
                })
                .on_error(async move |_, failed| error.borrow_mut().push(failed.to_string()))
                .connect()
                .unwrap();
            client.send("hello");
            until(|| client.state() == ConnectionState::Closed).await;
        }
        let log = log.borrow();
        assert_eq!(log[0], r#"Text("hello")"#);
        assert!(log[1].contains("certificate not valid for name"), "{log:?}");
        assert!(log[2].contains("invalid peer certificate: BadSignature"), "{log:?}");
        let nothing = Client::<WebSocket>::to(&url).trust("/nowhere").connect().unwrap_err();
        assert!(nothing.to_string().starts_with("/nowhere: "), "{nothing}");
    });
    served.unwrap();
}

#[test]
fn a_peer_that_ends_without_notice_is_answered_all_the_same() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("one.test");
    let served = serve_while(echo(Tls::from_files(certificate, key)), async |address| {
        let mut peer = authority.connect(&address, "one.test").await.unwrap();
        peer.write_all(b"hello\n").await.unwrap();
        peer.flush().await.unwrap();
        peer.get_mut().0.shutdown().await.unwrap();
        let mut answer = [0; 6];
        peer.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"hello\n");
    });
    served.unwrap();

    let (certificate, key) = authority.issue("two.test");
    let hello = Worker::<Http>::bind("https://127.0.0.1:0")
        .tls(Tls::from_files(certificate, key))
        .on_message(async |connection, _| connection.send("hello"));
    let served = serve_while(hello, async |address| {
        let mut peer = authority.connect(&address, "two.test").await.unwrap();
        peer.write_all(b"GET / HTTP/1.1\r\nHost: two.test\r\n\r\n").await.unwrap();
        peer.flush().await.unwrap();
        peer.get_mut().0.shutdown().await.unwrap();
        let mut answer = [0; 15];
        peer.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
    });
    served.unwrap();
}
