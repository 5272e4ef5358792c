//! What goes wrong below a connection, in the words of all adapters.

use std::io;
use tokio_rustls::rustls::{self, AlertDescription};
use workyard_adapter_kit::{Error, ErrorKind};

/// Why there is no connection.
pub(crate) fn unconnected(error: io::Error) -> Error {
    match of_tls(&error) {
        Some(kind) => told(kind, "no secure connection", error),
        None => told(ErrorKind::Unreachable, "no connection", error),
    }
}

/// Why there is no connection any more.
pub(crate) fn lost(error: io::Error) -> Error {
    match of_tls(&error) {
        Some(kind) => told(kind, "the secure connection failed", error),
        None => told(ErrorKind::Disconnected, "the connection was lost", error),
    }
}

/// The broker has closed it.
pub(crate) fn closed_by_peer() -> Error {
    Error::new(ErrorKind::Disconnected, "the broker has closed the connection")
}

/// Why there is no WebSocket.
pub(crate) fn no_web_socket(error: tokio_websockets::Error) -> Error {
    match error {
        tokio_websockets::Error::Io(error) => unconnected(error),
        error => {
            let message = format!("no WebSocket ({error}); look at the path of the URL");
            Error::new(ErrorKind::Refused, message).with_source(error)
        }
    }
}

fn told(kind: ErrorKind, what: &str, error: io::Error) -> Error {
    Error::new(kind, format!("{what} ({error})")).with_source(error)
}

/// An error of TLS: whether one side does not trust the other, or they do not understand each other.
fn of_tls(error: &io::Error) -> Option<ErrorKind> {
    use AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked,
        CertificateUnknown, HandshakeFailure, UnknownCA, UnsupportedCertificate,
    };
    const DISTRUST: [AlertDescription; 9] = [
        AccessDenied,
        BadCertificate,
        CertificateExpired,
        CertificateRequired,
        CertificateRevoked,
        CertificateUnknown,
        HandshakeFailure,
        UnknownCA,
        UnsupportedCertificate,
    ];
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            ErrorKind::Refused
        }
        rustls::Error::AlertReceived(alert) if DISTRUST.contains(alert) => ErrorKind::Refused,
        _ => ErrorKind::Protocol,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::CertificateError::UnknownIssuer;

    #[test]
    fn each_trouble_has_its_kind() {
        let tls = |error: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, error);
        let plain = || io::Error::from(io::ErrorKind::ConnectionReset);
        let alert = |alert| tls(rustls::Error::AlertReceived(alert));
        let strange = || tls(rustls::Error::InvalidCertificate(UnknownIssuer));
        let cases = [
            (unconnected(plain()), ErrorKind::Unreachable, false, true),
            (unconnected(strange()), ErrorKind::Refused, false, false),
            (unconnected(alert(AlertDescription::DecodeError)), ErrorKind::Protocol, true, false),
            (lost(plain()), ErrorKind::Disconnected, true, true),
            (lost(alert(AlertDescription::CertificateRequired)), ErrorKind::Refused, false, false),
            (closed_by_peer(), ErrorKind::Disconnected, true, true),
        ];
        for (error, kind, outcome_unknown, transient) in cases {
            assert_eq!(error.kind(), kind, "{error}");
            assert_eq!(error.outcome_unknown(), outcome_unknown, "{error}");
            assert_eq!(error.is_transient(), transient, "{error}");
        }
    }
}
