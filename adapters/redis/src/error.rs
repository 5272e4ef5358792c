//! What the driver says, in the words of all adapters, and back.

use redis::{ErrorKind as DriverKind, RedisError, Value};
use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use workyard_adapter_kit::{Error, ErrorKind};

/// An error of the driver, in the words of all adapters. What came from this adapter, through one of the
/// driver's own methods, is what it was.
#[must_use]
pub fn from_driver(error: RedisError) -> Error {
    if let Some(ours) = ours(&error) {
        return ours.clone();
    }
    match error.kind() {
        DriverKind::Io => from_io(error),
        DriverKind::Server(_) | DriverKind::Extension => from_server(error),
        kind => Error::new(plain_kind(kind), &error).with_source(error),
    }
}

/// An error of this adapter, for methods that return the driver's: [`from_driver`] has it back.
pub(crate) fn to_driver(error: Error) -> RedisError {
    // The driver's own scripts look for codes of the server.
    if error.kind() == ErrorKind::Server
        && let Some(original) =
            error.source().and_then(|source| source.downcast_ref::<RedisError>())
    {
        return original.clone();
    }
    let kind = match error.kind() {
        ErrorKind::TimedOut => io::ErrorKind::TimedOut,
        ErrorKind::Disconnected => io::ErrorKind::ConnectionReset,
        ErrorKind::Unreachable => io::ErrorKind::ConnectionRefused,
        ErrorKind::Refused => io::ErrorKind::PermissionDenied,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error).into()
}

/// An error of a connection that is being made: nothing was sent yet.
pub(crate) fn while_connecting(error: &io::Error) -> Error {
    let certificate = inner(error).and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let kind = match certificate {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::AlertReceived(_)) => {
            ErrorKind::Refused
        }
        _ => ErrorKind::Unreachable,
    };
    Error::new(kind, format!("no connection: {error}"))
}

/// What the server says no with.
pub(crate) fn from_value(value: Value) -> Result<Value, Error> {
    match value {
        Value::ServerError(_) => value.extract_error().map_err(from_driver),
        value => Ok(value),
    }
}

/// Whether the server is no longer the one that writes go to.
pub(crate) fn is_demoted(error: &Error) -> bool {
    matches!(error.code(), Some("READONLY" | "MASTERDOWN"))
}

fn ours(error: &RedisError) -> Option<&Error> {
    inner(io_error(error)?)?.downcast_ref()
}

fn io_error(error: &RedisError) -> Option<&io::Error> {
    // The driver shares its source.
    let shared: &Arc<dyn StdError + Send + Sync> = error.source()?.downcast_ref()?;
    shared.downcast_ref()
}

fn inner(error: &io::Error) -> Option<&(dyn StdError + Send + Sync + 'static)> {
    error.get_ref()
}

fn from_io(error: RedisError) -> Error {
    if error.is_timeout() {
        return Error::new(ErrorKind::TimedOut, "no answer in time").with_source(error);
    }
    Error::new(ErrorKind::Disconnected, format!("connection lost: {error}")).with_source(error)
}

fn from_server(error: RedisError) -> Error {
    // Of a transaction, what kept it from being carried out; of a pipeline, what went wrong first.
    let first = error.clone().into_server_errors().and_then(|errors| errors.first().cloned());
    let code = match &first {
        Some((_, first)) => first.code().to_owned(),
        None => error.code().unwrap_or("ERR").to_owned(),
    };
    let message = match first.as_ref().map(|(_, first)| first.details().unwrap_or_default()) {
        Some(details) => format!("{code} {details}").trim_end().to_owned(),
        None => error.to_string(),
    };
    let kind = match code.as_str() {
        "NOAUTH" | "WRONGPASS" => ErrorKind::Refused,
        _ => ErrorKind::Server,
    };
    let mut mapped = Error::new(kind, message).transient(passes(&code));
    if code != "ERR" {
        mapped = mapped.with_code(code);
    }
    mapped.with_source(error)
}

/// Whether the same request may succeed soon: the server is busy, loading, or on the way to another role.
fn passes(code: &str) -> bool {
    const PASSING: [&str; 9] = [
        "LOADING",
        "TRYAGAIN",
        "CLUSTERDOWN",
        "MASTERDOWN",
        "READONLY",
        "BUSY",
        "NOREPLICAS",
        "MOVED",
        "ASK",
    ];
    PASSING.contains(&code)
}

