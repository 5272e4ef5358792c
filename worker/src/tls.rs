//! TLS of a listening worker: certificates, chosen by the name that the peer asks for, read again when they change.

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

/// How often files are looked at unless it is said.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// Certificates and their keys, as PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    files: Vec<Files>,
    protocols: Vec<Vec<u8>>,
    check_every: Duration,
}

/// One certificate.
#[derive(Clone, Debug)]
struct Files {
    /// Names that it is for; none: for all that no other is for.
    names: Vec<String>,
    certificates: PathBuf,
    key: PathBuf,
}

/// Why TLS cannot be spoken.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A key is not that of its certificate, or of a kind that is not supported.
    #[error("{key} does not go with {certificates}: {reason}")]
    Key {
        /// The certificate's file.
        certificates: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        reason: rustls::Error,
    },
    /// There is no protocol version that both the settings and the library have.
    #[error("TLS cannot be set up: {0}")]
    Config(rustls::Error),
}

impl Tls {
    /// A certificate, with those that vouch for it behind it, and its key.
    pub fn from_files(certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let first = Files { names: Vec::new(), certificates: certificates.into(), key: key.into() };
        Self { files: vec![first], protocols: Vec::new(), check_every: CHECK_EVERY }
    }

    /// Another one for a name that peers ask for (SNI). All other names get the first.
    #[must_use]
    pub fn for_name(
        mut self,
        name: impl Into<String>,
        certificates: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        let names = vec![name.into().to_ascii_lowercase()];
        self.files.push(Files { names, certificates: certificates.into(), key: key.into() });
        self
    }

    /// Says which protocols may be spoken inside (ALPN), the preferred first.
    #[must_use]
    pub fn protocols<const N: usize>(mut self, protocols: [&str; N]) -> Self {
        self.protocols = protocols.map(|name| name.as_bytes().to_vec()).into();
        self
    }

    /// How often to look whether the files have changed; every 10 s unless said.
    #[must_use]
    pub fn check_every(mut self, period: Duration) -> Self {
        self.check_every = period;
        self
    }

    /// Reads the files.
    pub(crate) fn load(self) -> Result<Certificates, TlsError> {
        let loaded = RwLock::new(Loaded::read(&self.files)?);
        Ok(Certificates(Arc::new(Inner { tls: self, loaded })))
    }
}

/// Certificates in use.
#[derive(Clone, Debug)]
pub(crate) struct Certificates(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tls: Tls,
    loaded: RwLock<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    /// In the order of the files.
    keys: Vec<Arc<CertifiedKey>>,
    changed: Vec<Option<SystemTime>>,
}

impl Certificates {
    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().map_err(TlsError::Config)?;
        let resolver = Arc::clone(&self.0);
        let mut config = config.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols.clone_from(&self.0.tls.protocols);
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    pub(crate) fn check_every(&self) -> Duration {
        self.0.tls.check_every
    }

    /// Reads the files again if they have changed. Returns whether they had. What was read before stays if they
    /// are no good now.
    pub(crate) fn refresh(&self) -> Result<bool, TlsError> {
        let files = &self.0.tls.files;
        let known = self.0.loaded.read().unwrap_or_else(PoisonError::into_inner).changed.clone();
        if changed(files) == known {
            return Ok(false);
        }
        let loaded = Loaded::read(files)?;
        *self.0.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }
}

impl ResolvesServerCert for Inner {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let wanted = hello.server_name().unwrap_or_default();
        let is_wanted = |files: &Files| files.names.iter().any(|name| covers(name, wanted));
        let at = self.tls.files.iter().position(is_wanted).unwrap_or(0);
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.keys.get(at).cloned()
    }
}

impl Loaded {
    fn read(files: &[Files]) -> Result<Self, TlsError> {
        // First the times: what changes meanwhile is seen the next time.
        let changed = changed(files);
        let keys =
            files.iter().map(|files| files.read().map(Arc::new)).collect::<Result<_, _>>()?;
        Ok(Self { keys, changed })
    }
}

impl Files {
    fn read(&self) -> Result<CertifiedKey, TlsError> {
        let Self { certificates, key, .. } = self;
        let bad = |path: &Path, reason: String| TlsError::File { path: path.to_owned(), reason };
        let chain = CertificateDer::pem_file_iter(certificates)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| bad(certificates, format!("no PEM certificate: {error}")))?;
        if chain.is_empty() {
            return Err(bad(certificates, "there is no certificate in it".to_owned()));
        }
        let secret = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| bad(key, format!("no PEM private key: {error}")))?;
        let provider = aws_lc_rs::default_provider();
        CertifiedKey::from_der(chain, secret, &provider).map_err(|reason| TlsError::Key {
            certificates: certificates.clone(),
            key: key.clone(),
            reason,
        })
    }
}

fn changed(files: &[Files]) -> Vec<Option<SystemTime>> {
    let time = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    files.iter().flat_map(|files| [time(&files.certificates), time(&files.key)]).collect()
}

/// `*.example.org` covers one more label.
fn covers(name: &str, wanted: &str) -> bool {
    let parent = |name: &str| name.split_once('.').map(|(_, parent)| parent.to_owned());
    let is_below = |below: &str| parent(wanted).is_some_and(|it| it.eq_ignore_ascii_case(below));
    name.eq_ignore_ascii_case(wanted) || name.strip_prefix("*.").is_some_and(is_below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cover_themselves_and_one_label() {
        for (name, wanted, expected) in [
            ("example.org", "example.org", true),
            ("example.org", "EXAMPLE.org", true),
            ("example.org", "www.example.org", false),
            ("*.example.org", "www.example.org", true),
            ("*.example.org", "a.b.example.org", false),
            ("*.example.org", "example.org", false),
        ] {
            assert_eq!(covers(name, wanted), expected, "{name} {wanted}");
        }
    }
}
