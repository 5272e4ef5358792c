//! What the driver's errors are in the words of all adapters.

use crate::limits::SQL_SHOWN_BYTES_MAX;
use mysql_async::{DriverError, IoError, ServerError, UrlError};
use std::error::Error as _;
use std::fmt::Display;
use std::io;
use workyard_adapter_kit::{Error, ErrorKind};

/// Why a server does not want a client, as codes of the server.
const REFUSALS: [u16; 16] = [
    1044, 1045, 1049, 1129, 1130, 1251, 1275, 1524, 1698, 1820, 1862, 3118, 3159, 3955, 4052, 4151,
];
/// It has no room for another connection at the moment.
const FULL: [u16; 3] = [1040, 1203, 1226];
/// It ends the connection: by a shutdown, a kill, or because it was idle.
const ENDED: [u16; 5] = [1053, 1080, 1927, 3169, 4031];
/// The request was above a limit of the server.
const TOO_LARGE: [u16; 3] = [1153, 1162, 1301];
/// Others were in the way: a deadlock, a lock that was not given in time, a snapshot that is too old.
const CONFLICTS: [u16; 3] = [1213, 1205, 1020];
/// A key has that value already.
const DUPLICATE: u16 = 1062;
/// A procedure or a trigger has failed on purpose.
const SIGNALLED: u16 = 1644;
/// What a statement can begin with that does one thing.
const STEPS: [&str; 6] = ["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"];
/// A deadlock, and a lock that was not given in time: what a transaction can be repeated for.
const REPEATABLE: [&str; 2] = ["1213", "1205"];

/// What the server said, with its number and SQL state, if it was the server that failed the call. Its text is whole: it
/// may have values in it, which the message of the error leaves out.
///
/// ```
/// # fn example(error: &workyard_mysql::Error) {
/// let duplicate = workyard_mysql::server_error(error).is_some_and(|said| said.state == "23000");
/// # }
/// ```
#[must_use]
pub fn server_error(error: &Error) -> Option<&ServerError> {
    error.source()?.downcast_ref()
}

/// A connection could not be made: nothing was sent.
pub(crate) fn connecting(error: mysql_async::Error) -> Error {
    use mysql_async::Error::{Driver, Io, Other, Server, Url};
    let error = match error {
        Server(error) if REFUSALS.contains(&error.code) => said(ErrorKind::Refused, error, None),
        Server(error) if FULL.contains(&error.code) || ENDED.contains(&error.code) => {
            said(ErrorKind::Unreachable, error, None)
        }
        // It does not like what a session begins with.
        Server(error) => said(ErrorKind::Server, error, None),
        Io(IoError::Tls(error)) => Error::new(ErrorKind::Refused, format!("TLS: {error}")),
        Io(IoError::Io(error)) if is_tls(&error) => {
            Error::new(ErrorKind::Refused, format!("TLS: {error}")).with_source(error)
        }
        Io(error) => lost(ErrorKind::Unreachable, error),
        Driver(DriverError::PoolDisconnected) => Error::new(ErrorKind::Closed, "it is closed"),
        Driver(
            error @ (DriverError::NoClientSslFlagFromServer
            | DriverError::CleartextPluginDisabled
            | DriverError::MysqlOldPasswordDisabled
            | DriverError::UnknownAuthPlugin { .. }),
        ) => Error::new(ErrorKind::Refused, error),
        Driver(error) => driver(&error),
        Url(error) => url(&error),
        Other(error) => Error::new(ErrorKind::Protocol, error),
    };
    error.not_carried_out()
}

/// A statement failed. It was sent, or at least a part of it may have been.
pub(crate) fn asking(error: mysql_async::Error, sql: &str) -> Error {
    use mysql_async::Error::{Driver, Io, Other, Server, Url};
    match error {
        Server(error) => answered(error, sql),
        Io(IoError::Io(error)) if is_too_large(&error) => {
            let message = "a packet is larger than packet_bytes_max; raise it, or ask for less";
            too_large(message)
        }
        Io(error) => lost(ErrorKind::Disconnected, error),
        Driver(error) => driver(&error),
        Url(error) => url(&error),
        Other(error) => Error::new(ErrorKind::Protocol, error),
    }
}

/// There is more than is read. Whatever the statement does besides, the server may have done.
pub(crate) fn too_large(message: impl Display) -> Error {
    Error::new(ErrorKind::TooLarge, message).outcome_open()
}

/// A row does not fit what is wanted. The server has done its part.
pub(crate) fn misfit(columns: &str, wanted: &str) -> Error {
    let message = format!("a row with the columns {columns} does not fit {wanted}");
    Error::new(ErrorKind::Protocol, message).not_carried_out()
}

/// Whether a transaction that failed so may be repeated as a whole.
pub(crate) fn is_conflict(error: &Error) -> bool {
    error.kind() == ErrorKind::Server && error.code().is_some_and(|it| REPEATABLE.contains(&it))
}

