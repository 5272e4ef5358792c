//! TLS for a POST: whom it trusts, and a stream that is safe.

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Why nobody can be trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    #[error("cannot read certificates from {}: {error}", file.display())]
    File { file: PathBuf, error: rustls::pki_types::pem::Error },
    #[error("there is no certificate that can be trusted in {}", file.display())]
    Empty { file: PathBuf },
    #[error(
        "this machine trusts no certificates: install ca-certificates, or name a file as `ca` of the action `post`"
    )]
    Nobody,
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// Trusts the certificates in a PEM file, or those that the machine trusts.
///
/// # Errors
/// When there are none.
pub(crate) fn trust(ca: Option<&Path>) -> Result<ClientConfig, TrustError> {
    let mut roots = RootCertStore::empty();
    let found = match ca {
        Some(file) => read(file)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    // Machines also trust what nobody can read any more.
    roots.add_parsable_certificates(found);
    match ca {
        Some(file) if roots.is_empty() => {
            return Err(TrustError::Empty { file: file.to_owned() });
        }
        None if roots.is_empty() => return Err(TrustError::Nobody),
        _ => {}
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Makes sure that it is `host` who is on the other side.
///
/// # Errors
/// When it is not, or does not speak TLS.
pub(super) async fn secure(
    stream: TcpStream,
    host: &str,
    config: ClientConfig,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let wrong = |error| TrustError::File { file: file.to_owned(), error };
    CertificateDer::pem_file_iter(file).map_err(wrong)?.map(|one| one.map_err(wrong)).collect()
}
