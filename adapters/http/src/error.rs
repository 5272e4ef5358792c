//! What errors of the driver come to.

use reqwest::StatusCode;
use rustls::AlertDescription;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use workyard_adapter_kit::{Error, ErrorKind};

/// The body of a request, streamed by the caller, has failed.
#[derive(Debug)]
pub(crate) struct BodyFailed(pub(crate) Box<dyn StdError + Send + Sync>);

impl fmt::Display for BodyFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body of the request has failed: {}", self.0)
    }
}

impl StdError for BodyFailed {}

/// An error of the driver. It says nothing of the URL, which may hold secrets.
pub(crate) fn from_driver(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let (kind, message) = read(&error);
    let made = Error::new(kind, message);
    let made = if never_sent(&error, kind) { made.not_carried_out() } else { made };
    let made = match kind {
        ErrorKind::InvalidRequest if !error.is_builder() => made.outcome_open(),
        _ => made,
    };
    made.with_source(error)
}

/// A status that is an error where somebody says so.
pub(crate) fn from_status(status: StatusCode) -> Error {
    Error::new(ErrorKind::Server, status).with_code(status.as_u16())
}

/// Whether the same request may be answered better a little later.
pub(crate) fn passes(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502..=504)
}

fn never_sent(error: &reqwest::Error, kind: ErrorKind) -> bool {
    error.is_connect() || error.is_builder() || kind == ErrorKind::Unreachable
}

fn read(error: &reqwest::Error) -> (ErrorKind, String) {
    if let Some(failed) = find::<BodyFailed>(error) {
        return (ErrorKind::InvalidRequest, failed.to_string());
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return (tls_kind(tls, error.is_connect()), format!("TLS: {tls}"));
    }
    let root = root(error);
    if error.is_connect() {
        return connecting(error, &root);
    }
    if let Some(http) = find::<hyper::Error>(error)
        && let Some(kind) = http_kind(http)
    {
        return (kind, root);
    }
    let lost =
        find::<io::Error>(error).is_some_and(|error| error.kind() != io::ErrorKind::InvalidData);
    let kind = match () {
        () if error.is_timeout() => ErrorKind::TimedOut,
        () if lost => ErrorKind::Disconnected,
        () if error.is_builder() => ErrorKind::InvalidRequest,
        () if error.is_decode() => ErrorKind::Protocol,
        () => ErrorKind::Disconnected,
    };
    (kind, root)
}

/// No connection was made. What proxies say is text only.
fn connecting(error: &reqwest::Error, root: &str) -> (ErrorKind, String) {
    if error.is_timeout() {
        return (ErrorKind::Unreachable, "no connection in time".to_owned());
    }
    if root.contains("proxy authorization required") {
        let message = "the proxy wants a user and a password, or others".to_owned();
        return (ErrorKind::Refused, message);
    }
    (ErrorKind::Unreachable, format!("no connection: {root}"))
}

/// While it is connected, every alert means that this client is not wanted. Later only those do that are
/// about who it is: TLS 1.3 has them wait until something is read.
fn tls_kind(error: &rustls::Error, is_connecting: bool) -> ErrorKind {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            ErrorKind::Refused
        }
        rustls::Error::AlertReceived(alert) if is_connecting || is_about_clients(*alert) => {
            ErrorKind::Refused
        }
        rustls::Error::AlertReceived(_) => ErrorKind::Disconnected,
        _ => ErrorKind::Protocol,
    }
}

fn is_about_clients(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

fn http_kind(error: &hyper::Error) -> Option<ErrorKind> {
    match () {
        () if error.is_parse_too_large() => Some(ErrorKind::TooLarge),
        () if error.is_parse() => Some(ErrorKind::Protocol),
        () if error.is_timeout() => Some(ErrorKind::TimedOut),
        () if error.is_incomplete_message() || error.is_closed() || error.is_canceled() => {
            Some(ErrorKind::Disconnected)
        }
        () => None,
    }
}

/// The first error of that type, the error itself included. An [`io::Error`] does not name what it wraps as
/// its source, but the source of that.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = inner(error).or_else(|| error.source());
    }
    None
}

/// What the innermost error says: the others repeat that something failed.
fn root(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(next) = inner(last).or_else(|| last.source()) {
        last = next;
    }
    last.to_string()
}

fn inner<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_that_pass_are_few() {
        let passing: Vec<u16> =
            (100..600).filter(|status| passes(StatusCode::from_u16(*status).unwrap())).collect();
        assert_eq!(passing, [429, 502, 503, 504]);
        let error = from_status(StatusCode::NOT_FOUND);
        assert_eq!((error.to_string().as_str(), error.code()), ("404 Not Found", Some("404")));
        assert!(!error.is_transient() && !error.outcome_unknown());
    }

    #[test]
    fn causes_are_found_however_deep() {
        let tls = rustls::Error::General("strange".to_owned());
        let error = io::Error::other(io::Error::other(tls));
        assert!(find::<rustls::Error>(&error).is_some());
        assert!(find::<hyper::Error>(&error).is_none());
        assert_eq!(root(&error), "unexpected error: strange");
        assert_eq!(root(&io::Error::from_raw_os_error(111)), "Connection refused (os error 111)");
    }

    #[test]
    fn certificates_are_told_from_what_is_no_tls() {
        use rustls::{CertificateError, InvalidMessage};
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let plain = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        for is_connecting in [true, false] {
            assert_eq!(tls_kind(&unknown, is_connecting), ErrorKind::Refused);
            assert_eq!(tls_kind(&plain, is_connecting), ErrorKind::Protocol);
        }
    }

    #[test]
    fn an_alert_after_the_request_is_a_refusal_only_when_it_is_about_the_client() {
        use AlertDescription::*;
        let cases = [
            (CertificateRequired, ErrorKind::Refused),
            (UnknownCA, ErrorKind::Refused),
            (AccessDenied, ErrorKind::Refused),
            (HandshakeFailure, ErrorKind::Disconnected),
            (InternalError, ErrorKind::Disconnected),
            (BadRecordMac, ErrorKind::Disconnected),
            (Unknown(200), ErrorKind::Disconnected),
        ];
        for (alert, expected) in cases {
            let error = rustls::Error::AlertReceived(alert);
            assert_eq!(tls_kind(&error, true), ErrorKind::Refused, "{alert:?}");
            assert_eq!(tls_kind(&error, false), expected, "{alert:?}");
        }
    }
}
