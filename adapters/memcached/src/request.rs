//! Requests, as they are written. They are made of checked keys and of numbers, and of nothing else.

use crate::expiry::expiry;
use crate::item::{Cas, Item};
use crate::key::Key;
use crate::limits::KEYS_PER_LINE_MAX;
use crate::options::Login;
use bytes::Bytes;
use std::io::Write;
use std::time::Duration;
use workyard_adapter_kit::Error;

const LOGIN_KEY: &str = "workyard-memcached-login";

/// A line, and for what is stored the value behind it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: Vec<u8>,
    pub(crate) data: Option<Bytes>,
}

impl Request {
    /// A line without anything that was given.
    pub(crate) fn plain(line: &'static str) -> Self {
        Self { line: line.as_bytes().to_vec(), data: None }
    }

    /// `VERB KEY`.
    pub(crate) fn keyed(verb: &str, key: Key<'_>) -> Self {
        Self::line(verb, key, format_args!(""))
    }

    /// `VERB KEY NUMBER`.
    pub(crate) fn with_number(verb: &str, key: Key<'_>, number: u64) -> Self {
        Self::line(verb, key, format_args!(" {number}"))
    }

    /// `VERB KEY FLAGS EXPIRY LENGTH`, with `cas` one number more, and the value.
    pub(crate) fn storing(
        verb: &str,
        key: Key<'_>,
        item: Item,
        ttl: Duration,
        cas: Option<Cas>,
    ) -> Result<Self, Error> {
        let Item { data, flags } = item;
        let (expiry, length) = (expiry(ttl)?, data.len());
        let request = match cas {
            None => Self::line(verb, key, format_args!(" {flags} {expiry} {length}")),
            Some(Cas(cas)) => {
                Self::line(verb, key, format_args!(" {flags} {expiry} {length} {cas}"))
            }
        };
        Ok(Self { data: Some(data), ..request })
    }

    /// What a server with an `--auth-file` wants to hear first. It looks like a `set`, whose key is of no
    /// meaning there. A server without one takes it for a real `set`: then it is under a key that nobody
    /// uses, and has expired already.
    pub(crate) fn login(login: &Login) -> Self {
        let data = format!("{} {}", login.user, login.password);
        let line = format!("set {LOGIN_KEY} 0 -1 {}\r\n", data.len());
        Self { line: line.into_bytes(), data: Some(data.into()) }
    }

    fn line(verb: &str, key: Key<'_>, rest: std::fmt::Arguments<'_>) -> Self {
        const NUMBERS_BYTES: usize = 64;
        let mut line = Vec::with_capacity(verb.len() + key.bytes().len() + NUMBERS_BYTES);
        line.extend_from_slice(verb.as_bytes());
        line.push(b' ');
        line.extend_from_slice(key.bytes());
        line.write_fmt(rest).expect("a buffer takes everything");
        line.extend_from_slice(b"\r\n");
        Self { line, data: None }
    }
}

/// A line that asks for values, and the keys in it.
#[derive(Debug)]
pub(crate) struct Lookup<'a> {
    pub(crate) request: Request,
    pub(crate) keys: &'a [Key<'a>],
}

impl<'a> Lookup<'a> {
    /// `VERB KEY KEY …`.
    pub(crate) fn new(verb: &str, keys: &'a [Key<'a>]) -> Self {
        let length = keys.iter().map(|key| 1 + key.bytes().len()).sum::<usize>();
        let mut line = Vec::with_capacity(verb.len() + length + 2);
        line.extend_from_slice(verb.as_bytes());
        for key in keys {
            line.push(b' ');
            line.extend_from_slice(key.bytes());
        }
        line.extend_from_slice(b"\r\n");
        Self { request: Request { line, data: None }, keys }
    }

    /// The same in as many lines as it takes.
    pub(crate) fn lines(verb: &str, keys: &'a [Key<'a>]) -> Vec<Self> {
        keys.chunks(KEYS_PER_LINE_MAX).map(|keys| Self::new(verb, keys)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key<'_> {
        Key::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn requests_byte_by_byte() {
        let item = Item::from("va\r\nlue").with_flags(7);
        let ttl = Duration::from_millis(1001);
        let set = Request::storing("set", key("k"), item.clone(), ttl, None).unwrap();
        assert_eq!(
            (&*set.line, set.data.as_deref()),
            (&b"set k 7 2 7\r\n"[..], Some(&b"va\r\nlue"[..]))
        );
        let cas = Request::storing("cas", key("k"), item, Duration::ZERO, Some(Cas(99))).unwrap();
        assert_eq!(&*cas.line, b"cas k 7 0 7 99\r\n");
        assert_eq!(&*Request::keyed("delete", key("k")).line, b"delete k\r\n");
        let incr = Request::with_number("incr", key("größe"), u64::MAX);
        assert_eq!(&*incr.line, "incr größe 18446744073709551615\r\n".as_bytes());
        let login = Login { user: "u".to_owned(), password: "p w".to_owned() };
        let login = Request::login(&login);
        assert_eq!(
            (&*login.line, &*login.data.unwrap()),
            (&b"set workyard-memcached-login 0 -1 5\r\n"[..], &b"u p w"[..])
        );
    }

    #[test]
    fn many_keys_take_several_lines() {
        let names: Vec<String> = (0..250).map(|number| format!("k{number}")).collect();
        let keys: Vec<Key<'_>> = names.iter().map(|name| key(name)).collect();
        let lines = Lookup::lines("get", &keys);
        let counts =
            lines.iter().map(|lookup| lookup.request.line.split(|byte| *byte == b' ').count());
        assert_eq!(counts.collect::<Vec<_>>(), [101, 101, 51]);
        let last = &lines[2];
        assert!(last.request.line.starts_with(b"get k200 k201 "));
        assert!(last.request.line.ends_with(b" k249\r\n") && last.keys.len() == 50);
    }
}
