//! Which of several servers holds a key: pure.

use workyard_link::Address;

/// How keys are spread over several servers. All clients must be told the same servers by the same
/// addresses, and use the same placement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Placement {
    /// Every server draws a number for every key; the highest one has it. Adding a server to n takes
    /// one key in n + 1 away from the others and moves no other key; the order of the list does not
    /// matter.
    ///
    /// The number is the FNV-1a 64 hash of the address (as `tcp://host:port` or `unix:///path`), a
    /// zero byte and the key, mixed by the finalizer of MurmurHash3.
    #[default]
    Rendezvous,
    /// The key's CRC-32 modulo the number of servers, as `workerman/globaldata` does it: what PHP
    /// programs with the same list of servers have written is found. Adding a server moves nearly
    /// every key.
    Crc32,
}

/// The servers and the placement.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    placement: Placement,
    /// The hash of every address and its zero byte, where the hash of a key goes on from.
    seeds: Vec<u64>,
}

impl Places {
    pub(crate) fn new(placement: Placement, servers: &[Address]) -> Self {
        let seed = |server: &Address| fnv(fnv(FNV_START, server.to_string().as_bytes()), &[0]);
        Self { placement, seeds: servers.iter().map(seed).collect() }
    }

    /// The number of the server that holds a key, counted from 0.
    pub(crate) fn of(&self, key: &[u8]) -> usize {
        match (self.placement, self.seeds.len()) {
            (_, 0 | 1) => 0,
            (Placement::Crc32, count) => crc32fast::hash(key) as usize % count,
            (Placement::Rendezvous, _) => {
                let drawn = self.seeds.iter().map(|seed| mix(fnv(*seed, key)));
                // Of two equal numbers the one of the smaller seed wins, whatever the order.
                let best = drawn.zip(&self.seeds).enumerate().max_by_key(|(_, drawn)| *drawn);
                best.map_or(0, |(index, _)| index)
            }
        }
    }
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

fn fnv(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}

fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(count: u16) -> Vec<Address> {
        (0..count).map(|index| format!("10.0.0.{index}:2207").parse().unwrap()).collect()
    }

    fn places(placement: Placement, count: u16) -> Places {
        Places::new(placement, &servers(count))
    }

    fn keys() -> impl Iterator<Item = String> {
        (0..10_000).map(|number| format!("user:{number}"))
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv(FNV_START, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(FNV_START, b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn adding_a_server_moves_keys_to_it_alone_and_only_its_share() {
        for count in 1..8 {
            let (before, after) =
                (places(Placement::Rendezvous, count), places(Placement::Rendezvous, count + 1));
            let mut moved = 0;
            for key in keys() {
                let (old, new) = (before.of(key.as_bytes()), after.of(key.as_bytes()));
                if old != new {
                    assert_eq!(new, usize::from(count), "{key} moved between the old ones");
                    moved += 1;
                }
            }
            let share = 10_000 / (usize::from(count) + 1);
            assert!((share * 8 / 10..share * 12 / 10).contains(&moved), "{moved} of {share}");
        }
    }

    #[test]
    fn the_order_of_the_list_does_not_matter() {
        let mut reversed = servers(5);
        reversed.reverse();
        let one = places(Placement::Rendezvous, 5);
        let other = Places::new(Placement::Rendezvous, &reversed);
        for key in keys() {
            assert_eq!(one.of(key.as_bytes()), 4 - other.of(key.as_bytes()));
        }
    }

    #[test]
    fn every_server_gets_its_share() {
        for placement in [Placement::Rendezvous, Placement::Crc32] {
            let places = places(placement, 5);
            let mut counts = [0; 5];
            keys().for_each(|key| counts[places.of(key.as_bytes())] += 1);
            assert!(counts.iter().all(|count| (1800..2200).contains(count)), "{counts:?}");
        }
    }

    #[test]
    fn one_server_has_everything() {
        for placement in [Placement::Rendezvous, Placement::Crc32] {
            let places = places(placement, 1);
            assert!(keys().all(|key| places.of(key.as_bytes()) == 0));
        }
    }

    /// Whoever changes a number here moves the keys of every user.
    #[test]
    fn rendezvous_stays_what_it_is() {
        let places = places(Placement::Rendezvous, 4);
        let found: Vec<_> =
            ["", "a", "user:1", "user:2", "user:3"].map(|key| places.of(key.as_bytes())).into();
        assert_eq!(found, [3, 1, 0, 3, 1]);
    }

    #[test]
    fn crc32_finds_the_servers_that_the_original_contacted() {
        let vectors = include_str!("../tests/data/shard.jsonl");
        let mut count = 0;
        for line in vectors.lines() {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            let hex = vector["key_hex"].as_str().unwrap();
            let key: Vec<u8> = (0..hex.len() / 2)
                .map(|index| u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).unwrap())
                .collect();
            for (servers, expected) in vector["index"].as_object().unwrap() {
                let places = places(Placement::Crc32, servers.parse().unwrap());
                assert_eq!(places.of(&key) as u64, expected.as_u64().unwrap(), "{line}");
                count += 1;
            }
        }
        assert_eq!(count, 126 * 7);
    }
}
