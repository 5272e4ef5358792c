//! Whom to trust on the other side, and who to be.

use crate::error::{Error, ErrorKind};
use crate::service_url::ServiceUrl;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Whom to trust, and who to be. By default whom the machine trusts, and nobody in particular.
///
/// Certificates are always checked. One that nobody signed can be named as `ca`, if it does not say of itself that
/// it is an authority (`CA:FALSE`): what authorities sign are others' certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the certificates to trust, instead of those that the machine trusts.
    pub ca: Option<PathBuf>,
    /// PEM file with the certificate to show, and those between it and its authority.
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key of `certificate`.
    pub key: Option<PathBuf>,
}

/// The text of a PEM file.
pub type Pem = Vec<u8>;

impl Tls {
    /// Takes over what a URL says: `tls_ca`, `tls_certificate` and `tls_key`.
    pub fn take_from(&mut self, url: &mut ServiceUrl) {
        let files = [
            ("tls_ca", &mut self.ca),
            ("tls_certificate", &mut self.certificate),
            ("tls_key", &mut self.key),
        ];
        for (name, place) in files {
            if let Some(path) = url.take_text(name) {
                *place = Some(path.into());
            }
        }
    }

    /// Refuses files where TLS is not spoken, so that nobody takes a plain connection for a secure one.
    ///
    /// # Errors
    /// When a file is named; `secure` is the scheme that would be right.
    pub fn refuse(&self, scheme: &str, secure: &str) -> Result<(), Error> {
        if *self == Self::default() {
            return Ok(());
        }
        let message = format!("tls files are of no use with {scheme}://; write {secure}://");
        Err(Error::new(ErrorKind::InvalidOptions, message))
    }

    /// The configuration of a rustls client, with the provider of this process (aws-lc-rs where none is
    /// installed; it is installed then).
    ///
    /// # Errors
    /// When a file cannot be read or does not hold what it should.
    pub fn client_config(&self) -> Result<ClientConfig, Error> {
        install_provider();
        let config = ClientConfig::builder().with_root_certificates(self.roots()?);
        let Some((certificate, key)) = self.identity()? else {
            return Ok(config.with_no_client_auth());
        };
        let chain = certificates(certificate)?;
        let secret =
            PrivateKeyDer::from_pem_file(key).map_err(|error| wrong("key", key, &error))?;
        config
            .with_client_auth_cert(chain, secret)
            .map_err(|error| wrong("certificate", certificate, &error))
    }

    /// The PEM text of whom to trust, for drivers that read it themselves.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn ca_pem(&self) -> Result<Option<Pem>, Error> {
        self.ca.as_deref().map(|path| read("ca", path)).transpose()
    }

    /// The PEM texts of the certificate to show and of its key, for drivers that read them themselves.
    ///
    /// # Errors
    /// When there is one without the other, or one cannot be read.
    pub fn identity_pem(&self) -> Result<Option<(Pem, Pem)>, Error> {
        let Some((certificate, key)) = self.identity()? else { return Ok(None) };
        Ok(Some((read("certificate", certificate)?, read("key", key)?)))
    }

    fn identity(&self) -> Result<Option<(&Path, &Path)>, Error> {
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) => Ok(None),
            _ => {
                let message =
                    "tls: a certificate needs its key and a key its certificate; give both";
                Err(Error::new(ErrorKind::InvalidOptions, message))
            }
        }
    }

    /// The certificates to trust, for drivers that make a configuration of their own.
    ///
    /// # Errors
    /// When the file cannot be read, or this machine trusts nobody.
    pub fn trusted(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        if let Some(path) = &self.ca {
            return certificates(path);
        }
        let mut trusted = rustls_native_certs::load_native_certs();
        // Machines also trust what nobody can read any more.
        trusted.certs.retain(|it| RootCertStore::empty().add(it.clone()).is_ok());
        if trusted.certs.is_empty() {
            let first = trusted.errors.first();
            let why = first.map_or_else(|| "there are none".to_owned(), ToString::to_string);
            let message = format!(
                "tls: the certificates that this machine trusts cannot be read ({why}); install \
                 ca-certificates, or name a file as tls.ca"
            );
            return Err(Error::new(ErrorKind::InvalidOptions, message));
        }
        Ok(trusted.certs)
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in self.trusted()? {
            let added = roots.add(certificate);
            let path = self.ca.as_deref().unwrap_or(Path::new("this machine"));
            added.map_err(|error| wrong("ca", path, &error))?;
        }
        Ok(roots)
    }
}

/// Makes aws-lc-rs the provider of this process, where there is none yet.
fn install_provider() {
    // An error says that there is one already.
    let _ = aws_lc_rs::default_provider().install_default();
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|error| wrong("certificates", path, &error))?
        .collect();
    let found = found.map_err(|error| wrong("certificates", path, &error))?;
    if found.is_empty() {
        return Err(wrong("certificates", path, &"there are none in it"));
    }
    Ok(found)
}

fn read(what: &str, path: &Path) -> Result<Pem, Error> {
    std::fs::read(path).map_err(|error| wrong(what, path, &error))
}

fn wrong(what: &str, path: &Path, reason: &dyn Display) -> Error {
    let message = format!("tls: {what} from {}: {reason}", path.display());
    Error::new(ErrorKind::InvalidOptions, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn files_become_a_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = file(folder.path(), "c.pem", &made.cert.pem());
        let key = file(folder.path(), "k.pem", &made.signing_key.serialize_pem());
        let tls = Tls { ca: Some(certificate.clone()), ..Tls::default() };
        assert_eq!(tls.trusted().unwrap(), [made.cert.der().clone()]);
        assert!(!tls.client_config().unwrap().client_auth_cert_resolver.has_certs());
        let tls = Tls { certificate: Some(certificate), key: Some(key), ..tls };
        assert!(tls.client_config().unwrap().client_auth_cert_resolver.has_certs());
        let (certificate, key) = tls.identity_pem().unwrap().unwrap();
        assert!(certificate.starts_with(b"-----BEGIN CERTIFICATE"));
        assert!(key.starts_with(b"-----BEGIN PRIVATE KEY"));
    }

    #[test]
    fn a_file_that_will_not_do_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let empty = file(folder.path(), "empty.pem", "");
        let said = |tls: Tls| tls.client_config().unwrap_err().to_string();
        let text = said(Tls { ca: Some(empty.clone()), ..Tls::default() });
        assert!(text.ends_with("empty.pem: there are none in it"), "{text}");
        let text = said(Tls { ca: Some(folder.path().join("none.pem")), ..Tls::default() });
        assert!(text.contains("none.pem: "), "{text}");
        let text = said(Tls { key: Some(empty), ..Tls::default() });
        assert!(text.ends_with("give both"), "{text}");
    }

    #[test]
    fn files_without_tls_are_refused() {
        Tls::default().refuse("redis", "rediss").unwrap();
        let tls = Tls { ca: Some("/a".into()), ..Tls::default() };
        let error = tls.refuse("redis", "rediss").unwrap_err();
        assert_eq!(error.to_string(), "tls files are of no use with redis://; write rediss://");
    }

    #[test]
    fn a_url_names_the_files() {
        let mut url = ServiceUrl::parse("rediss://h?tls_ca=/a&tls_key=/k", &["rediss"]).unwrap();
        let mut tls = Tls::default();
        tls.take_from(&mut url);
        assert_eq!((tls.ca, tls.key), (Some("/a".into()), Some("/k".into())));
        assert_eq!(tls.certificate, None);
    }
}
