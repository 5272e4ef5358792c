//! Where a POST goes: an address of HTTP taken apart, and shown without what is secret in it.

use super::post::PostError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper::header::HeaderValue;
use percent_encoding::percent_decode_str;

/// An address of HTTP, as a request needs it.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// For people: a log is read by more than those who may know the secrets.
    pub(super) shown: String,
    /// Whether TLS is spoken there.
    pub(super) secure: bool,
    /// A name, or an IP address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The header `Host`.
    pub(super) authority: String,
    /// With the query.
    pub(super) path: String,
    pub(super) authorization: Option<HeaderValue>,
}

impl Address {
    /// Reads an address of HTTP.
    ///
    /// # Errors
    /// When it is none, or one of another scheme.
    pub(super) fn parse(url: &str) -> Result<Self, PostError> {
        let uri: Uri = url.parse().map_err(|_| PostError::Url)?;
        let (secure, authority) = match (uri.scheme_str(), uri.authority()) {
            (Some(scheme @ ("http" | "https")), Some(authority))
                if !authority.host().is_empty() =>
            {
                (scheme == "https", authority)
            }
            (Some(_), Some(_)) => return Err(PostError::Scheme { url: shown(url) }),
            _ => return Err(PostError::Url),
        };
        let (user, place) = match authority.as_str().rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority.as_str()),
        };
        Ok(Self {
            shown: shown(url),
            secure,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: port(place)?.unwrap_or(if secure { 443 } else { 80 }),
            authority: place.to_owned(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            authorization: user.map(basic).transpose().map_err(|_| PostError::Url)?,
        })
    }
}

fn port(place: &str) -> Result<Option<u16>, PostError> {
    match place.rsplit_once(':') {
        Some((_, port)) if !place.ends_with(']') => {
            port.parse().ok().filter(|port| *port > 0).ok_or(PostError::Url).map(Some)
        }
        _ => Ok(None),
    }
}

/// Who asks, as a header says it: the name and the password, which are percent-encoded in an address.
fn basic(user: &str) -> Result<HeaderValue, hyper::header::InvalidHeaderValue> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut pair: Vec<u8> = percent_decode_str(name).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(password));
    let mut header = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))?;
    header.set_sensitive(true);
    Ok(header)
}

/// An address without name, password, query and fragment.
pub(super) fn shown(url: &str) -> String {
    let (scheme, rest) =
        url.split_once("://").map_or(("", url), |(_, rest)| url.split_at(url.len() - rest.len()));
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let slash = rest.find('/').unwrap_or(end).min(end);
    let (authority, path) = rest[..end].split_at(slash);
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let rest = if end < rest.len() { "?…" } else { "" };
    format!("{scheme}{place}{path}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        for (url, host, port, authority, path) in [
            ("http://a", "a", 80, "a", "/"),
            ("https://a/", "a", 443, "a", "/"),
            ("http://a:8080/b?c=d", "a", 8080, "a:8080", "/b?c=d"),
            ("http://u:p@[::1]:81/", "::1", 81, "[::1]:81", "/"),
        ] {
            let address = Address::parse(url).unwrap();
            let found = (address.host.as_str(), address.port, address.authority.as_str());
            assert_eq!((found, address.path.as_str()), ((host, port, authority), path));
            assert_eq!(address.secure, url.starts_with("https"));
        }
        for (user, header) in [
            ("user:se%40cret", "Basic dXNlcjpzZUBjcmV0"),
            ("user", "Basic dXNlcjo="),
            ("a:b:c", "Basic YTpiOmM="),
        ] {
            let address = Address::parse(&format!("http://{user}@a/")).unwrap();
            assert_eq!(address.authorization.unwrap(), header);
        }
        assert!(Address::parse("http://a/u:p@b").unwrap().authorization.is_none());
        for url in [
            "",
            "a",
            "/a",
            "http://",
            "http:///a",
            "ftp://u:p@a/?b",
            "http://u:p/q@a",
            "http://a:0/",
        ] {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(!error.contains("u:p"), "{error}");
        }
    }

    #[test]
    fn nothing_secret_is_shown_of_an_address() {
        for (url, text) in [
            ("http://user:secret@a:1/b?token=c", "http://a:1/b?…"),
            ("http://u:p@a?b", "http://a?…"),
            ("http://a/b@c#d", "http://a/b@c?…"),
            ("ftp://u@a", "ftp://a"),
        ] {
            assert_eq!(shown(url), text);
        }
    }
}
