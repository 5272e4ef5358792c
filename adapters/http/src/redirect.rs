//! Where a redirect leads, and what of the request goes along: pure.

use crate::origin::origin;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION,
    PROXY_AUTHORIZATION, TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use reqwest::{Method, StatusCode};
use url::Url;

/// What a response asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: it is the response.
    Stay,
    /// The request again, there.
    Go(Url),
    /// Something that is not done, for this reason.
    Wrong(String),
}

/// What is asked for by a response to a request for `url`.
pub(crate) fn step(url: &Url, status: StatusCode, headers: &HeaderMap) -> Step {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Step::Stay;
    }
    let Some(location) = headers.get(LOCATION) else { return Step::Stay };
    let next = std::str::from_utf8(location.as_bytes()).ok().and_then(|text| url.join(text).ok());
    let Some(mut next) = next else {
        return Step::Wrong("the redirect leads to what is no URL".to_owned());
    };
    if !matches!(next.scheme(), "http" | "https") {
        return Step::Wrong(format!(
            "the redirect leads to {}://, not http or https",
            next.scheme()
        ));
    }
    // Whom to be is not for the server to say.
    let _ = next.set_username("");
    let _ = next.set_password(None);
    Step::Go(next)
}

/// Whether the method becomes GET and the body is left out.
pub(crate) fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status.as_u16() {
        301 | 302 => *method == Method::POST,
        303 => *method != Method::GET && *method != Method::HEAD,
        _ => false,
    }
}

/// Takes out what describes a body.
pub(crate) fn forget_body(headers: &mut HeaderMap) {
    for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING] {
        headers.remove(name);
    }
}

/// Takes out what is for the first server alone, when another is asked: what is known for that by its name,
/// and what the caller marks as sensitive.
pub(crate) fn keep_secrets(headers: &mut HeaderMap, from: &Url, to: &Url) {
    if origin(from) == origin(to) {
        return;
    }
    for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, WWW_AUTHENTICATE] {
        headers.remove(name);
    }
    let marked = headers.iter().filter(|(_, value)| value.is_sensitive());
    let marked: Vec<_> = marked.map(|(name, _)| name.clone()).collect();
    for name in marked {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn ask(from: &str, status: u16, location: Option<&str>) -> Step {
        let mut headers = HeaderMap::new();
        if let Some(location) = location {
            headers.insert(LOCATION, HeaderValue::from_bytes(location.as_bytes()).unwrap());
        }
        step(&Url::parse(from).unwrap(), StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn a_redirect_leads_where_it_says() {
        let cases = [
            ("/b?c", "http://h:1/b?c"),
            ("b", "http://h:1/x/b"),
            ("//other/b", "http://other/b"),
            ("https://me:secret@other", "https://other/"),
            ("?q", "http://h:1/x/a?q"),
        ];
        for (location, expected) in cases {
            let step = ask("http://h:1/x/a", 302, Some(location));
            assert_eq!(step, Step::Go(Url::parse(expected).unwrap()), "{location}");
        }
    }

    #[test]
    fn what_is_no_redirect_is_the_response() {
        for status in [200, 201, 300, 304, 305, 404] {
            assert_eq!(ask("http://h", status, Some("/b")), Step::Stay, "{status}");
        }
        assert_eq!(ask("http://h", 302, None), Step::Stay);
    }

    #[test]
    fn what_leads_nowhere_is_wrong() {
        for location in ["ftp://h/", "file:///etc/passwd", "http://", "http://[", "data:,x"] {
            assert!(matches!(ask("http://h", 302, Some(location)), Step::Wrong(_)), "{location}");
        }
    }

    #[test]
    fn methods_change_as_the_status_says() {
        let gets =
            |status: u16, method| becomes_get(StatusCode::from_u16(status).unwrap(), &method);
        let cases = [
            (301, Method::POST, true),
            (302, Method::POST, true),
            (302, Method::PUT, false),
            (302, Method::GET, false),
            (303, Method::POST, true),
            (303, Method::PUT, true),
            (303, Method::DELETE, true),
            (303, Method::HEAD, false),
            (307, Method::POST, false),
            (308, Method::POST, false),
        ];
        for (status, method, expected) in cases {
            assert_eq!(gets(status, method.clone()), expected, "{status} {method}");
        }
    }

    #[test]
    fn secrets_stay_with_their_server() {
        let cases = [
            ("http://h/a", "http://h/b", true),
            ("http://h/a", "http://h:80/b", true),
            ("http://h/a", "http://h:81/b", false),
            ("http://h/a", "https://h/b", false),
            ("http://h/a", "http://i/b", false),
        ];
        for (from, to, kept) in cases {
            let mut headers = HeaderMap::new();
            for name in [AUTHORIZATION, COOKIE, CONTENT_TYPE] {
                headers.insert(name, HeaderValue::from_static("x"));
            }
            let mut key = HeaderValue::from_static("key");
            key.set_sensitive(true);
            headers.insert("x-api-key", HeaderValue::from_static("none"));
            headers.append("x-api-key", key);
            keep_secrets(&mut headers, &Url::parse(from).unwrap(), &Url::parse(to).unwrap());
            assert_eq!(headers.len(), if kept { 5 } else { 1 }, "{from} {to}");
        }
    }
}
