//! What paths of requests are put behind, and the user who is shown there.

use crate::origin::origin;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use url::Url;
use workyard_adapter_kit::{Error, ErrorKind, Result, ServiceUrl};

/// A base URL, without its user.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    url: Url,
    user: Option<HeaderValue>,
}

impl Base {
    pub(crate) fn new(given: &ServiceUrl) -> Result<Self> {
        let mut url = given.url().clone();
        url.set_query(None);
        url.set_fragment(None);
        let user = take_user(&mut url)?;
        Ok(Self { url, user })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// What shows the user to this URL; nothing to other hosts.
    pub(crate) fn user_for(&self, url: &Url) -> Option<&HeaderValue> {
        self.user.as_ref().filter(|_| origin(&self.url) == origin(url))
    }

    /// The path, which may have parameters, behind the base.
    fn join(&self, path: &str) -> Result<Url> {
        let base = self.url.as_str().trim_end_matches('/');
        let path = path.trim_start_matches('/');
        let between = if path.is_empty() || path.starts_with('?') { "" } else { "/" };
        let url = format!("{base}{between}{path}");
        Url::parse(&url).map_err(|error| wrong(&error.to_string()))
    }
}

/// The URL of a request: a whole one, or a path behind the base.
pub(crate) fn resolve(base: Option<&Base>, text: &str) -> Result<Url> {
    if !is_whole(text) {
        return match base {
            Some(base) => base.join(text),
            None => Err(wrong("it has no host, and there is no base URL; write http://HOST/PATH")),
        };
    }
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(wrong(&format!("it begins with {scheme}://; write http:// or https://"))),
    }
}

/// Takes user and password out of a URL, as they are shown in a header.
pub(crate) fn take_user(url: &mut Url) -> Result<Option<HeaderValue>> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    // `http` and `https` URLs always have room for these.
    let given = ServiceUrl::parse(url.as_str(), &["http", "https"])?;
    let (user, password) = (given.username()?, given.password()?);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok(Some(basic(&user.unwrap_or_default(), &password.unwrap_or_default())))
}

/// What shows a user and a password.
pub(crate) fn basic(user: &str, password: &str) -> HeaderValue {
    let text = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    let mut value = HeaderValue::from_str(&text).expect("base64 is ASCII");
    value.set_sensitive(true);
    value
}

/// Whether it begins with a scheme. What follows a `?` or `/` may well contain `://`.
fn is_whole(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

fn wrong(why: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest, format!("the URL cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Base {
        Base::new(&ServiceUrl::parse(text, &["http", "https"]).unwrap()).unwrap()
    }

    #[test]
    fn a_path_is_put_behind_the_base() {
        let cases = [
            ("http://h", "", "http://h/"),
            ("http://h", "/", "http://h/"),
            ("http://h/v1", "users", "http://h/v1/users"),
            ("http://h/v1/", "/users?a=b", "http://h/v1/users?a=b"),
            ("http://h/v1", "?a=b", "http://h/v1?a=b"),
            ("http://h/v1", "//evil.example/x", "http://h/v1/evil.example/x"),
            ("http://h/v1", "go?to=http://x", "http://h/v1/go?to=http://x"),
            ("http://h/v1", "javascript:x", "http://h/v1/javascript:x"),
            ("http://h/v1", "http://other/x", "http://other/x"),
        ];
        for (at, path, expected) in cases {
            let url = resolve(Some(&base(at)), path).unwrap();
            assert_eq!(url.as_str(), expected, "{at} {path}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in ["", "path", "ftp://h/", "http://", "file:///etc/passwd"] {
            let error = resolve(None, text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{text}");
        }
    }

    #[test]
    fn the_user_is_for_the_host_of_the_base_alone() {
        let base = base("https://me:p%40ss@h/v1?x=y");
        assert_eq!(base.url().as_str(), "https://h/v1");
        let user = |url: &str| base.user_for(&Url::parse(url).unwrap()).cloned();
        assert_eq!(user("https://h:443/other").unwrap(), "Basic bWU6cEBzcw==");
        for other in ["http://h/v1", "https://h:444/v1", "https://i/v1"] {
            assert_eq!(user(other), None, "{other}");
        }
    }
}
