//! How a client asks for a WebSocket, and what it has to be answered.

use super::request::{BASE64, accept};
use crate::address::{self, Address, AddressError};
use crate::client::Target;
use crate::protocol::ProtocolError;
use base64::Engine;
use httparse::{EMPTY_HEADER, Status};
use std::fmt::Write;

/// How many headers an answer may have.
const HEADERS_MAX: usize = 100;

/// A request, and what the answer to it proves itself with.
pub(crate) struct Opening {
    pub(crate) request: String,
    accept: String,
    protocols: Vec<String>,
}

impl Opening {
    pub(crate) fn new(target: &Target) -> Self {
        let (_, authority, path) = split(&target.address);
        let key = BASE64.encode(std::array::from_fn::<u8, 16, _>(|_| fastrand::u8(..)));
        let mut request = format!(
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        );
        if !target.protocols.is_empty() {
            let protocols = target.protocols.join(", ");
            write!(request, "Sec-WebSocket-Protocol: {protocols}\r\n").expect(STRING);
        }
        for (name, value) in &target.headers {
            write!(request, "{name}: {value}\r\n").expect(STRING);
        }
        request.push_str("\r\n");
        Self { request, accept: accept(&key), protocols: target.protocols.clone() }
    }

    /// Looks at the whole head of an answer: does it open the WebSocket?
    pub(crate) fn check(&self, head: &[u8]) -> Result<(), ProtocolError> {
        let mut headers = [EMPTY_HEADER; HEADERS_MAX];
        let mut parsed = httparse::Response::new(&mut headers);
        if !matches!(parsed.parse(head), Ok(Status::Complete(_))) {
            return Err(ProtocolError::new("the answer is no HTTP"));
        }
        if parsed.code != Some(101) {
            let (code, reason) = (parsed.code.unwrap_or(0), parsed.reason.unwrap_or(""));
            return Err(ProtocolError::new(format!("the answer is {code} {reason}")));
        }
        let values = |name: &'static str| {
            let named = parsed.headers.iter().filter(move |it| it.name.eq_ignore_ascii_case(name));
            named.map(|header| header.value.trim_ascii())
        };
        let has = |name, wanted: &[u8]| {
            let mut elements = values(name).flat_map(|value| value.split(|byte| *byte == b','));
            elements.any(|element| element.trim_ascii().eq_ignore_ascii_case(wanted))
        };
        let wrong = |text: &'static str| Err(ProtocolError::new(text));
        if !has("upgrade", b"websocket") || !has("connection", b"upgrade") {
            return wrong("the answer does not name the upgrade");
        }
        if values("sec-websocket-accept").ne([self.accept.as_bytes()]) {
            return wrong("the answer does not go with the key");
        }
        if values("sec-websocket-extensions").any(|value| !value.is_empty()) {
            return wrong("the answer has an extension that was not asked for");
        }
        let offered = |value: &[u8]| self.protocols.iter().any(|it| it.as_bytes() == value);
        match values("sec-websocket-protocol").all(offered) {
            true => Ok(()),
            false => wrong("the answer has a sub-protocol that was not offered"),
        }
    }
}

const STRING: &str = "a string takes all";

/// Reads the address of a WebSocket, which may have a path; the port is 80, or 443 with TLS, unless said.
pub(crate) fn parse_address(text: &str) -> Result<Address, AddressError> {
    address::check_characters(text)?;
    let (scheme, authority, _) = split(text);
    let host = authority.rsplit(']').next().unwrap_or(authority);
    let port = if scheme == "wss" { ":443" } else { ":80" };
    let port = if host.contains(':') || authority.is_empty() { "" } else { port };
    match scheme {
        "ws" | "wss" => Address::parse(&format!("{scheme}://{authority}{port}")),
        _ => Address::parse(text).and_then(crate::worker::check::<crate::protocols::WebSocket>),
    }
}

/// The scheme, what stands for host and port, and the path with its query.
fn split(address: &str) -> (&str, &str, String) {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    if scheme == "unix" {
        return (scheme, "localhost", "/".to_owned());
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let path = rest[end..].split('#').next().unwrap_or_default();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    (scheme, &rest[..end], path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_paths_and_usual_ports() {
        for (text, address, authority, path) in [
            ("ws://host", "ws://host:80", "host", "/"),
            ("ws://host:2000/", "ws://host:2000", "host:2000", "/"),
            ("ws://host/a/b?c=d#e", "ws://host:80", "host", "/a/b?c=d"),
            ("ws://[::1]?c", "ws://[::1]:80", "[::1]", "/?c"),
            ("ws://[::1]:81/c", "ws://[::1]:81", "[::1]:81", "/c"),
            ("wss://host/c", "wss://host:443", "host", "/c"),
            ("websocket://host:1", "websocket://host:1", "host:1", "/"),
        ] {
            assert_eq!(parse_address(text).unwrap().to_string(), address);
            assert_eq!((split(text).1, split(text).2.as_str()), (authority, path), "{text}");
        }
        for wrong in ["ws://", "ws:///path", "text://host:1", "host"] {
            assert!(parse_address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_an_answer_as_asked_for_opens() {
        let target = Target {
            address: "ws://host:2000/chat?a=b".to_owned(),
            protocols: vec!["v1".to_owned(), "v2".to_owned()],
            headers: vec![("X-Name".to_owned(), "value".to_owned())],
        };
        let mut opening = Opening::new(&target);
        assert!(opening.request.starts_with("GET /chat?a=b HTTP/1.1\r\nHost: host:2000\r\n"));
        let rest = "Sec-WebSocket-Protocol: v1, v2\r\nX-Name: value\r\n\r\n";
        assert!(opening.request.ends_with(rest), "{}", opening.request);
        opening.accept = "right".to_owned();
        let answer = "HTTP/1.1 101 Yes\r\nupgrade: WebSocket\r\nConnection: x, Upgrade\r\n\
            Sec-WebSocket-Accept: right\r\n\r\n";
        assert_eq!(opening.check(answer.as_bytes()), Ok(()));
        for (what, by, expected) in [
            ("101 Yes", "403 Forbidden", "the answer is 403 Forbidden"),
            ("HTTP", "SMTP", "no HTTP"),
            ("WebSocket", "h2c", "does not name the upgrade"),
            ("x, Upgrade", "close", "does not name the upgrade"),
            ("right", "wrong", "does not go with the key"),
            ("Sec-WebSocket-Accept: right\r\n", "", "does not go with the key"),
            ("right", "right\r\nSec-WebSocket-Accept: right", "does not go with the key"),
            ("right", "right\r\nSec-WebSocket-Extensions: permessage-deflate", "an extension"),
            ("right", "right\r\nSec-WebSocket-Protocol: v3", "a sub-protocol"),
        ] {
            let error = opening.check(answer.replacen(what, by, 1).as_bytes()).unwrap_err();
            assert!(error.to_string().contains(expected), "{by}: {error}");
        }
        let chosen = answer.replacen("right", "right\r\nSec-WebSocket-Protocol: v2", 1);
        assert_eq!(opening.check(chosen.as_bytes()), Ok(()));
    }
}
