//! Where a service is, in one line: `scheme://user:password@host:port/path?option=value`.

use crate::duration;
use crate::error::{Error, ErrorKind};
use percent_encoding::percent_decode_str;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A URL that is being read: an adapter takes what it knows, and [`ServiceUrl::finish`] refuses what is
/// left.
#[derive(Clone)]
pub struct ServiceUrl {
    url: Url,
    /// The hosts after the first, where there may be several, with the ports that are given.
    others: Vec<(String, Option<u16>)>,
    parameters: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl ServiceUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// When it is none, or its scheme is none of `schemes`.
    pub fn parse(text: &str, schemes: &[&str]) -> Result<Self, Error> {
        // The text may hold a password, so it is not repeated.
        let url = Url::parse(text).map_err(|error| {
            let example = schemes.first().copied().unwrap_or("service");
            invalid(format!("the URL cannot be read ({error}); write {example}://HOST:PORT"))
        })?;
        if !schemes.contains(&url.scheme()) {
            return Err(invalid(format!(
                "the URL begins with {}://; it can begin with {}://",
                url.scheme(),
                schemes.join(":// or ")
            )));
        }
        check_shape(&url)?;
        let parameters = parameters_of(&url)?;
        Ok(Self { parameters, url, others: Vec::new(), known: Vec::new() })
    }

    /// As [`ServiceUrl::parse`], where there may be several hosts: `scheme://user@a:1,b:2,c/path`.
    ///
    /// # Errors
    /// Those of [`ServiceUrl::parse`], of each host.
    pub fn parse_several(text: &str, schemes: &[&str]) -> Result<Self, Error> {
        let (start, end) = hosts_of(text);
        let mut hosts = text[start..end].split(',');
        let first = hosts.next().unwrap_or_default();
        if first.is_empty() && text[start..end].contains(',') {
            return Err(invalid("there is nothing before a comma in the URL".to_owned()));
        }
        if text[..start].matches('@').count() > 1 {
            let message = "the URL has more than one @ before its path: user and password stand once, \
                           before all hosts, and an @ in them is written %40";
            return Err(invalid(message.to_owned()));
        }
        let mut parsed =
            Self::parse(&format!("{}{first}{}", &text[..start], &text[end..]), schemes)?;
        for host in hosts {
            let url = Self::parse(&format!("{}://{host}", parsed.scheme()), schemes)?;
            if host.is_empty() {
                return Err(invalid("there is nothing between two commas in the URL".to_owned()));
            }
            parsed.others.push((url.host().to_owned(), url.url.port()));
        }
        Ok(parsed)
    }

    /// What is before `://`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// The host, without the brackets of an IPv6 address. `127.0.0.1` when the URL has none.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.url.host_str().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1");
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port, or the usual one of the service.
    #[must_use]
    pub fn port_or(&self, usual: u16) -> u16 {
        self.url.port().unwrap_or(usual)
    }

    /// All hosts with their ports, or the usual one of the service.
    #[must_use]
    pub fn hosts(&self, usual_port: u16) -> Vec<(String, u16)> {
        let first = (self.host().to_owned(), self.port_or(usual_port));
        let others = self.others.iter().cloned();
        let others = others.map(|(host, port)| (host, port.unwrap_or(usual_port)));
        std::iter::once(first).chain(others).collect()
    }

