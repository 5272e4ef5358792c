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
/// Proxies named by requests whose connections are kept.
pub(crate) const PROXIES_MAX: usize = 32;