fn answered(error: ServerError, sql: &str) -> Error {
    let code = error.code;
    if ENDED.contains(&code) {
        return said(ErrorKind::Disconnected, error, Some(sql));
    }
    if TOO_LARGE.contains(&code) {
        return said(ErrorKind::TooLarge, error, Some(sql));
    }
    let error = said(ErrorKind::Server, error, Some(sql));
    let passes = error.is_transient() || CONFLICTS.contains(&code);
    let error = error.transient(passes);
    // The statements before it were carried out; a procedure may have done a part of what it does.
    let is_open = is_several(sql) || (passes && !is_one_step(sql));
    if is_open { error.outcome_open() } else { error }
}

/// Whether the server carries it out as a whole or not at all, and it can begin no transaction.
pub(crate) fn is_one_step(sql: &str) -> bool {
    let word = sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next();
    let is_step = word.is_some_and(|word| STEPS.iter().any(|step| word.eq_ignore_ascii_case(step)));
    is_step && !is_several(sql)
}

/// Whether it may be several statements. Where quotes and comments end depends on the server's mode, so a semicolon
/// in them counts, too.
fn is_several(sql: &str) -> bool {
    sql.trim_end_matches(|c: char| c == ';' || c.is_whitespace()).contains(';')
}

fn said(kind: ErrorKind, error: ServerError, sql: Option<&str>) -> Error {
    let message = match sql {
        Some(sql) => format!("{}; SQL: {}", unquoted(&error), shown(sql)),
        None => error.to_string(),
    };
    let passes = FULL.contains(&error.code) || ENDED.contains(&error.code);
    Error::new(kind, message).with_code(error.code).transient(passes).with_source(error)
}

fn lost(kind: ErrorKind, error: IoError) -> Error {
    let message = match &error {
        IoError::Io(error) => error.to_string(),
        IoError::Tls(error) => error.to_string(),
    };
    Error::new(kind, message).with_source(error)
}

/// None of them says what was sent or received, not even as a source.
fn driver(error: &DriverError) -> Error {
    use DriverError as It;
    let kind = match error {
        It::ConnectionClosed => {
            return Error::new(ErrorKind::Disconnected, error).not_carried_out();
        }
        It::PoolDisconnected => ErrorKind::Closed,
        It::PacketTooLarge => ErrorKind::TooLarge,
        It::MixedParams
        | It::Params(_)
        | It::StmtParamsMismatch { .. }
        | It::StmtParamsNumberExceedsLimit { .. }
        | It::NestedTransaction
        | It::LocalInfile(_) => ErrorKind::InvalidRequest,
        _ => ErrorKind::Protocol,
    };
    Error::new(kind, error)
}

fn url(error: &UrlError) -> Error {
    Error::new(ErrorKind::InvalidOptions, error)
}

fn is_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

/// The driver hides its codec's error; its text is all that can be seen.
fn is_too_large(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.to_string().contains("max_allowed_packet"))
}

/// What the server said of a statement, without what stands in quotes: that may be a value. The server does not mark
/// quotes within it, so all between the first and the last goes; one that is left alone was cut off.
fn unquoted(error: &ServerError) -> String {
    let text = error.to_string();
    // Not the one in "doesn't", which the server says often.
    let is_not = |at: usize| text[..at].ends_with('n') && text[at..].starts_with("'t ");
    let mut quotes = text.match_indices(['\'', '"']).map(|(at, _)| at).filter(|at| !is_not(*at));
    let (first, last) = (quotes.next(), quotes.next_back());
    // The name of the key is no value.
    let key = text.rfind("' for key ").filter(|_| error.code == DUPLICATE);
    match (first, key.or(last)) {
        // What a procedure says is in its own words.
        _ if error.code == SIGNALLED => text,
        (Some(first), Some(last)) => format!("{}…{}", &text[..=first], &text[last..]),
        (Some(first), None) => format!("{}…", &text[..=first]),
        (None, _) => text,
    }
}

/// The statement, in one line and not too long, without what stands in quotes: that may be a secret.
fn shown(sql: &str) -> String {
    let mut text = String::new();
    let mut quote = None;
    let mut characters = sql.trim().chars();
    while let Some(c) = characters.next() {
        if text.len() >= SQL_SHOWN_BYTES_MAX {
            text.push('…');
            break;
        }
        match quote {
            Some(end) if c == end => {
                quote = None;
                text.push(c);
            }
            Some(_) if c == '\\' => drop(characters.next()),
            Some(_) => {}
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                text.push(c);
            }
            None if c.is_whitespace() && text.ends_with(' ') => {}
            None => text.push(if c.is_whitespace() { ' ' } else { c }),
        }
    }
    text
}

#[cfg(test)]
mod tests;