fn plain_kind(kind: DriverKind) -> ErrorKind {
    match kind {
        DriverKind::AuthenticationFailed | DriverKind::RESP3NotSupported => ErrorKind::Refused,
        DriverKind::InvalidClientConfig => ErrorKind::InvalidOptions,
        DriverKind::Client => ErrorKind::InvalidRequest,
        DriverKind::ClusterConnectionNotFound => ErrorKind::Unreachable,
        // What cannot be read, and what is not of the type that was asked for.
        _ => ErrorKind::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Error {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        from_value(value).unwrap_err()
    }

    #[test]
    fn what_the_server_says_no_with_has_its_code() {
        use ErrorKind::{Refused, Server};
        let cases = [
            ("WRONGTYPE Operation against a key", Server, Some("WRONGTYPE"), false),
            ("ERR unknown command 'x'", Server, None, false),
            ("LOADING Redis is loading", Server, Some("LOADING"), true),
            ("TRYAGAIN Multiple keys", Server, Some("TRYAGAIN"), true),
            ("CLUSTERDOWN The cluster is down", Server, Some("CLUSTERDOWN"), true),
            ("READONLY You can't write", Server, Some("READONLY"), true),
            ("MASTERDOWN Link with MASTER is down", Server, Some("MASTERDOWN"), true),
            ("BUSY Redis is busy running a script", Server, Some("BUSY"), true),
            ("OOM command not allowed", Server, Some("OOM"), false),
            ("MISCONF Redis is configured", Server, Some("MISCONF"), false),
            ("CROSSSLOT Keys in request", Server, Some("CROSSSLOT"), false),
            ("NOPERM no permissions", Server, Some("NOPERM"), false),
            ("NOAUTH Authentication required.", Refused, Some("NOAUTH"), false),
            ("WRONGPASS invalid username-password", Refused, Some("WRONGPASS"), false),
        ];
        for (line, kind, code, transient) in cases {
            let error = said(line);
            assert_eq!((error.kind(), error.code()), (kind, code), "{line}");
            assert_eq!(error.is_transient(), transient, "{line}");
            assert!(!error.outcome_unknown(), "{line}");
            assert_eq!(error.to_string(), line);
            assert!(error.source().is_some());
        }
    }

    #[test]
    fn what_the_driver_says_has_a_kind() {
        use io::ErrorKind::{BrokenPipe, TimedOut};
        let io = |kind: io::ErrorKind| from_driver(io::Error::from(kind).into());
        assert_eq!(io(BrokenPipe).kind(), ErrorKind::Disconnected);
        assert!(io(BrokenPipe).outcome_unknown());
        assert_eq!(io(TimedOut).kind(), ErrorKind::TimedOut);
        let plain = |kind| from_driver((kind, "text").into()).kind();
        assert_eq!(plain(DriverKind::UnexpectedReturnType), ErrorKind::Protocol);
        assert_eq!(plain(DriverKind::Parse), ErrorKind::Protocol);
        assert_eq!(plain(DriverKind::AuthenticationFailed), ErrorKind::Refused);
        assert_eq!(plain(DriverKind::Client), ErrorKind::InvalidRequest);
        assert_eq!(plain(DriverKind::ClusterConnectionNotFound), ErrorKind::Unreachable);
    }

    #[test]
    fn an_error_of_ours_survives_the_driver() {
        let error = Error::new(ErrorKind::Busy, "too many").not_carried_out();
        let back = from_driver(to_driver(error));
        assert_eq!((back.kind(), back.message()), (ErrorKind::Busy, "too many"));
        let no_script = to_driver(said("NOSCRIPT No matching script"));
        assert_eq!(no_script.kind(), DriverKind::Server(redis::ServerErrorKind::NoScript));
    }

    #[test]
    fn a_stranger_is_refused_and_a_closed_port_is_unreachable() {
        let stranger = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let error = while_connecting(&io::Error::new(io::ErrorKind::InvalidData, stranger));
        assert_eq!(error.kind(), ErrorKind::Refused);
        let error = while_connecting(&io::ErrorKind::ConnectionRefused.into());
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unreachable, false));
    }
}
