//! A port of 127.0.0.1 that nobody else takes.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

/// Below those that the system gives to outgoing connections: such a one would have taken the port
/// of a server that is down for a moment, or a client would even be connected to itself.
const NUMBERS: Range<u16> = 10_000..32_000;
const ATTEMPTS_MAX: usize = 1_000;

/// A port that is free, or used by the server that it was chosen for.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// The claim of this process among all that use this crate: a name that the system frees when
    /// the process ends.
    _claim: UnixListener,
}

impl Port {
    /// One that is free for TCP and UDP. It stays claimed until this is dropped.
    ///
    /// # Panics
    /// When there seems to be none.
    #[must_use]
    pub fn free() -> Self {
        let mut numbers = (0..ATTEMPTS_MAX).map(|_| fastrand::u16(NUMBERS));
        numbers.find_map(Self::claim).expect("some port is free")
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    fn claim(number: u16) -> Option<Self> {
        let name = SocketAddr::from_abstract_name(format!("workyard-testbed-{number}")).ok()?;
        let claim = UnixListener::bind_addr(&name).ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        Some(Self { number, _claim: claim })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_claimed_once() {
        let port = Port::free();
        assert!(Port::claim(port.number()).is_none());
        let number = port.number();
        drop(port);
        assert_eq!(Port::claim(number).map(|port| port.number()), Some(number));
    }

    #[test]
    fn a_port_that_is_used_is_not_chosen() {
        let port = Port::free();
        let number = port.number();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).unwrap();
        drop(port);
        assert!(Port::claim(number).is_none());
        drop(listener);
    }
}
