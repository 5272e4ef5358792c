//! A certificate authority of the test's own.

use crate::folder;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// An authority that has signed a certificate of a server and one of a client. Another one is a
/// stranger: whoever trusts this one refuses it. Clones are the same authority; its files stay as
/// long as one of them.
#[derive(Clone, Debug)]
pub struct Authority {
    folder: Arc<TempDir>,
    server: Identity,
    client: Identity,
}

/// The files of a certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Authority {
    /// Makes one, whose server is `localhost` and 127.0.0.1.
    ///
    /// # Panics
    /// When files cannot be written.
    #[must_use]
    pub fn new() -> Self {
        let folder = folder::private();
        let issuer = issuer();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).expect("the folder is ours");
        let server = identity(&folder, &issuer, "server", &["localhost", "127.0.0.1"]);
        let client = identity(&folder, &issuer, "client", &["client"]);
        Self { folder: Arc::new(folder), server, client }
    }

    /// The file of its own certificate: what clients trust.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Its own certificate, as PEM.
    ///
    /// # Panics
    /// When somebody has removed the file.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        fs::read_to_string(self.certificate()).expect("it was written")
    }

    /// What a server shows.
    #[must_use]
    pub fn server(&self) -> &Identity {
        &self.server
    }

    /// What a client shows.
    #[must_use]
    pub fn client(&self) -> &Identity {
        &self.client
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// Names differ, so that a stranger is one that nobody has heard of.
fn issuer() -> CertifiedIssuer<'static, KeyPair> {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut params = params(&[], &format!("Testbed Authority {number}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, key()).expect("the parameters are sound")
}

fn identity(
    folder: &TempDir,
    issuer: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    names: &[&str],
) -> Identity {
    let key = key();
    let certificate =
        params(names, name).signed_by(&key, issuer).expect("the parameters are sound");
    let path = |extension: &str| folder.path().join(format!("{name}.{extension}"));
    let identity = Identity { certificate: path("pem"), key: path("key") };
    fs::write(&identity.certificate, certificate.pem()).expect("the folder is ours");
    fs::write(&identity.key, key.serialize_pem()).expect("the folder is ours");
    identity
}

fn params(names: &[&str], common_name: &str) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("the names are sound");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().expect("there is randomness")
}