    /// The user, if there is one.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn username(&self) -> Result<Option<String>, Error> {
        match self.url.username() {
            "" => Ok(None),
            name => decoded("user", name).map(Some),
        }
    }

    /// The password, if there is one.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn password(&self) -> Result<Option<String>, Error> {
        self.url.password().map(|password| decoded("password", password)).transpose()
    }

    /// The path without its leading slash, decoded; none when empty.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn path(&self) -> Result<Option<String>, Error> {
        match self.url.path().strip_prefix('/').unwrap_or(self.url.path()) {
            "" => Ok(None),
            path => decoded("path", path).map(Some),
        }
    }

    /// The URL as it was given, password included.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Takes the parameter of that name as a text.
    pub fn take_text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let mut value = None;
        self.parameters.retain(|(key, text)| {
            let is_it = key == name;
            if is_it {
                value = Some(text.clone());
            }
            !is_it
        });
        value
    }

    /// Takes the parameter of that name; `what` says what it should be.
    ///
    /// # Errors
    /// When it is not that.
    pub fn take<T: FromStr>(&mut self, name: &'static str, what: &str) -> Result<Option<T>, Error> {
        let text = self.take_text(name);
        let parse = |text: String| {
            text.parse().map_err(|_| invalid(format!("{name}={text} in the URL: it is {what}")))
        };
        text.map(parse).transpose()
    }

    /// Takes the parameter of that name as a duration: `250ms`, `5s`.
    ///
    /// # Errors
    /// When it is none.
    pub fn take_duration(&mut self, name: &'static str) -> Result<Option<Duration>, Error> {
        let text = self.take_text(name);
        text.map(|text| {
            duration::parse(&text).map_err(|error| invalid(format!("{name} in the URL: {error}")))
        })
        .transpose()
    }

    /// Puts the parameter of that name into its place, if the URL has it; `what` says what it should be.
    ///
    /// # Errors
    /// When it is not that.
    pub fn take_into<T: FromStr>(
        &mut self,
        name: &'static str,
        what: &str,
        place: &mut T,
    ) -> Result<(), Error> {
        if let Some(value) = self.take(name, what)? {
            *place = value;
        }
        Ok(())
    }

    /// The same for a text.
    pub fn take_text_into(&mut self, name: &'static str, place: &mut String) {
        if let Some(text) = self.take_text(name) {
            *place = text;
        }
    }

    /// The same for a duration.
    ///
    /// # Errors
    /// When it is none.
    pub fn take_duration_into(
        &mut self,
        name: &'static str,
        place: &mut Duration,
    ) -> Result<(), Error> {
        if let Some(duration) = self.take_duration(name)? {
            *place = duration;
        }
        Ok(())
    }

    /// Refuses parameters that nobody took.
    ///
    /// # Errors
    /// When there is one; names those that there are.
    pub fn finish(mut self) -> Result<(), Error> {
        let Some((name, _)) = self.parameters.first() else { return Ok(()) };
        self.known.sort_unstable();
        Err(invalid(format!(
            "the URL has a parameter {name:?} that does not exist; there are {}",
            self.known.join(", ")
        )))
    }

    /// Where that is, for people and metrics: `host:port/path`, without user, password and parameters.
    #[must_use]
    pub fn target(&self, usual_port: u16) -> Arc<str> {
        let hosts: Vec<_> = self.hosts(usual_port).into_iter().map(host_and_port).collect();
        format!("{}{}", hosts.join(","), self.url.path().trim_end_matches('/')).into()
    }
}

/// What is no URL of a service, though it is a URL: most of it are passwords with characters that end them.
fn check_shape(url: &Url) -> Result<(), Error> {
    let wrong = if !url.has_authority() {
        "the URL lacks the // behind its scheme"
    } else if url.fragment().is_some() {
        "the URL has a #; in a user or password it is written %23, in a path or parameter too"
    } else if url.path().contains('@') {
        "the URL has an @ in its path; a / or ? in a password is written %2F or %3F, and an @ in a path %40"
    } else {
        return Ok(());
    };
    Err(invalid(wrong.to_owned()))
}

fn parameters_of(url: &Url) -> Result<Vec<(String, String)>, Error> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for pair in url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name.contains('@') {
            let message = "the URL has an @ before its first =; a ? in a password is written %3F";
            return Err(invalid(message.to_owned()));
        }
        let (name, value) = (decoded("parameters", name)?, decoded("parameters", value)?);
        if parameters.iter().any(|(earlier, _)| *earlier == name) {
            return Err(invalid(format!("the URL has the parameter {name:?} twice")));
        }
        parameters.push((name, value));
    }
    Ok(parameters)
}

