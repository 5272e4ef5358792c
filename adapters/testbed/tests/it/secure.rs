//! Connections with TLS, as a client that trusts one authority.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use workyard_testbed::Authority;

/// Connects as a client without a certificate.
pub(crate) async fn connect(
    address: SocketAddr,
    authority: &Authority,
) -> io::Result<TlsStream<TcpStream>> {
    handshake(
        address,
        ClientConfig::builder().with_root_certificates(roots(authority)).with_no_client_auth(),
    )
    .await
}

/// Connects as the client of the authority.
pub(crate) async fn connect_as_client(
    address: SocketAddr,
    authority: &Authority,
) -> io::Result<TlsStream<TcpStream>> {
    let client = authority.client();
    let certificate = CertificateDer::from_pem_file(&client.certificate).unwrap();
    let key = PrivateKeyDer::from_pem_file(&client.key).unwrap();
    let builder = ClientConfig::builder().with_root_certificates(roots(authority));
    handshake(address, builder.with_client_auth_cert(vec![certificate], key).unwrap()).await
}

/// Says something and returns as many bytes of the answer.
pub(crate) async fn ask(
    stream: &mut TlsStream<TcpStream>,
    question: &[u8],
    length: usize,
) -> io::Result<Vec<u8>> {
    let mut answer = vec![0; length];
    stream.write_all(question).await?;
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

async fn handshake(address: SocketAddr, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::from(address.ip());
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn roots(authority: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes());
    roots.add(certificate.unwrap()).unwrap();
    roots
}
