//! What goes wrong with sockets, frames and servers, as errors of the adapter.

use crate::codec::{CodecError, Flaw, Frame};
use crate::{Error, ErrorKind};
use std::io;

/// What is shown of the body of an error of the server.
const DETAIL_BYTES_MAX: usize = 500;

/// What no connection could be made by.
pub(crate) fn of_connecting(error: io::Error) -> Error {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let kind = match tls {
        Some(
            rustls::Error::InvalidCertificate(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::AlertReceived(_),
        ) => ErrorKind::Refused,
        Some(_) => ErrorKind::Protocol,
        None => ErrorKind::Unreachable,
    };
    Error::new(kind, format!("no connection: {error}")).not_carried_out().with_source(error)
}

/// What a connection was lost by, or a frame could not be written.
pub(crate) fn of_codec(error: CodecError) -> Error {
    let (kind, message) = match error.flaw() {
        Flaw::Malformed => {
            (ErrorKind::Protocol, format!("what the server sent is no STOMP: {error}"))
        }
        Flaw::Unsayable => (ErrorKind::InvalidRequest, error.to_string()),
        Flaw::TooLarge => (ErrorKind::TooLarge, error.to_string()),
        Flaw::Lost(_) => (ErrorKind::Disconnected, format!("the connection was lost: {error}")),
    };
    Error::new(kind, message).with_source(error)
}

/// What a subscription ends with that gets a message that cannot be read.
pub(crate) fn of_message(error: &CodecError) -> Error {
    match error.flaw() {
        Flaw::TooLarge => {
            Error::new(ErrorKind::TooLarge, format!("a message is too large: {error}"))
        }
        _ => Error::new(ErrorKind::Protocol, format!("a message cannot be read: {error}")),
    }
}

/// What the server complains of in an `ERROR` frame.
pub(crate) fn of_server(frame: &Frame) -> Error {
    let detail = &frame.body[..frame.body.len().min(DETAIL_BYTES_MAX)];
    let detail = String::from_utf8_lossy(detail);
    let detail = detail.trim();
    let error = match (frame.header("message"), detail) {
        (Some(summary), "") => Error::new(ErrorKind::Server, summary),
        (Some(summary), detail) => Error::new(ErrorKind::Server, format!("{summary}: {detail}")),
        (None, "") => Error::new(ErrorKind::Server, "the server does not say what is wrong"),
        (None, detail) => Error::new(ErrorKind::Server, detail),
    };
    match frame.header("message") {
        Some(summary) => error.with_code(summary),
        None => error,
    }
}

/// The same, in answer to `CONNECT`.
pub(crate) fn of_login(frame: &Frame) -> Error {
    let error = of_server(frame);
    let refused = Error::new(ErrorKind::Refused, error.message());
    match error.code() {
        Some(code) => refused.with_code(code),
        None => refused,
    }
}

/// Whether the server does not want what it was asked for: when it stops, it complains, too.
pub(crate) fn is_refusal(error: &Error) -> bool {
    error.kind() == ErrorKind::Server && error.code() != Some("connection_forced")
}

/// What those get that wait for an answer when the connection ends.
pub(crate) fn left_unanswered(cause: &Error) -> Error {
    let message = format!("the connection ended before the receipt ({})", cause.message());
    let error = Error::new(ErrorKind::Disconnected, message).with_source(cause.clone());
    match cause.code() {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// What those get whose frame was not written before the connection ended.
pub(crate) fn not_sent() -> Error {
    Error::new(ErrorKind::Disconnected, "the connection ended before this was sent")
        .not_carried_out()
}

/// What belongs to a connection that is gone.
pub(crate) fn outlived(what: &str) -> Error {
    Error::new(ErrorKind::Disconnected, what).not_carried_out().transient(false)
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the adapter is closed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Command;

    fn frame(message: Option<&str>, body: &'static str) -> Frame {
        let frame = Frame::new(Command::Error);
        let frame = message.map_or(frame.clone(), |message| frame.with("message", message));
        Frame { body: body.into(), ..frame }
    }

    #[test]
    fn a_server_is_quoted() {
        let cases = [
            (
                Some("Bad CONNECT"),
                "Access refused\n",
                "Bad CONNECT: Access refused",
                Some("Bad CONNECT"),
            ),
            (Some("not_found"), "", "not_found", Some("not_found")),
            (None, "why", "why", None),
            (None, " ", "the server does not say what is wrong", None),
        ];
        for (message, body, text, code) in cases {
            let frame = frame(message, body);
            let (error, refused) = (of_server(&frame), of_login(&frame));
            assert_eq!(
                (error.kind(), error.message(), error.code()),
                (ErrorKind::Server, text, code)
            );
            assert_eq!((refused.kind(), refused.code()), (ErrorKind::Refused, code));
            assert!(!error.outcome_unknown() && !error.is_transient() && !refused.is_transient());
        }
        let long = Frame { body: vec![b'x'; 10_000].into(), ..Frame::new(Command::Error) };
        assert_eq!(of_server(&long).message().len(), DETAIL_BYTES_MAX);
    }

    #[test]
    fn a_server_that_stops_refuses_nothing() {
        let cases = [(Some("not_found"), true), (None, true), (Some("connection_forced"), false)];
        for (message, expected) in cases {
            assert_eq!(is_refusal(&of_server(&frame(message, "why"))), expected, "{message:?}");
        }
        assert!(!is_refusal(&not_sent()));
    }

    #[test]
    fn flaws_become_kinds() {
        let of = |error: io::Error| of_codec(CodecError::from(error));
        let error = of(io::ErrorKind::ConnectionReset.into());
        assert_eq!(error.kind(), ErrorKind::Disconnected);
        assert!(error.outcome_unknown() && error.is_transient());
        let refused = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let cases = [
            (io::Error::other(refused), ErrorKind::Refused, false),
            (io::Error::other(rustls::Error::DecryptError), ErrorKind::Protocol, false),
            (io::ErrorKind::ConnectionRefused.into(), ErrorKind::Unreachable, true),
        ];
        for (error, kind, transient) in cases {
            let error = of_connecting(error);
            assert_eq!((error.kind(), error.is_transient()), (kind, transient), "{error}");
            assert!(!error.outcome_unknown() && std::error::Error::source(&error).is_some());
        }
    }

    #[test]
    fn what_is_known_of_a_request_is_said() {
        let unanswered = left_unanswered(&of_server(&frame(Some("Bad"), "")));
        assert!(unanswered.outcome_unknown() && unanswered.code() == Some("Bad"));
        assert!(!not_sent().outcome_unknown() && not_sent().is_transient());
        assert!(!outlived("x").outcome_unknown() && !outlived("x").is_transient());
    }
}
