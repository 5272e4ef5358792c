//! The driver's errors, and what becomes of them.

use super::*;
use ErrorKind::{
    Closed, Disconnected, InvalidOptions, InvalidRequest, Protocol, Refused, Server, TooLarge,
    Unreachable,
};
use mysql_async::{Error as Driver, Value};

fn server(code: u16) -> Driver {
    let (message, state) = ("no".to_owned(), "42000".to_owned());
    Driver::Server(ServerError { code, message, state })
}

fn io(kind: io::ErrorKind) -> Driver {
    Driver::Io(IoError::Io(kind.into()))
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Driver {
    Driver::Io(IoError::Io(io::Error::other(error)))
}

/// As the driver's codec says it.
#[derive(Debug)]
struct PacketTooLarge;

impl Display for PacketTooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Packet is larger than max_allowed_packet")
    }
}

impl std::error::Error for PacketTooLarge {}

#[test]
fn a_connection_that_cannot_be_made() {
    // Kind, transient.
    let cases = [
        (server(1045), Refused, false),
        (server(1044), Refused, false),
        (server(1049), Refused, false),
        (server(1698), Refused, false),
        (server(1130), Refused, false),
        (server(3159), Refused, false),
        (server(1040), Unreachable, true),
        (server(1203), Unreachable, true),
        (server(1053), Unreachable, true),
        (server(1298), Server, false),
        (io(io::ErrorKind::ConnectionRefused), Unreachable, true),
        (io(io::ErrorKind::UnexpectedEof), Unreachable, true),
        (other(rustls::Error::HandshakeNotComplete), Refused, false),
        (Driver::Driver(DriverError::NoClientSslFlagFromServer), Refused, false),
        (Driver::Driver(DriverError::PoolDisconnected), Closed, false),
        (Driver::Driver(DriverError::PacketOutOfOrder), Protocol, false),
        (Driver::Url(UrlError::Invalid), InvalidOptions, false),
    ];
    for (error, kind, transient) in cases {
        let text = error.to_string();
        let error = connecting(error);
        assert_eq!((error.kind(), error.is_transient()), (kind, transient), "{text}");
        assert!(!error.outcome_unknown(), "{text}");
    }
}

#[test]
fn a_statement_that_fails() {
    // Kind, transient, whether it may have been carried out.
    let cases = [
        (server(1062), Server, false, false),
        (server(1064), Server, false, false),
        (server(1044), Server, false, false),
        (server(1213), Server, true, false),
        (server(1205), Server, true, false),
        (server(1053), Disconnected, true, true),
        (server(1927), Disconnected, true, true),
        (server(1153), TooLarge, false, false),
        (io(io::ErrorKind::ConnectionReset), Disconnected, true, true),
        (other(PacketTooLarge), TooLarge, false, true),
        (Driver::Driver(DriverError::ConnectionClosed), Disconnected, true, false),
        (Driver::Driver(DriverError::MixedParams), InvalidRequest, false, false),
        (
            Driver::Driver(DriverError::StmtParamsMismatch { required: 1, supplied: 2 }),
            InvalidRequest,
            false,
            false,
        ),
        (
            Driver::Driver(DriverError::UnexpectedPacket { payload: b"secret".to_vec() }),
            Protocol,
            false,
            true,
        ),
    ];
    for (error, kind, transient, unknown) in cases {
        let text = error.to_string();
        let error = asking(error, "UPDATE t SET a = 1");
        let seen = (error.kind(), error.is_transient(), error.outcome_unknown());
        assert_eq!(seen, (kind, transient, unknown), "{text}");
    }
}

