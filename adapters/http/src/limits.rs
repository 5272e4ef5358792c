//! What may grow, and how far unless an option says otherwise.

/// Longest body of a response that is collected, unpacked: 16 MiB.
pub(crate) const RESPONSE_BYTES_MAX: usize = 16 << 20;
/// Longest body of a request that is not streamed: 16 MiB.
pub(crate) const REQUEST_BYTES_MAX: usize = 16 << 20;
/// Redirects that are followed, as with the original.
pub(crate) const REDIRECTS_MAX: u32 = 5;
/// Hosts that are told apart at the same time.
pub(crate) const HOSTS_MAX: usize = 1024;
/// Calls under way per host, as with the original.
pub(crate) const CALLS_MAX: usize = 128;
/// Cookies that are kept for a domain, as browsers do at least.
pub(crate) const COOKIES_PER_DOMAIN_MAX: usize = 50;
/// Cookies that are kept in all.
pub(crate) const COOKIES_MAX: usize = 1000;
/// Longest `Set-Cookie` that is taken, domain and path of the cookie on top: 4 KiB.
pub(crate) const COOKIE_BYTES_MAX: usize = 4 << 10;
/// All cookies that are kept, measured the same way: 1 MiB.
pub(crate) const COOKIES_BYTES_MAX: usize = 1 << 20;
/// Proxies named by requests whose connections are kept.
pub(crate) const PROXIES_MAX: usize = 32;
