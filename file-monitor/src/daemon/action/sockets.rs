//! Who listens on a port, without connecting to it or binding it: as `/proc/net` has it.

use crate::daemon::config::Port;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const LISTENING: &[&str] = &["0A"];
/// Closed on one side or on both, and not forgotten yet: FIN_WAIT1, FIN_WAIT2, TIME_WAIT and CLOSING.
const LINGERING: &[&str] = &["04", "05", "06", "0B"];

/// Whether somebody listens there. A listener on `[::]` counts as one on every address: whether it leaves
/// those of IPv4 to others is not told.
pub(super) fn is_taken(port: &Port) -> bool {
    has_sockets(port, LISTENING)
}

/// Whether connections that are over still hold the port for who listens without `SO_REUSEADDR`.
pub(super) fn is_held_by_the_past(port: &Port) -> bool {
    has_sockets(port, LINGERING)
}

fn has_sockets(port: &Port, states: &[&str]) -> bool {
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|file| {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().skip(1).filter_map(|line| socket(line, states)).any(|(address, number)| {
            match port {
                Port::Number(wanted) => number == *wanted,
                Port::Address(wanted) => {
                    number == wanted.port()
                        && (address.is_unspecified()
                            || wanted.ip().is_unspecified()
                            || address.to_canonical() == wanted.ip().to_canonical())
                }
            }
        })
    })
}

/// The address of a line, if it is of a socket in one of the states:
/// `  0: 0100007F:1F90 00000000:0000 0A ...`.
fn socket(line: &str, states: &[&str]) -> Option<(IpAddr, u16)> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, _, state) = (fields.next()?, fields.next()?, fields.next()?);
    if !states.contains(&state) {
        return None;
    }
    let (address, port) = local.split_once(':')?;
    Some((parse(address)?, u16::from_str_radix(port, 16).ok()?))
}

/// Words of 32 bits, each in the order of the machine.
fn parse(hexadecimal: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for start in (0..hexadecimal.len()).step_by(8) {
        let word = u32::from_str_radix(hexadecimal.get(start..start + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    match bytes.len() {
        4 => Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?))),
        16 => Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_listener_is_seen_and_its_end_too() {
        for address in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let address = listener.local_addr().unwrap();
            let ports = [Port::Number(address.port()), Port::Address(address)];
            assert!(ports.iter().all(is_taken), "{address}");
            let other = Port::Address((Ipv4Addr::new(10, 9, 8, 7), address.port()).into());
            assert_eq!(is_taken(&other), address.ip().is_unspecified());
            drop(listener);
            assert!(!ports.iter().any(is_taken), "{address}");
        }
    }

    #[test]
    fn a_connection_that_was_closed_holds_the_port_a_while() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let port = Port::Address(address);
        let client = std::net::TcpStream::connect(address).unwrap();
        let (served, _) = listener.accept().unwrap();
        assert!(!is_held_by_the_past(&port));
        drop((served, listener));
        assert!(is_held_by_the_past(&port) && !is_taken(&port));
        drop(client);
        assert!(is_held_by_the_past(&port));
    }
}
