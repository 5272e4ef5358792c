//! The driver's clients: one, and one more for each proxy that requests name.

use crate::cookies::Cookies;
use crate::error;
use crate::limits;
use crate::options::Options;
use lru::LruCache;
use reqwest::{Client, Proxy, redirect};
use rustls::ClientConfig;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use workyard_adapter_kit::{Error, ErrorKind, Result};

/// What makes clients, and those that it has made, with their connections.
pub(crate) struct Clients {
    options: Options,
    tls: ClientConfig,
    made: Mutex<Option<Made>>,
}

struct Made {
    usual: Client,
    by_proxy: LruCache<Box<str>, Client>,
}

impl Clients {
    pub(crate) fn new(options: Options) -> Result<Self> {
        let mut tls = options.tls.client_config()?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let usual = build(&options, &tls, options.proxy.as_deref())?;
        let proxies_max = NonZeroUsize::new(limits::PROXIES_MAX).expect("it is not zero");
        let made = Made { usual, by_proxy: LruCache::new(proxies_max) };
        Ok(Self { options, tls, made: Mutex::new(Some(made)) })
    }

    /// The client for requests that name no proxy.
    pub(crate) fn usual(&self) -> Result<Client> {
        self.made().as_ref().map(|made| made.usual.clone()).ok_or_else(closed)
    }

    /// The client for requests through this proxy.
    pub(crate) fn through(&self, proxy: &str) -> Result<Client> {
        let mut made = self.made();
        let made = made.as_mut().ok_or_else(closed)?;
        if let Some(client) = made.by_proxy.get(proxy) {
            return Ok(client.clone());
        }
        let client = build(&self.options, &self.tls, Some(proxy))
            .map_err(|error| Error::new(ErrorKind::InvalidRequest, error.message()))?;
        made.by_proxy.put(proxy.into(), client.clone());
        Ok(client)
    }

    /// Ends all idle connections.
    pub(crate) fn close(&self) {
        *self.made() = None;
    }

    fn made(&self) -> MutexGuard<'_, Option<Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Redirects are not the driver's: it would follow them to other hosts without a place there.
fn build(options: &Options, tls: &ClientConfig, proxy: Option<&str>) -> Result<Client> {
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(&options.user_agent)
        .gzip(options.compression)
        .connect_timeout(options.calls.connect_timeout)
        .pool_idle_timeout(options.calls.idle_timeout)
        .pool_max_idle_per_host(options.calls.calls_max);
    if options.cookies {
        builder = builder.cookie_provider(Arc::new(Cookies::default()));
    }
    if let Some(resolver) = &options.resolver {
        builder = builder.dns_resolver(resolver.clone());
    }
    builder = match proxy {
        Some(url) => builder.proxy(read_proxy(url)?),
        None if options.environment_proxies => builder,
        None => builder.no_proxy(),
    };
    builder.build().map_err(|error| {
        let error = error::from_driver(error);
        Error::new(ErrorKind::InvalidOptions, error.message()).with_source(error)
    })
}

/// The text may hold a password, so it is not repeated.
fn read_proxy(text: &str) -> Result<Proxy> {
    const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];
    let url =
        url::Url::parse(text).ok().filter(|url| SCHEMES.contains(&url.scheme()) && url.has_host());
    let proxy = url.and_then(|url| Proxy::all(url).ok());
    proxy.ok_or_else(|| {
        let message = "the proxy cannot be used; write http://HOST:PORT or socks5://HOST:PORT";
        Error::new(ErrorKind::InvalidOptions, message)
    })
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the adapter is closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_is_none_is_refused_without_its_password() {
        for text in ["", "secret", "ftp://u:secret@h", "http://u:secret@", "socks4:secret"] {
            let error = read_proxy(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for text in ["http://u:p@h:3128", "https://h", "socks5://h:1080", "socks5h://h"] {
            read_proxy(text).unwrap();
        }
    }
}
