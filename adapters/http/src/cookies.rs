//! Cookies that are kept and sent back: as many as there is room for, the newest ones.

use crate::limits;
use cookie_store::{Cookie, CookieStore, StoreAction};
use lru::LruCache;
use reqwest::header::HeaderValue;
use std::sync::{PoisonError, RwLock};
use url::Url;

/// The cookies of a client.
#[derive(Default)]
pub(crate) struct Cookies(RwLock<Jar>);

struct Jar {
    store: CookieStore,
    /// How many bytes each cookie of the store takes, by when it was set.
    set: LruCache<Key, usize>,
    bytes: usize,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    domain: String,
    path: String,
    name: String,
}

impl reqwest::cookie::CookieStore for Cookies {
    fn set_cookies(&self, headers: &mut dyn Iterator<Item = &HeaderValue>, url: &Url) {
        let mut jar = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for header in headers {
            jar.set(header, url);
        }
    }

    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        let jar = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let pairs =
            jar.store.get_request_values(url).map(|(name, value)| format!("{name}={value}"));
        let pairs: Vec<_> = pairs.collect();
        if pairs.is_empty() {
            return None;
        }
        HeaderValue::from_bytes(pairs.join("; ").as_bytes()).ok()
    }
}

impl Jar {
    /// What is no cookie, not for that host to set, or too long is left out.
    fn set(&mut self, header: &HeaderValue, url: &Url) {
        let text = std::str::from_utf8(header.as_bytes()).ok();
        let cookie = text.and_then(|text| Cookie::parse(text.to_owned(), url).ok());
        let Some(cookie) = cookie else { return };
        let key = Key {
            domain: String::from(&cookie.domain),
            path: String::from(&cookie.path),
            name: cookie.name().to_owned(),
        };
        let bytes = header.len() + key.domain.len() + key.path.len();
        if bytes > limits::COOKIE_BYTES_MAX {
            return;
        }
        match self.store.insert(cookie, url) {
            Ok(StoreAction::ExpiredExisting) => self.remove(&key),
            Ok(StoreAction::Inserted | StoreAction::UpdatedExisting) => self.count(key, bytes),
            Err(_) => {}
        }
    }

    fn count(&mut self, key: Key, bytes: usize) {
        let domain = key.domain.clone();
        self.bytes += bytes;
        self.bytes -= self.set.put(key, bytes).unwrap_or_default();
        let of_domain = self.set.iter().map(|(key, _)| key).filter(|key| key.domain == domain);
        if let Some(oldest) = of_domain.skip(limits::COOKIES_PER_DOMAIN_MAX).last().cloned() {
            self.remove(&oldest);
        }
        while self.set.len() > limits::COOKIES_MAX || self.bytes > limits::COOKIES_BYTES_MAX {
            let Some((oldest, _)) = self.set.peek_lru() else { break };
            let oldest = oldest.clone();
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &Key) {
        self.bytes -= self.set.pop(key).unwrap_or_default();
        self.store.remove(&key.domain, &key.path, &key.name);
    }
}

impl Default for Jar {
    fn default() -> Self {
        Self { store: CookieStore::default(), set: LruCache::unbounded(), bytes: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::cookie::CookieStore as _;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn set(cookies: &Cookies, from: &Url, text: &str) {
        cookies.set_cookies(&mut [HeaderValue::from_str(text).unwrap()].iter(), from);
    }

    fn sent(cookies: &Cookies, to: &Url) -> Vec<String> {
        let header = cookies.cookies(to);
        let text = header.as_ref().map_or("", |header| header.to_str().unwrap());
        let mut pairs: Vec<_> =
            text.split("; ").filter(|pair| !pair.is_empty()).map(str::to_owned).collect();
        pairs.sort();
        pairs
    }

    /// Cookies in the store, those that the list counts, and bytes.
    fn kept(cookies: &Cookies) -> (usize, usize, usize) {
        let jar = cookies.0.read().unwrap();
        assert_eq!(jar.set.iter().map(|(_, bytes)| bytes).sum::<usize>(), jar.bytes);
        (jar.store.iter_any().count(), jar.set.len(), jar.bytes)
    }

    #[test]
    fn cookies_are_changed_and_removed_as_their_host_says() {
        let (cookies, host) = (Cookies::default(), url("http://h/a/b"));
        set(&cookies, &host, "id=7");
        set(&cookies, &host, "id=8");
        set(&cookies, &host, "name=x; Path=/");
        set(&cookies, &host, "not=mine; Domain=other");
        assert_eq!(sent(&cookies, &host), ["id=8", "name=x"]);
        assert_eq!(sent(&cookies, &url("http://h/")), ["name=x"]);
        assert_eq!(sent(&cookies, &url("http://i/a/b")), [""; 0]);
        set(&cookies, &host, "id=; Max-Age=0");
        assert_eq!((sent(&cookies, &host), kept(&cookies).0), (vec!["name=x".to_owned()], 1));
        set(&cookies, &host, "name=; Max-Age=0; Path=/");
        assert_eq!(kept(&cookies), (0, 0, 0));
    }

    #[test]
    fn a_host_that_sets_cookies_without_end_has_its_newest_ones() {
        let (cookies, host) = (Cookies::default(), url("http://h/"));
        set(&cookies, &url("http://other/"), "id=7");
        for number in 0..10_000 {
            set(&cookies, &host, &format!("c{number}=x; Path=/{}", number % 2));
        }
        assert_eq!((kept(&cookies).0, kept(&cookies).1), (51, 51));
        assert_eq!(sent(&cookies, &url("http://h/0")).len(), 25);
        assert!(sent(&cookies, &url("http://h/1")).contains(&"c9999=x".to_owned()));
        assert_eq!(sent(&cookies, &url("http://other/")), ["id=7"]);
    }

    #[test]
    fn hosts_without_end_leave_the_newest_cookies() {
        let cookies = Cookies::default();
        for number in 0..3000 {
            set(&cookies, &url(&format!("http://h{number}/")), "id=7");
        }
        assert_eq!((kept(&cookies).0, kept(&cookies).1), (1000, 1000));
        assert_eq!(sent(&cookies, &url("http://h2999/")), ["id=7"]);
        assert_eq!(sent(&cookies, &url("http://h1999/")), [""; 0]);
    }

    #[test]
    fn long_cookies_are_left_out_and_many_bytes_give_way() {
        let (cookies, host) = (Cookies::default(), url("http://h/"));
        set(&cookies, &host, &format!("long={}", "x".repeat(4096)));
        set(&cookies, &url(&format!("http://h/{}/", "x".repeat(4096))), "id=7");
        assert_eq!(kept(&cookies), (0, 0, 0));
        for number in 0..900 {
            let host = url(&format!("http://h{number}/"));
            set(&cookies, &host, &format!("id={}", "x".repeat(4000)));
        }
        let (count, counted, bytes) = kept(&cookies);
        assert!(count == counted && bytes <= 1 << 20 && bytes > (1 << 20) - 4096, "{bytes}");
        assert_eq!(sent(&cookies, &url("http://h899/")).len(), 1);
    }
}
