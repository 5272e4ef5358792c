//! What jobs cost in memory that nobody has taken yet.

use super::open::{open, timed_out};
use super::stamp::payload;
use crate::connections::Connections;
use crate::figures::Figures;
use crate::limits::STALL_SECONDS_MAX;
use crate::meter::Meter;
use crate::peer::Peer;
use crate::procfs;
use crate::wire::{self, Answer, Incoming, QueueWire, Role, invalid};
use anyhow::{Context, Result, ensure};
use std::io;
use std::iter::once;
use std::time::{Duration, Instant};

const PAYLOAD_BYTES: usize = 64;

/// Jobs under way at once.
const BATCH: u64 = 256;

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
    let mut ready = Vec::new();
    let (mut sent, mut answered, mut last) = (0, 0, 0);
    let mut last_answer = Instant::now();
    while answered < count {
        if sent == answered {
            let batch = BATCH.min(count - sent);
            (0..batch).for_each(|_| wire.store(&payload, delay, connections.outbox(0)));
            sent += batch;
            connections.flush(0)?;
        }
        connections.wait(STALL_SECONDS_MAX, &mut ready)?;
        if !ready.is_empty() {
            last_answer = Instant::now();
            read(connections, wire, |number| {
                answered += 1;
                last = number;
            })?;
        }
        if last_answer.elapsed() > STALL_SECONDS_MAX * 2 {
            return Err(timed_out("answers stay away").into());
        }
    }
    Ok(last)
}

fn read(
    connections: &mut Connections,
    wire: &dyn QueueWire,
    mut stored: impl FnMut(u64),
) -> io::Result<()> {
    connections.read(0, |input, out| {
        let mut taken = 0;
        loop {
            taken += match wire.incoming(&input[taken..], out)? {
                Incoming::Answer { frame_bytes, answer: Answer::Number(number), .. } => {
                    stored(number);
                    frame_bytes
                }
                Incoming::Control { frame_bytes } => frame_bytes,
                Incoming::Partial => return Ok(taken),
                _ => return Err(invalid("not the number of a job")),
            };
        }
    })
}
