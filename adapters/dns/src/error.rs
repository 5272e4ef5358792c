//! What errors of the driver come to.

use crate::question::Question;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use std::error::Error as StdError;
use std::io;
use std::time::Duration;
use workyard_adapter_kit::{Error, ErrorKind};

/// An error of the driver. Of a server's own, the code is that of the response (RCODE).
pub(crate) fn from_driver(question: &Question, error: NetError) -> Error {
    let made = match &error {
        NetError::Dns(DnsError::NoRecordsFound(nothing)) => {
            not_found(question, nothing.response_code)
        }
        NetError::Dns(DnsError::ResponseCode(code)) => {
            let message = format!("the server says: {}", code.to_str());
            let passes = matches!(code, ResponseCode::ServFail);
            Error::new(ErrorKind::Server, message).with_code(u16::from(*code)).transient(passes)
        }
        NetError::Timeout => Error::new(ErrorKind::TimedOut, "no answer in time"),
        NetError::Io(error) => Error::new(io_kind(error.kind()), error),
        NetError::NoConnections => Error::new(ErrorKind::Unreachable, "no server can be asked"),
        NetError::Busy => {
            let message = "too many questions are under way on the connection";
            Error::new(ErrorKind::Busy, message).transient(true)
        }
        NetError::Truncated => Error::new(ErrorKind::TooLarge, "the answer is cut off, by TCP too"),
        other => Error::new(ErrorKind::Protocol, other),
    };
    made.with_source(error)
}

/// There are no such records. The code is 3 when there is no such name, 0 when it has others.
pub(crate) fn not_found(question: &Question, code: ResponseCode) -> Error {
    let Question { name, record_type } = question;
    let message = match code {
        ResponseCode::NXDomain => format!("there is no name {name} (NXDOMAIN)"),
        _ => format!("{name} has no {record_type} records"),
    };
    Error::new(ErrorKind::Server, message).with_code(u16::from(code))
}

/// Whether the answer was that there are no such records.
pub(crate) fn is_not_found(error: &Error) -> bool {
    error.kind() == ErrorKind::Server && matches!(error.code(), Some("0" | "3"))
}

/// How long the answer holds that there is nothing, where the server has said so.
pub(crate) fn negative_ttl(error: &Error) -> Option<Duration> {
    match error.source()?.downcast_ref()? {
        NetError::Dns(DnsError::NoRecordsFound(nothing)) => {
            nothing.negative_ttl.map(|seconds| Duration::from_secs(seconds.into()))
        }
        _ => None,
    }
}

fn io_kind(kind: io::ErrorKind) -> ErrorKind {
    match kind {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable => ErrorKind::Unreachable,
        _ => ErrorKind::Disconnected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::net::NoRecords;
    use hickory_resolver::proto::rr::RecordType;

    fn question() -> Question {
        Question::new("shop.example", RecordType::AAAA).unwrap()
    }

    #[test]
    fn errors_of_the_driver_have_a_kind_a_code_and_a_hope() {
        let nothing = |code| NetError::from(NoRecords::new(question().query(), code));
        let code = |code| NetError::Dns(DnsError::ResponseCode(code));
        let io = |kind: io::ErrorKind| NetError::from(io::Error::from(kind));
        let cases = [
            (nothing(ResponseCode::NXDomain), ErrorKind::Server, Some("3"), false),
            (nothing(ResponseCode::NoError), ErrorKind::Server, Some("0"), false),
            (code(ResponseCode::ServFail), ErrorKind::Server, Some("2"), true),
            (code(ResponseCode::Refused), ErrorKind::Server, Some("5"), false),
            (code(ResponseCode::NotImp), ErrorKind::Server, Some("4"), false),
            (NetError::Timeout, ErrorKind::TimedOut, None, true),
            (NetError::NoConnections, ErrorKind::Unreachable, None, true),
            (io(io::ErrorKind::ConnectionRefused), ErrorKind::Unreachable, None, true),
            (io(io::ErrorKind::ConnectionReset), ErrorKind::Disconnected, None, true),
            (io(io::ErrorKind::TimedOut), ErrorKind::TimedOut, None, true),
            (NetError::Busy, ErrorKind::Busy, None, true),
            (NetError::Truncated, ErrorKind::TooLarge, None, false),
            (NetError::QueryCaseMismatch, ErrorKind::Protocol, None, false),
        ];
        for (error, kind, code, transient) in cases {
            let error = from_driver(&question(), error);
            assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
            assert_eq!(error.is_transient(), transient, "{error}");
            assert!(error.source().is_some());
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = not_found(&question(), ResponseCode::NXDomain);
        assert_eq!(error.to_string(), "there is no name shop.example (NXDOMAIN) (3)");
        assert!(is_not_found(&error));
        let error = not_found(&question(), ResponseCode::NoError);
        assert_eq!(error.message(), "shop.example has no AAAA records");
        assert!(is_not_found(&error));
        let refused = NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused));
        assert!(!is_not_found(&from_driver(&question(), refused)));
    }

    #[test]
    fn how_long_it_is_not_there_is_known_where_it_was_said() {
        let mut nothing = NoRecords::new(question().query(), ResponseCode::NXDomain);
        let ttl =
            |nothing: &NoRecords| negative_ttl(&from_driver(&question(), nothing.clone().into()));
        assert_eq!(ttl(&nothing), None);
        nothing.negative_ttl = Some(7);
        assert_eq!(ttl(&nothing), Some(Duration::from_secs(7)));
        assert_eq!(negative_ttl(&from_driver(&question(), NetError::Timeout)), None);
    }
}
