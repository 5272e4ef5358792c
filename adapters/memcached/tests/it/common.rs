//! What the tests share.

use std::net::SocketAddr;
use std::time::Duration;
use workyard_memcached::{Memcached, Options};
use workyard_testbed::{Memcached as Server, Relay};

pub(crate) const FOREVER: Duration = Duration::ZERO;
pub(crate) const MOMENT: Duration = Duration::from_millis(50);

pub(crate) fn url(address: SocketAddr) -> String {
    format!("memcached://{address}")
}

pub(crate) fn open(address: SocketAddr) -> Memcached {
    Memcached::open(&url(address)).unwrap()
}

/// A server and a handle for it.
pub(crate) async fn server() -> (Server, Memcached) {
    let server = Server::start().await;
    let memcached = open(server.address());
    (server, memcached)
}

/// A server behind a relay, and options for it whose calls end soon and are made once.
pub(crate) async fn relayed() -> (Server, Relay, Options) {
    let server = Server::start().await;
    let relay = Relay::to(server.address()).await;
    let mut options = Options::new(url(relay.address()));
    options.calls.request_timeout = Duration::from_millis(300);
    options.calls.call_timeout = Duration::from_secs(1);
    options.calls.retry.attempts_max = 1;
    options.calls.breaker.failures_max = 0;
    (server, relay, options)
}

/// A number of the server's own statistics.
pub(crate) async fn counted(memcached: &Memcached, name: &str) -> u64 {
    let all = memcached.server_stats(None).await.unwrap();
    all.iter().map(|(_, stats)| stats[name].parse::<u64>().unwrap()).sum()
}
