//! A POST to https:// reaches who is trusted, and nobody else.

use crate::support::Folder;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Answers each request with 204, by a certificate for this name; tells what was asked for.
fn serve(issuer: &Issuer, name: &str) -> (u16, Receiver<String>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate: CertificateDer<'_> = params.signed_by(&key, issuer).unwrap().der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (send, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, stream.unwrap());
            let (mut request, mut bytes) = (String::new(), [0; 4096]);
            // Who does not trust hangs up before anything is asked for.
            while !request.contains("\"count\":1}") {
                match stream.read(&mut bytes) {
                    Ok(length) if length > 0 => {
                        request.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
                    }
                    _ => break,
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 204 Well\r\nContent-Length: 0\r\n\r\n");
            if send.send(request).is_err() {
                return;
            }
        }
    });
    (port, requests)
}

#[test]
fn a_post_goes_to_who_has_a_certificate_of_the_authority_that_is_named() {
    let folder = Folder::new();
    let (ours, other) = (authority(), authority());
    folder.write("../ca.pem", &ours.pem());
    for (issuer, name, event, part) in [
        (&ours, "127.0.0.1", "acted", "204"),
        (&ours, "one.test", "action-failed", "not safe: invalid peer certificate"),
        (&other, "127.0.0.1", "action-failed", "not safe: invalid peer certificate"),
    ] {
        let (port, requests) = serve(issuer, name);
        let url = format!("https://127.0.0.1:{port}/changed");
        let settings = format!(
            "paths = [\"p\"]\n[[actions]]\npost = {{ url = \"{url}\", ca = \"ca.pem\" }}\n"
        );
        folder.write("../m.toml", &settings);
        let mut daemon = folder.follow(&["--config", "../m.toml"]);
        folder.write("a", &settings);
        daemon.until("changed");
        let said = daemon.expect(event).to_string();
        assert!(said.contains(part), "{name}: {said}");
        let request = requests.recv_timeout(crate::support::PATIENCE).unwrap();
        assert_eq!(
            request.starts_with("POST /changed HTTP/1.1\r\n"),
            event == "acted",
            "{request}"
        );
    }
}

#[test]
fn a_file_without_certificates_is_said_at_the_start() {
    let folder = Folder::new();
    folder.write("../m.toml", "paths = [\"p\"]\n[[actions]]\npost = { url = \"https://127.0.0.1:1/\", ca = \"ca.pem\" }\n");
    for text in ["", "no certificate"] {
        folder.write("../ca.pem", text);
        let mut daemon = folder.start(&["--config", "../m.toml"]);
        assert_eq!(daemon.wait().code(), Some(1));
        assert!(daemon.errors().join(" ").contains("ca.pem"));
    }
}
