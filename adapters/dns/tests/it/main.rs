//! The adapter against dnsmasq, with a relay of datagrams in between where something has to go wrong.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod crowd;
mod hosts;
#[cfg(feature = "http")]
mod http;
mod kept;
mod records;
mod relay;
mod trouble;
mod worker;

use workyard_dns::{Dns, Options};
use workyard_testbed::Dnsmasq;

/// Asks that server, with the hosts file left out and short waits.
pub(crate) fn options(server: impl std::fmt::Display) -> Options {
    let mut options = Options::new(format!("dns://{server}"));
    options.hosts = false;
    options.calls.retry.backoff.first = std::time::Duration::from_millis(1);
    options
}

pub(crate) fn dns(server: &Dnsmasq) -> Dns {
    Dns::with(options(server.address())).unwrap()
}
