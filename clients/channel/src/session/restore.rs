//! Cuts what a connection has to be told into frames that every server takes.

use crate::wanted::Wanted;
use workyard_protocol::limits::{HEADER_BYTES_MAX, LIST_ITEMS_MAX};

/// Lists of interests, none above half of any limit.
pub(super) fn parts(all: Vec<Wanted>, frame_bytes_max: usize) -> Vec<Vec<Wanted>> {
    let part_bytes_max = HEADER_BYTES_MAX.min(frame_bytes_max) / 2;
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut part_bytes = 0;
    for wanted in all {
        let bytes = wanted.header_bytes();
        let full = part.len() == LIST_ITEMS_MAX || part_bytes + bytes > part_bytes_max;
        if full && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            part_bytes = 0;
        }
        part_bytes += bytes;
        part.push(wanted);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Lists of leases, none above half of any limit.
pub(super) fn leases(all: &[u64], frame_bytes_max: usize) -> impl Iterator<Item = &[u64]> {
    /// What a number takes at most.
    const LEASE_BYTES: usize = 9;
    let most = (frame_bytes_max / 2 / LEASE_BYTES).clamp(1, LIST_ITEMS_MAX);
    all.chunks(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use workyard_link::Outbox;
    use workyard_protocol::channel::{Request, Subscribe};

    fn wanted(count: usize, name_bytes: usize) -> Vec<Wanted> {
        let name = |number| format!("{number:0name_bytes$}");
        (0..count).map(|number| Wanted::channel(name(number).as_bytes(), None).unwrap()).collect()
    }

    #[test]
    fn no_part_is_above_half_of_a_limit_and_none_is_lost() {
        const MIB: usize = 1024 * 1024;
        for (count, name_bytes, frame_bytes_max) in [
            (0, 1, MIB),
            (1, 4096, 4096),
            (100_000, 8, 10 * MIB),
            (1000, 4096, MIB),
            (500, 20, 900),
        ] {
            let all = wanted(count, name_bytes);
            let parts = parts(all.clone(), frame_bytes_max);
            assert_eq!(parts.concat(), all);
            for part in &parts {
                let mut outbox = Outbox::default();
                let interests = part.iter().map(Wanted::interest);
                outbox.request(1, &Request::Subscribe(Subscribe::to(interests)));
                let bytes = outbox.take_requests()[0].body.len();
                let limit = HEADER_BYTES_MAX.min(frame_bytes_max) / 2;
                assert!(part.len() <= LIST_ITEMS_MAX);
                assert!(part.len() == 1 || bytes <= limit + 3, "{bytes} of {limit}");
            }
        }
    }
}
