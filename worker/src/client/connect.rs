//! Connecting to an address.

use super::proxy::Proxy;
use crate::address::{Address, Endpoint, Transport};
use crate::connection::Ends;
use crate::stream::Stream;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// What is needed to know that the peer is who it should be.
#[derive(Clone)]
pub(super) struct Security {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Security {
    /// Trusts those whose certificates are in a PEM file, to speak for a name.
    pub(super) fn new(trusted: &Path, name: &str) -> Result<Self, String> {
        let wrong = |reason: &dyn std::fmt::Display| format!("{}: {reason}", trusted.display());
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(trusted).map_err(|error| wrong(&error))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
        if roots.is_empty() {
            return Err(wrong(&"no certificates"));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| format!("{name:?} is no name that a certificate can have"))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }
}

/// Who is at the ends of a connection that is not there yet.
pub(super) fn ends(address: &Address) -> Ends {
    Ends { transport: address.transport.name(), local: None, remote: None }
}

/// Connects, to whichever of a name's addresses answers first in order.
pub(super) async fn connect(
    address: &Address,
    proxy: Option<&Proxy>,
    security: Option<Security>,
) -> io::Result<(Stream, Ends)> {
    let ends = ends(address);
    let (host, port) = match (&address.endpoint, address.transport) {
        (Endpoint::Path(path), _) => {
            return Ok((Stream::Unix(UnixStream::connect(path).await?), ends));
        }
        (Endpoint::Inet(..), Transport::Udp) => return Err(io::ErrorKind::Unsupported.into()),
        (Endpoint::Inet(host, port), _) => (host.as_str(), *port),
    };
    let stream = match proxy {
        Some(proxy) => proxy.connect(host, port).await?,
        None => TcpStream::connect((host, port)).await?,
    };
    stream.set_nodelay(true)?;
    let (local, remote) = (stream.local_addr()?, stream.peer_addr()?);
    let ends = Ends { local: Some(local), remote: Some(remote), ..ends };
    let Some(Security { connector, name }) = security else {
        return Ok((Stream::Tcp(stream), ends));
    };
    let stream = connector.connect(name, stream).await?;
    Ok((Stream::Tls(Box::new(stream.into())), ends))
}
