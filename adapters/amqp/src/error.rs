//! Errors of the driver, as those of the adapter.

use crate::{Error, ErrorKind};
use lapin::message::BasicReturnMessage;
use lapin::protocol::AMQPError;
use std::error::Error as StdError;

/// What the server says to those that it does not want.
const REFUSALS: [u16; 2] = [403, 530];
/// What is wrong with one request: there is no such thing, it is not allowed, it is in the way.
const CERTAIN: [u16; 3] = [403, 404, 405];

/// What no connection could be made by.
pub(crate) fn of_connecting(error: lapin::Error) -> Error {
    let (kind, code) = match error.kind() {
        lapin::ErrorKind::ProtocolError(said) if REFUSALS.contains(&said.get_id()) => {
            (ErrorKind::Refused, Some(said.get_id()))
        }
        lapin::ErrorKind::ProtocolError(said) => (ErrorKind::Server, Some(said.get_id())),
        lapin::ErrorKind::IOError(io) => (of_io(io), None),
        lapin::ErrorKind::InvalidProtocolVersion(_) | lapin::ErrorKind::ParsingError(_) => {
            (ErrorKind::Protocol, None)
        }
        _ => (ErrorKind::Unreachable, None),
    };
    let placed = Error::new(kind, format!("no connection: {error}")).not_carried_out();
    let placed = code.map_or(placed.clone(), |code| placed.with_code(code));
    placed.with_source(error)
}

fn of_io(error: &std::io::Error) -> ErrorKind {
    let mut cause: Option<&(dyn StdError + 'static)> = error.get_ref().map(|error| error as _);
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return of_tls(tls);
        }
        // An error within an error of input does not say that it is its source.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = inner.map(|error| error as _).or_else(|| error.source());
    }
    ErrorKind::Unreachable
}

fn of_tls(error: &rustls::Error) -> ErrorKind {
    use rustls::Error::{AlertReceived, InvalidCertificate, NoCertificatesPresented};
    match error {
        InvalidCertificate(_) | NoCertificatesPresented | AlertReceived(_) => ErrorKind::Refused,
        _ => ErrorKind::Protocol,
    }
}

/// What a request on a channel failed by.
pub(crate) fn of_request(error: lapin::Error) -> Error {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(said) => of_server(said).with_source(error),
        lapin::ErrorKind::ParsingError(_) => {
            Error::new(ErrorKind::Protocol, error.to_string()).with_source(error)
        }
        lapin::ErrorKind::SerialisationError(_) => {
            Error::new(ErrorKind::InvalidRequest, error.to_string()).with_source(error)
        }
        // These are told of before anything is sent; a state that is wrong is told of afterwards, too.
        lapin::ErrorKind::InvalidChannel(_) | lapin::ErrorKind::ChannelsLimitReached => {
            let message = format!("the connection was lost before this was sent: {error}");
            Error::new(ErrorKind::Disconnected, message).not_carried_out().with_source(error)
        }
        _ => {
            let message = format!("the connection was lost: {error}");
            Error::new(ErrorKind::Disconnected, message).with_source(error)
        }
    }
}

/// What a publish failed by after it was written. The server closes a channel for one publish, and
/// confirms none of those before it any more: what it says is about this one if there was no other.
pub(crate) fn of_confirm(error: lapin::Error, was_alone: bool) -> Error {
    let error = of_request(error);
    if was_alone && error.kind() == ErrorKind::Server { error } else { error.outcome_open() }
}

fn of_server(said: &AMQPError) -> Error {
    let (code, text) = (said.get_id(), said.get_message());
    // A server that stops, or whose operator ends the connection.
    if code == 320 {
        return Error::new(ErrorKind::Disconnected, text).with_code(code);
    }
    let error = Error::new(ErrorKind::Server, text).with_code(code);
    if CERTAIN.contains(&code) { error } else { error.outcome_open() }
}

/// A message that could not be routed.
pub(crate) fn of_return(returned: &BasicReturnMessage) -> Error {
    let message = format!("the message was returned: {}", returned.reply_text);
    Error::new(ErrorKind::Server, message).with_code(returned.reply_code)
}

/// A message that a queue did not keep; another may have.
pub(crate) fn of_nack() -> Error {
    let error = Error::new(ErrorKind::Server, "not every queue has taken the message");
    error.with_code("nack").outcome_open()
}

/// What belongs to a connection that is gone.
pub(crate) fn outlived() -> Error {
    let message =
        "the message came with a connection that was lost since; the server delivers it again";
    Error::new(ErrorKind::Disconnected, message).not_carried_out().transient(false)
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the adapter is closed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
    use std::io;
    use std::sync::Arc;

    fn said(kind: AMQPErrorKind) -> lapin::Error {
        lapin::ErrorKind::ProtocolError(AMQPError::new(kind, "why".into())).into()
    }

    fn io(error: io::Error) -> lapin::Error {
        lapin::ErrorKind::IOError(Arc::new(error)).into()
    }

    #[test]
    fn errors_of_connecting_tell_who_was_not_wanted() {
        let tls = |error| io(io::Error::other(error));
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let cases = [
            (
                said(AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)),
                ErrorKind::Refused,
                Some("403"),
            ),
            (said(AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)), ErrorKind::Refused, Some("530")),
            (
                said(AMQPErrorKind::Hard(AMQPHardError::INTERNALERROR)),
                ErrorKind::Server,
                Some("541"),
            ),
            (tls(unknown.clone()), ErrorKind::Refused, None),
            (io(io::Error::other(io::Error::other(unknown))), ErrorKind::Refused, None),
            (tls(rustls::Error::DecryptError), ErrorKind::Protocol, None),
            (io(io::ErrorKind::ConnectionRefused.into()), ErrorKind::Unreachable, None),
        ];
        for (error, kind, code) in cases {
            let error = of_connecting(error);
            assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
            assert!(!error.outcome_unknown() && StdError::source(&error).is_some());
        }
    }

    #[test]
    fn errors_of_requests_tell_what_is_known() {
        let cases = [
            (said(AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)), ErrorKind::Server, false),
            (said(AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)), ErrorKind::Server, true),
            (
                said(AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED)),
                ErrorKind::Disconnected,
                true,
            ),
            (io(io::ErrorKind::ConnectionReset.into()), ErrorKind::Disconnected, true),
            (lapin::ErrorKind::MissingHeartbeatError.into(), ErrorKind::Disconnected, true),
            (lapin::ErrorKind::InvalidChannel(1).into(), ErrorKind::Disconnected, false),
        ];
        for (error, kind, outcome_unknown) in cases {
            let error = of_request(error);
            assert_eq!((error.kind(), error.outcome_unknown()), (kind, outcome_unknown), "{error}");
        }
        assert!(!outlived().is_transient() && !outlived().outcome_unknown());
        assert!(of_nack().outcome_unknown());
    }

    #[test]
    fn errors_of_confirms_are_certain_only_of_one_that_was_alone() {
        let none = || said(AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND));
        assert!(!of_confirm(none(), true).outcome_unknown());
        assert!(of_confirm(none(), false).outcome_unknown());
        for lost in [
            || lapin::ErrorKind::InvalidChannelState(lapin::ChannelState::Closed, "").into(),
            || lapin::ErrorKind::InvalidConnectionState(lapin::ConnectionState::Closed).into(),
            || lapin::ErrorKind::InvalidChannel(1).into(),
        ] {
            assert!(of_confirm(lost(), true).outcome_unknown());
        }
    }
}