/// Where in a URL its hosts are.
fn hosts_of(text: &str) -> (usize, usize) {
    let authority = text.find("://").map_or(text.len(), |place| place + 3);
    let rest = &text[authority..];
    let end = authority + rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let start = text[authority..end].rfind('@').map_or(authority, |place| authority + place + 1);
    (start, end)
}

fn host_and_port((host, port): (String, u16)) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The password is not shown.
impl fmt::Debug for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted(self.url.as_str()))
    }
}

/// A URL without its password, for logs and `Debug`; what cannot be read is not repeated.
#[must_use]
pub fn redacted(text: &str) -> String {
    let (start, end) = hosts_of(text);
    let Some((first, others)) = text[start..end].split_once(',') else { return redacted_one(text) };
    let mut shown = redacted_one(&format!("{}{first}{}", &text[..start], &text[end..]));
    match hosts_of(&shown) {
        (start, end) if start < end => shown.insert_str(end, &format!(",{others}")),
        _ => {}
    }
    shown
}

fn redacted_one(text: &str) -> String {
    let shown =
        Url::parse(text).ok().filter(|url| check_shape(url).is_ok()).and_then(without_secrets);
    shown.map_or_else(|| "(no URL)".to_owned(), Into::into)
}

fn without_secrets(mut url: Url) -> Option<Url> {
    match (url.username().is_empty(), url.password().is_some()) {
        (_, true) => url.set_password(Some("...")).ok()?,
        // Alone it is a token as often as a name.
        (false, false) => url.set_username("...").ok()?,
        (true, false) => {}
    }
    if let Some(query) = url.query() {
        let shown: Vec<_> = query.split('&').map(shown_parameter).collect();
        let shown = shown.join("&");
        url.set_query(Some(&shown));
    }
    Some(url)
}

/// A parameter may be a URL with a user, or a secret by its name.
fn shown_parameter(pair: &str) -> String {
    const SECRETS: [&str; 4] = ["password", "passcode", "secret", "token"];
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let named = SECRETS.iter().any(|secret| name.contains(secret));
    let user = value.contains('@') || value.to_ascii_lowercase().contains("%40");
    match (name.contains('@'), named || user) {
        (true, _) => "...".to_owned(),
        (false, true) => format!("{name}=..."),
        (false, false) => pair.to_owned(),
    }
}

