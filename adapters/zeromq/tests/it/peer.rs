//! libzmq as a peer, and what the tests share.

use std::net::SocketAddr;
use std::time::Duration;
use workyard_testbed::{Port, PythonPeer};
use workyard_zeromq::Options;

pub(crate) const MOMENT: Duration = Duration::from_millis(50);
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A socket of libzmq, told what to do by lines; see `peer.py`.
pub(crate) async fn peer(
    kind: &str,
    how: &str,
    address: SocketAddr,
    options: &[&str],
) -> PythonPeer {
    let endpoint = format!("tcp://{address}");
    let arguments = [&[kind, how, &endpoint], options].concat();
    let mut peer = PythonPeer::start(include_str!("peer.py"), &arguments).await;
    assert_eq!(peer.line().await, "ready");
    peer
}

/// An address that nobody else takes, for as long as the port is kept.
pub(crate) fn address(port: &Port) -> SocketAddr {
    ([127, 0, 0, 1], port.number()).into()
}

pub(crate) fn connects(address: SocketAddr) -> Options {
    let mut options = Options::new(format!("tcp://{address}"));
    options.reconnect.first = Duration::from_millis(10);
    options.reconnect.max = Duration::from_millis(100);
    options
}

pub(crate) fn binds() -> Options {
    Options::new("@tcp://127.0.0.1:0")
}
