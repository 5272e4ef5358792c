//! Cookies that a response sets.

use super::Response;
use hyper::header::SET_COOKIE;
use std::fmt;
use std::time::Duration;

/// A cookie to be set, see [`Response::cookie`]. Unless said otherwise it lasts until the browser is closed.
///
/// ```
/// use workyard_worker::http::{Cookie, SameSite};
///
/// let cookie = Cookie::new("session", "abc").path("/").http_only().same_site(SameSite::Lax);
/// assert_eq!(cookie.to_string(), "session=abc; Path=/; HttpOnly; SameSite=Lax");
/// assert_eq!(Cookie::removal("session").to_string(), "session=; Max-Age=0");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    name: String,
    value: String,
    path: Option<String>,
    domain: Option<String>,
    max_age: Option<Duration>,
    is_secure: bool,
    is_http_only: bool,
    same_site: Option<SameSite>,
}

/// Whether a cookie goes along with requests that other sites have caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// When a link is followed.
    Lax,
    /// Always; browsers want it to be secure then.
    None,
}

impl Cookie {
    /// A cookie of this name and value. Both have to be what a cookie can carry: no spaces, `;`, `,`, `"`, `\`, and
    /// nothing but ASCII.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            path: None,
            domain: None,
            max_age: None,
            is_secure: false,
            is_http_only: false,
            same_site: None,
        }
    }

    /// Takes a cookie back, if path and domain are those that it was set with.
    pub fn removal(name: impl Into<String>) -> Self {
        Self::new(name, "").max_age(Duration::ZERO)
    }

    /// For which paths; for those beside the one that was asked, unless said.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// For which hosts beside the one that was asked: all that end so.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// How long it lasts, in whole seconds.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// Only over TLS.
    #[must_use]
    pub fn secure(mut self) -> Self {
        self.is_secure = true;
        self
    }

    /// Not for scripts.
    #[must_use]
    pub fn http_only(mut self) -> Self {
        self.is_http_only = true;
        self
    }

    /// See [`SameSite`].
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = Some(same_site);
        self
    }

    /// Whether it says what it is meant to.
    fn is_possible(&self) -> bool {
        let is_graphic = |text: &str, forbidden: &str| {
            text.bytes().all(|byte| byte.is_ascii_graphic() && !forbidden.contains(byte as char))
        };
        let attribute = |text: &Option<String>| {
            text.as_ref().is_none_or(|text| {
                text.bytes().all(|byte| (b' '..0x7f).contains(&byte) && byte != b';')
            })
        };
        !self.name.is_empty()
            && is_graphic(&self.name, "()<>@,;:\\\"/[]?={}")
            && is_graphic(&self.value, "\",;\\")
            && attribute(&self.path)
            && attribute(&self.domain)
    }
}

impl Response {
    /// Sets a cookie, beside others. One that is not possible makes the response impossible, as in
    /// [`Response::header`].
    #[must_use]
    pub fn cookie(mut self, cookie: &Cookie) -> Self {
        if cookie.is_possible() {
            return self.add_header(SET_COOKIE, cookie.to_string());
        }
        self.fault(format!(
            "the cookie {:?} has something in it that no cookie can have",
            cookie.name
        ));
        self
    }
}

impl fmt::Display for Cookie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.name, self.value)?;
        if let Some(path) = &self.path {
            write!(formatter, "; Path={path}")?;
        }
        if let Some(domain) = &self.domain {
            write!(formatter, "; Domain={domain}")?;
        }
        if let Some(max_age) = self.max_age {
            write!(formatter, "; Max-Age={}", max_age.as_secs())?;
        }
        if self.is_secure {
            formatter.write_str("; Secure")?;
        }
        if self.is_http_only {
            formatter.write_str("; HttpOnly")?;
        }
        match self.same_site {
            Some(same_site) => write!(formatter, "; SameSite={same_site:?}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_out_is_not_possible() {
        for (cookie, is_possible) in [
            (Cookie::new("a", "b=c/d+e"), true),
            (Cookie::new("a", ""), true),
            (Cookie::new("a", "b c"), false),
            (Cookie::new("a", "b; Path=/"), false),
            (Cookie::new("a", "b\r\nX: y"), false),
            (Cookie::new("a", "ü"), false),
            (Cookie::new("", "b"), false),
            (Cookie::new("a=b", "c"), false),
            (Cookie::new("a", "b").path("/with space"), true),
            (Cookie::new("a", "b").path("/; Domain=x"), false),
            (Cookie::new("a", "b").domain("x\ny"), false),
        ] {
            assert_eq!(cookie.is_possible(), is_possible, "{cookie}");
        }
        let all = Cookie::new("a", "b").domain("x.org").max_age(Duration::from_secs(60)).secure();
        assert_eq!(
            all.same_site(SameSite::None).to_string(),
            "a=b; Domain=x.org; Max-Age=60; Secure; SameSite=None"
        );
    }
}