fn decoded(what: &str, text: &str) -> Result<String, Error> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(Into::into).map_err(|_| invalid(format!("the {what} in the URL is not UTF-8")))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOptions, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_read() {
        let text = "mysql://us%40er:p%3Ass@[::1]:3307/shop?a=3&b=/c++/%C3%A4";
        let mut url = ServiceUrl::parse(text, &["mysql"]).unwrap();
        assert_eq!((url.host(), url.port_or(3306)), ("::1", 3307));
        assert_eq!(url.username().unwrap().as_deref(), Some("us@er"));
        assert_eq!(url.password().unwrap().as_deref(), Some("p:ss"));
        assert_eq!(url.path().unwrap().as_deref(), Some("shop"));
        assert_eq!(url.take::<u32>("a", "a number").unwrap(), Some(3));
        assert_eq!(url.take_text("b").as_deref(), Some("/c++/ä"));
        assert_eq!(&*url.target(3306), "[::1]:3307/shop");
        assert_eq!(format!("{url:?}"), "mysql://us%40er:...@[::1]:3307/shop?a=3&b=/c++/%C3%A4");
        url.finish().unwrap();
    }

    #[test]
    fn several_hosts_are_read_where_there_may_be_several() {
        let parse = |text| ServiceUrl::parse_several(text, &["redis"]);
        let url = parse("redis://u:p,@a:1,b,[::1]:3/0?x=1,2").unwrap();
        let hosts = [("a".to_owned(), 1), ("b".to_owned(), 9), ("::1".to_owned(), 3)];
        assert_eq!(url.hosts(9), hosts);
        assert_eq!(url.password().unwrap().as_deref(), Some("p,"));
        assert_eq!(&*url.target(9), "a:1,b:9,[::1]:3/0");
        assert_eq!(parse("redis://h").unwrap().hosts(9), [("h".to_owned(), 9)]);
        let wrong = |text| parse(text).unwrap_err().to_string();
        assert_eq!(wrong("redis://a,"), "there is nothing between two commas in the URL");
        assert_eq!(wrong("redis://,b"), "there is nothing before a comma in the URL");
        assert!(wrong("redis://u:p@a,u:p@b/0").contains("stand once, before all hosts"));
        assert!(wrong("redis://a,b:c").contains("invalid port number"));
        assert!(ServiceUrl::parse("redis://a:1,b:2", &["redis"]).is_err());
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let url = ServiceUrl::parse("redis://", &["redis"]).unwrap();
        assert_eq!((url.host(), url.port_or(6379)), ("127.0.0.1", 6379));
        assert_eq!((url.username().unwrap(), url.path().unwrap()), (None, None));
        assert_eq!(&*url.target(6379), "127.0.0.1:6379");
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right_and_never_the_password() {
        let wrong = |text: &str| {
            let mut url = match ServiceUrl::parse(text, &["redis", "rediss"]) {
                Ok(url) => url,
                Err(error) => return error.to_string(),
            };
            let taken = url
                .take::<u32>("db", "a number")
                .map(drop)
                .and_then(|()| url.take_duration("request_timeout").map(drop));
            taken.and_then(|()| url.finish()).unwrap_err().to_string()
        };
        assert_eq!(
            wrong("redis://:secret@h:port"),
            "the URL cannot be read (invalid port number); write redis://HOST:PORT"
        );
        assert_eq!(
            wrong("http://:secret@h"),
            "the URL begins with http://; it can begin with redis:// or rediss://"
        );
        assert_eq!(wrong("redis://:secret@h?db=x"), "db=x in the URL: it is a number");
        assert_eq!(
            wrong("redis://:secret@h?dbb=1"),
            "the URL has a parameter \"dbb\" that does not exist; there are db, request_timeout"
        );
        let wrong = wrong("redis://:secret@h?request_timeout=5");
        assert!(wrong.starts_with("request_timeout in the URL: \"5\" is no duration"), "{wrong}");
    }

    #[test]
    fn a_password_that_ends_too_early_is_neither_used_nor_shown() {
        let cases = [
            ("redis:u:secret@h/0", "lacks the //"),
            ("redis:/u:secret@h/0", "lacks the //"),
            ("redis://u:12/secret@h", "%2F"),
            ("redis://u:12#secret@h/0", "%23"),
            ("redis://u:12?secret@h", "%3F"),
            ("redis://h?a=%FF", "not UTF-8"),
            ("redis://h?a=1&a=2", "the parameter \"a\" twice"),
        ];
        for (text, expected) in cases {
            let error = ServiceUrl::parse(text, &["redis"]).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("secret"), "{text}: {error}");
            assert!(!redacted(text).contains("secret"), "{text}: {}", redacted(text));
        }
        let url = ServiceUrl::parse("amqp://h//vhost", &["amqp"]).unwrap();
        assert_eq!(url.path().unwrap().as_deref(), Some("/vhost"));
    }

    #[test]
    fn secrets_elsewhere_are_not_shown_either() {
        assert_eq!(redacted("https://secret@api/v1"), "https://...@api/v1");
        let text = "http://h?proxy=http://u:secret@p&calls_max=5&sentinel_password=secret";
        assert_eq!(redacted(text), "http://h/?proxy=...&calls_max=5&sentinel_password=...");
    }

    #[test]
    fn a_redacted_url_keeps_all_but_the_password() {
        assert_eq!(redacted("amqp://u:p@h/v"), "amqp://u:...@h/v");
        assert_eq!(redacted("amqp://h/v"), "amqp://h/v");
        assert_eq!(redacted("u:p h"), "(no URL)");
        assert_eq!(redacted("redis://u:p,q@a:1,b/0"), "redis://u:...@a:1,b/0");
        assert_eq!(redacted("redis://u:p@a:x,b"), "(no URL)");
    }
}
