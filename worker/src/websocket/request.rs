//! The request that opens a WebSocket, as RFC 6455 wants it.

use super::response::Refusal;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use httparse::{EMPTY_HEADER, Header, Status};

/// The longest head of a request.
pub(crate) const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How many headers it may have.
const HEADERS_MAX: usize = 100;

/// What every key is hashed with.
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Some peers make the last letter of their key at random, too.
pub(super) const BASE64: GeneralPurpose = {
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&STANDARD, config)
};

/// A request that can be accepted.
pub(crate) struct Request {
    pub(super) path: String,
    pub(super) query: String,
    headers: Vec<(String, String)>,
    /// What accepting it is proved with.
    pub(super) accept: String,
}

/// Reads a whole head, up to and with its empty line.
pub(crate) fn parse(head: &[u8]) -> Result<Request, Refusal> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(head) {
        Ok(Status::Complete(_)) => {}
        Ok(Status::Partial) => return Err(bad("the request is cut off")),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::new(431, format!("More than {HEADERS_MAX} headers.")));
        }
        Err(error) => return Err(bad(&format!("this is no HTTP: {error}"))),
    }
    if parsed.method != Some("GET") {
        return Err(Refusal::new(405, "A WebSocket is opened with GET.").with("Allow", "GET"));
    }
    if parsed.version != Some(1) {
        return Err(bad("a WebSocket is opened with HTTP/1.1"));
    }
    let (path, query) = target(parsed.path.unwrap_or_default())?;
    let headers = parsed.headers.iter().map(own).collect();
    let mut request = Request { path, query, headers, accept: String::new() };
    request.check()?;
    request.accept = accept(request.only("sec-websocket-key")?);
    Ok(request)
}

impl Request {
    /// The values of a header, by its name in lower case or any other.
    pub(super) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.headers.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The elements of a header that is a list.
    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        let elements = self.headers(name).flat_map(|value| value.split(','));
        elements.map(str::trim).filter(|element| !element.is_empty())
    }

    fn has(&self, name: &str, element: &str) -> bool {
        self.list(name).any(|it| it.eq_ignore_ascii_case(element))
    }

    /// The value of a header that has to be there once.
    fn only(&self, name: &str) -> Result<&str, Refusal> {
        let mut values = self.headers(name);
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            (None, _) => Err(bad(&format!("there is no header {name}"))),
            (Some(_), Some(_)) => Err(bad(&format!("there are several headers {name}"))),
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        self.only("host")?;
        if !self.has("upgrade", "websocket") {
            let refusal = Refusal::new(426, "Only WebSockets are served here.");
            return Err(refusal.with("Upgrade", "websocket"));
        }
        if !self.has("connection", "upgrade") {
            return Err(bad("the header connection does not name the header upgrade"));
        }
        if self.headers("sec-websocket-version").ne(["13"]) {
            let refusal = Refusal::new(426, "Version 13 of the WebSocket protocol is spoken here.");
            return Err(refusal.with("Sec-WebSocket-Version", "13"));
        }
        match BASE64.decode(self.only("sec-websocket-key")?) {
            Ok(key) if key.len() == 16 => {}
            _ => return Err(bad("the header sec-websocket-key is not 16 bytes in base64")),
        }
        let has_body = self.headers("content-length").any(|length| length != "0")
            || self.headers("transfer-encoding").next().is_some();
        match has_body {
            true => Err(bad("the request has a body")),
            false => Ok(()),
        }
    }
}

/// The path and the query of what is asked for.
fn target(target: &str) -> Result<(String, String), Refusal> {
    let absolute = target.strip_prefix("http://").or_else(|| target.strip_prefix("https://"));
    let target = match absolute.map(|rest| rest.find(['/', '?']).map_or("/", |at| &rest[at..])) {
        Some(rest) => rest,
        None if target.starts_with('/') => target,
        None => return Err(bad("what it asks for is no path")),
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = if path.is_empty() { "/" } else { path };
    Ok((path.to_owned(), query.to_owned()))
}

fn own(header: &Header<'_>) -> (String, String) {
    (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned())
}

pub(super) fn accept(key: &str) -> String {
    let mut sha = sha1_smol::Sha1::new();
    sha.update(key.as_bytes());
    sha.update(KEY_SUFFIX.as_bytes());
    BASE64.encode(sha.digest().bytes())
}

fn bad(why: &str) -> Refusal {
    Refusal::new(400, format!("Bad request: {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_answered_as_in_the_rfc() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_asked_for_is_a_path_and_a_query() {
        for (asked, path, query) in [
            ("/", "/", ""),
            ("/a/b?c=d&e", "/a/b", "c=d&e"),
            ("/?a?b", "/", "a?b"),
            ("http://host:80/a?b", "/a", "b"),
            ("https://host", "/", ""),
            ("http://host?b", "/", "b"),
        ] {
            assert_eq!(target(asked).unwrap(), (path.to_owned(), query.to_owned()), "{asked}");
        }
        for wrong in ["*", "a/b", "ftp://host/", ""] {
            assert_eq!(target(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }
}
