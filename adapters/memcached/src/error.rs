//! What went wrong, in the words of all adapters.

use rustls::AlertDescription;
use std::io;
use workyard_adapter_kit::{Error, ErrorKind};

/// A connection that could not be made.
pub(crate) fn connecting(error: io::Error) -> Error {
    let kind = if is_tls(&error) { ErrorKind::Refused } else { ErrorKind::Unreachable };
    Error::new(kind, format!("no connection: {error}")).with_source(error)
}

/// A request that could not be written to its end: the server cannot carry it out.
pub(crate) fn writing(error: io::Error) -> Error {
    reading(error).not_carried_out()
}

/// An answer that did not come.
pub(crate) fn reading(error: io::Error) -> Error {
    // A server of TLS 1.3 says only after the handshake that it does not want a client. Anything else may
    // happen at any time, and leaves open what has become of a request.
    if is_unwanted(&error) {
        return Error::new(ErrorKind::Refused, format!("no answer: {error}")).with_source(error);
    }
    let message = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        _ => format!("the connection was lost: {error}"),
    };
    Error::new(ErrorKind::Disconnected, message).with_source(error)
}

/// An answer that is none. What was asked for may have been done.
pub(crate) fn misunderstood(what: &str, line: &[u8]) -> Error {
    const SHOWN_MAX: usize = 80;
    let shown = line[..line.len().min(SHOWN_MAX)].escape_ascii();
    Error::new(ErrorKind::Protocol, format!("{what}: \"{shown}\""))
}

/// What the server says when it does not do what it was asked for; none if the line says something else.
pub(crate) fn refusal(line: &str) -> Option<Error> {
    const CREDENTIALS: [&str; 3] =
        ["unauthenticated", "authentication failure", "bad authentication token format"];
    if line == "ERROR" {
        let message = "the server does not know this command";
        return Some(Error::new(ErrorKind::Server, message).with_code("ERROR"));
    }
    let (code, text) = line.split_once(' ')?;
    let error = match code {
        "CLIENT_ERROR" if CREDENTIALS.contains(&text) => Error::new(ErrorKind::Refused, text),
        "CLIENT_ERROR" => Error::new(ErrorKind::Server, text),
        "SERVER_ERROR" if text.starts_with("object too large") => {
            Error::new(ErrorKind::TooLarge, text)
        }
        "SERVER_ERROR" => Error::new(ErrorKind::Server, text).transient(is_passing(text)),
        _ => return None,
    };
    Some(error.with_code(code))
}

fn is_passing(text: &str) -> bool {
    text.starts_with("out of memory")
}

fn is_tls(error: &io::Error) -> bool {
    tls(error).is_some()
}

/// Whether one side does not want the other, for what its certificate says or because it has none.
fn is_unwanted(error: &io::Error) -> bool {
    use AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked,
        CertificateUnknown, NoCertificate, UnknownCA, UnsupportedCertificate,
    };
    match tls(error) {
        Some(rustls::Error::AlertReceived(alert)) => matches!(
            alert,
            AccessDenied
                | BadCertificate
                | CertificateExpired
                | CertificateRequired
                | CertificateRevoked
                | CertificateUnknown
                | NoCertificate
                | UnknownCA
                | UnsupportedCertificate
        ),
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => true,
        _ => false,
    }
}

fn tls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::*;

    #[test]
    fn what_the_server_says() {
        let cases = [
            ("ERROR", Server, "the server does not know this command (ERROR)", false),
            ("CLIENT_ERROR bad data chunk", Server, "bad data chunk (CLIENT_ERROR)", false),
            ("CLIENT_ERROR unauthenticated", Refused, "unauthenticated (CLIENT_ERROR)", false),
            (
                "CLIENT_ERROR authentication failure",
                Refused,
                "authentication failure (CLIENT_ERROR)",
                false,
            ),
            (
                "SERVER_ERROR object too large for cache",
                TooLarge,
                "object too large for cache (SERVER_ERROR)",
                false,
            ),
            (
                "SERVER_ERROR out of memory storing object",
                Server,
                "out of memory storing object (SERVER_ERROR)",
                true,
            ),
        ];
        for (line, kind, text, transient) in cases {
            let error = refusal(line).unwrap();
            assert_eq!((error.kind(), &*error.to_string()), (kind, text));
            assert_eq!((error.is_transient(), error.outcome_unknown()), (transient, false));
        }
        for line in ["STORED", "ERRORS", "ERROR ", "SERVER_ERROR", "server_error x", ""] {
            assert!(refusal(line).is_none(), "{line:?}");
        }
    }

    #[test]
    fn what_the_connection_says() {
        let broken = || io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
        let io = io::Error::from;
        let cases = [
            (connecting(io(io::ErrorKind::ConnectionRefused)), Unreachable, false),
            (connecting(broken()), Refused, false),
            (reading(io(io::ErrorKind::ConnectionReset)), Disconnected, true),
            (reading(io(io::ErrorKind::UnexpectedEof)), Disconnected, true),
            (writing(io(io::ErrorKind::BrokenPipe)), Disconnected, false),
            (misunderstood("what", b"\x00"), Protocol, true),
        ];
        for (error, kind, open) in cases {
            assert_eq!((error.kind(), error.outcome_unknown()), (kind, open), "{error}");
        }
        let error = misunderstood("no answer", &[b'\r'; 200]).to_string();
        assert_eq!(error, format!("no answer: \"{}\"", "\\r".repeat(80)));
    }

    #[test]
    fn tls_that_breaks_after_a_request_leaves_open_what_became_of_it() {
        use AlertDescription::*;
        let tls = |error| reading(io::Error::new(io::ErrorKind::InvalidData, error));
        let alert = |alert| tls(rustls::Error::AlertReceived(alert));
        let broken = [
            tls(rustls::Error::DecryptError),
            tls(rustls::Error::PeerSentOversizedRecord),
            alert(BadRecordMac),
            alert(InternalError),
            alert(DecodeError),
        ];
        for error in broken {
            assert_eq!((error.kind(), error.outcome_unknown()), (Disconnected, true), "{error}");
        }
        for alert in [AccessDenied, BadCertificate, CertificateRequired, UnknownCA] {
            let error = tls(rustls::Error::AlertReceived(alert));
            assert_eq!((error.kind(), error.outcome_unknown()), (Refused, false), "{error}");
        }
    }
}