#[test]
fn a_conflict_within_several_steps_leaves_open_what_was_done() {
    let cases = [
        ("UPDATE t SET a = 1", false),
        ("  insert into t values (1)", false),
        ("WITH x AS (SELECT 1) SELECT * FROM x", false),
        ("UPDATE t SET a = 1; ", false),
        ("INSERT INTO t VALUES (7); UPDATE t SET a = 1", true),
        ("CALL p()", true),
        ("BEGIN NOT ATOMIC UPDATE t SET a = 1; END", true),
        ("/* ? */ UPDATE t SET a = 1", true),
        ("", true),
    ];
    for (sql, unknown) in cases {
        assert_eq!(asking(server(1213), sql).outcome_unknown(), unknown, "{sql}");
    }
}

#[test]
fn a_failure_among_several_statements_leaves_open_what_was_done() {
    for (sql, unknown) in
        [("INSERT INTO t VALUES (1)", false), ("DO 1; INSERT INTO t VALUES (1);", true)]
    {
        for code in [1062, 1226] {
            assert_eq!(asking(server(code), sql).outcome_unknown(), unknown, "{sql} {code}");
        }
    }
}

#[test]
fn the_servers_code_and_state_can_be_read() {
    let error = asking(server(1062), "SELECT 1");
    assert_eq!(error.to_string(), "ERROR 1062 (42000): no; SQL: SELECT 1");
    assert_eq!(error.code(), Some("1062"));
    assert_eq!(server_error(&error).unwrap().state, "42000");
    assert!(server_error(&asking(io(io::ErrorKind::BrokenPipe), "")).is_none());
}

#[test]
fn the_servers_text_is_shown_without_what_is_quoted() {
    let cases = [
        (
            1062,
            "Duplicate entry 'ann@secret.example' for key 'email'",
            "Duplicate entry '…' for key 'email'",
        ),
        (
            1062,
            "Duplicate entry 'it's a secret' for key 'email'",
            "Duplicate entry '…' for key 'email'",
        ),
        (1146, "Table 'shop.items' doesn't exist", "Table '…' doesn't exist"),
        (1406, "Data for 'I don't tell' doesn't fit", "Data for '…' doesn't fit"),
        (1054, "Unknown column 'x' in table", "Unknown column '…' in table"),
        (1064, "wrong near 'a secret", "wrong near '…"),
        (1064, "wrong near '\"é\"' at line 1", "wrong near '…' at line 1"),
        (1136, "Column count doesn't match", "Column count doesn't match"),
        (1644, "you don't have 'it'", "you don't have 'it'"),
    ];
    for (code, message, expected) in cases {
        let said = ServerError { code, message: message.to_owned(), state: "42000".to_owned() };
        let error = asking(Driver::Server(said), "SELECT 1");
        assert_eq!(error.message(), format!("ERROR {code} (42000): {expected}; SQL: SELECT 1"));
        assert_eq!(server_error(&error).unwrap().message, message);
    }
}

#[test]
fn what_was_sent_or_received_is_in_no_error() {
    let value = DriverError::FromValue { value: Value::from("secret") };
    let packet = DriverError::UnexpectedPacket { payload: b"secret".to_vec() };
    for error in [value, packet] {
        let error = asking(Driver::Driver(error), "SELECT 1");
        assert!(error.source().is_none());
        assert!(!format!("{error:?}").contains("secret"));
    }
}

#[test]
fn a_statement_is_shown_in_one_line_without_what_is_quoted() {
    let cases = [
        ("SELECT 1", "SELECT 1"),
        ("  SELECT\n\t  1  ", "SELECT 1"),
        ("SELECT 'a secret', 2", "SELECT '', 2"),
        ("SELECT \"it's\", 'a''b', 3", "SELECT \"\", '''', 3"),
        (r"SELECT 'a\'b', 4", "SELECT '', 4"),
        ("SELECT `name` FROM `t`", "SELECT `name` FROM `t`"),
        ("SELECT 'unfinished", "SELECT '"),
    ];
    for (sql, expected) in cases {
        assert_eq!(shown(sql), expected);
    }
    let long = shown(&"x".repeat(1000));
    assert_eq!(long.chars().count(), SQL_SHOWN_BYTES_MAX + 1);
    assert!(long.ends_with('…'));
}
