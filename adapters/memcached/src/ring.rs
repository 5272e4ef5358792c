//! Which server has a key: the ring of libketama, as libmemcached and PHP's memcached draw it.
//!
//! Each server stands at about 160 points of a ring of 2^32, four of each MD5 of `host-N` (`host:port-N`
//! where the port is not 11211); with weights, at more or fewer. A key belongs to the server of the first
//! point at or after the first four bytes of its own MD5. The arithmetic is that of libmemcached's
//! `update_continuum`, single precision included: with `OPT_LIBKETAMA_COMPATIBLE`, PHP finds the same
//! servers.

use crate::options::Address;
use md5::{Digest, Md5};

const POINTS: f32 = 160.0;
const POINTS_PER_HASH: usize = 4;
const USUAL_PORT: u16 = 11211;

#[derive(Debug)]
pub(crate) struct Ring {
    points: Vec<Point>,
    servers: usize,
}

#[derive(Debug)]
struct Point {
    value: u32,
    server: usize,
}

impl Ring {
    pub(crate) fn new(addresses: &[Address]) -> Self {
        let total: u32 = addresses.iter().map(|address| address.weight).sum();
        let mut points = Vec::new();
        for (server, address) in addresses.iter().enumerate() {
            for number in 0..hashes(address.weight, total, addresses.len()) {
                let digest = Md5::digest(name(address, number));
                let values = digest.chunks_exact(POINTS_PER_HASH).map(little_endian);
                points.extend(values.map(|value| Point { value, server }));
            }
        }
        points.sort_by_key(|point| point.value);
        Self { points, servers: addresses.len() }
    }

    /// The server of a key, among those that are not `down`; none when all are.
    pub(crate) fn server(&self, key: &[u8], down: &[usize]) -> Option<usize> {
        if self.servers == 1 {
            return Some(0).filter(|server| !down.contains(server));
        }
        let value = little_endian(&Md5::digest(key)[..4]);
        let first = self.points.partition_point(|point| point.value < value);
        let (before, after) = self.points.split_at(first);
        let mut servers = after.iter().chain(before).map(|point| point.server);
        servers.find(|server| !down.contains(server))
    }
}

/// How many hashes give a server its points. Single precision is what makes it the same ring.
fn hashes(weight: u32, total: u32, servers: usize) -> u32 {
    let share = weight as f32 / total as f32;
    let exact = share * POINTS / 4.0 * servers as f32;
    (f64::from(exact) + 0.000_000_000_1).floor() as u32
}

fn name(address: &Address, number: u32) -> String {
    match address.port {
        USUAL_PORT => format!("{}-{number}", address.host),
        port => format!("{}:{port}-{number}", address.host),
    }
}

fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<Address> {
        let address = |text: &str| {
            let (place, weight) = text.split_once('*').unwrap();
            let (host, port) = place.split_once(':').unwrap();
            Address {
                host: host.to_owned(),
                port: port.parse().unwrap(),
                weight: weight.parse().unwrap(),
            }
        };
        text.split(',').map(address).collect()
    }

    /// Each line: servers with weights, and which of them has `key-0`, `key-1` and so on, by
    /// `Memcached::getServerByKey` of php-memcached 3.2.0 on libmemcached 1.1.4 with
    /// `OPT_LIBKETAMA_COMPATIBLE`.
    #[test]
    fn keys_are_where_php_looks_for_them() {
        let mut seen = 0;
        for line in include_str!("ring/php.txt").lines() {
            let (servers, expected) = line.split_once(' ').unwrap();
            let ring = Ring::new(&addresses(servers));
            let letter = |number| {
                let server = ring.server(format!("key-{number}").as_bytes(), &[]).unwrap();
                char::from(b'a' + u8::try_from(server).unwrap())
            };
            let found: String = (0..expected.len()).map(letter).collect();
            assert_eq!(found, expected, "{servers}");
            seen += expected.len();
        }
        assert_eq!(seen, 2000);
    }

    #[test]
    fn a_server_that_is_down_leaves_its_keys_to_others_and_theirs_where_they_are() {
        let ring = Ring::new(&addresses("a:1*1,b:1*1,c:1*1"));
        let mut moved = [0; 3];
        for number in 0..1000 {
            let key = number.to_string();
            let (usual, now) =
                (ring.server(key.as_bytes(), &[]), ring.server(key.as_bytes(), &[1]));
            if usual == Some(1) {
                moved[now.unwrap()] += 1;
            } else {
                assert_eq!(usual, now);
            }
        }
        assert!(moved[0] > 50 && moved[1] == 0 && moved[2] > 50, "{moved:?}");
        assert_eq!(ring.server(b"k", &[0, 1, 2]), None);
        assert_eq!(Ring::new(&addresses("a:1*1")).server(b"k", &[0]), None);
    }
}
