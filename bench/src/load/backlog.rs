//! What jobs cost in memory that nobody has taken yet.

use super::open::open;
use super::stamp::payload;
use super::store::in_batches;
use crate::connections::Connections;
use crate::figures::Figures;
use crate::meter::Meter;
use crate::peer::Peer;
use crate::procfs;
use crate::wire::{self, Answer, QueueWire, Role, invalid};
use anyhow::{Context, Result, ensure};
use std::iter::once;
use std::time::{Duration, Instant};

const PAYLOAD_BYTES: usize = 64;

/// Stores `count` jobs, each for a `delay`, and compares resident memory. The server must be fresh.
pub(crate) fn backlog(peer: &Peer, count: u64, delay: Duration) -> Result<Figures> {
    let wire = wire::queue(peer.kind, PAYLOAD_BYTES)
        .with_context(|| format!("{} has no queues", peer.kind))?;
    let before = procfs::memory(peer.pid).resident_kib;
    let mut connections = open(peer.addr, &*wire, once(Role::Publisher))?;
    let meter = Meter::start(peer)?;
    let start = Instant::now();
    let last = store(&mut connections, &*wire, count, delay)?;
    let elapsed = start.elapsed();
    let after = procfs::memory(peer.pid).resident_kib;
    ensure!(last == count, "the last of {count} jobs has the number {last}");

    let mut figures = Figures::default();
    let grown = after.saturating_sub(before) as f64 * 1024.0;
    figures.add("rss_bytes_each", grown / count as f64);
    figures.add("per_s", count as f64 / elapsed.as_secs_f64());
    meter.finish(count, elapsed, &mut figures)?;
    Ok(figures)
}

/// Returns the number of the last job: a fresh server counts from 1.
fn store(
    connections: &mut Connections,
    wire: &dyn QueueWire,
    count: u64,
    delay: Duration,
) -> Result<u64> {
    let payload = payload(PAYLOAD_BYTES);
    let mut last = 0;
    let put = |_, out: &mut Vec<u8>| wire.store(&payload, delay, out);
    in_batches(connections, wire, count, put, |_, answer| {
        let Answer::Number(number) = answer else { return Err(invalid("not the number of a job")) };
        last = number;
        Ok(())
    })?;
    Ok(last)
}
