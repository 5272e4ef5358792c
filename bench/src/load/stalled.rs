//! Subscribers that read, first alone and then beside others of the same channel that never do.

use super::Timing;
use super::fanout::{self, Run};
use super::open::open;
use crate::connections::Connections;
use crate::figures::Figures;
use crate::peer::Peer;
use crate::procfs;
use crate::rows::{Pace, Via};
use crate::wire::{self, Incoming, PubSubWire, Role, invalid};
use anyhow::{Context, Result};
use std::iter::repeat_n;
use std::time::{Duration, Instant};

/// Who reads, who does not, and what these are sent until they count as stalled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) healthy: usize,
    pub(crate) stalled: usize,
    pub(crate) pace: Pace,
    /// Bytes of payloads for each: more than the sockets of both sides and the server keep.
    pub(crate) flood_bytes: usize,
    pub(crate) timing: Timing,
}

const PAYLOAD_BYTES: usize = 64;
const FLOOD_PART: Duration = Duration::from_millis(50);

/// Measures the healthy alone, lets the others subscribe and stall, and measures the healthy again.
pub(crate) fn run(peer: &Peer, spec: &Spec) -> Result<Figures> {
    let fanout = fanout::Spec {
        publishers: 1,
        subscribers: spec.healthy,
        payload_bytes: PAYLOAD_BYTES,
        pace: spec.pace,
        via: Via::Channel,
        timing: spec.timing,
    };
    let mut run = Run::prepare(peer, &fanout)?;
    let without = run.measured(peer)?;

    let wire = wire::pub_sub(peer.kind, PAYLOAD_BYTES, spec.timing.verify)
        .with_context(|| format!("{} has no channels", peer.kind))?;
    let mut stalled = subscribed(peer, &*wire, spec.stalled)?;
    let before = run.published_in_all;
    run.flood(spec.flood_bytes, FLOOD_PART)?;
    let flooded = procfs::memory(peer.pid);
    let mut figures = run.measured(peer)?;
    let published = run.published_in_all - before;

    let peak_kib = flooded.peak_kib.max(procfs::memory(peer.pid).peak_kib);
    figures.add("whole_peak_rss_mib", peak_kib as f64 / 1024.0);
    for (name, of) in [
        ("without_p50_us", "p50_us"),
        ("without_p99_us", "p99_us"),
        ("without_p999_us", "p999_us"),
        ("without_server_cpu_us_each", "server_cpu_us_each"),
    ] {
        figures.add(name, without.value(of).unwrap_or_default());
    }
    let received = received(&mut stalled, &*wire)?;
    figures.add("stalled_missed_share", 1.0 - received as f64 / published as f64);
    Ok(figures)
}

/// Connections that subscribe, and that nobody reads from then on.
fn subscribed(peer: &Peer, wire: &dyn PubSubWire, count: usize) -> Result<Connections> {
    let mut connections = open(peer.addr, wire, repeat_n(Role::Subscriber, count))?;
    for index in 0..count {
        wire.subscribe(0, connections.outbox(index));
        connections.flush(index)?;
    }
    Ok(connections)
}

/// How many messages the first of them finds when it reads at last. It fails when the server has hung up.
fn received(connections: &mut Connections, wire: &dyn PubSubWire) -> Result<u64> {
    const SILENCE: Duration = Duration::from_millis(300);
    let mut count = 0;
    let mut last = Instant::now();
    while last.elapsed() < SILENCE {
        connections.read(0, |input, out| {
            let mut taken = 0;
            loop {
                taken += match wire.incoming(&input[taken..], out)? {
                    Incoming::Delivery { frame_bytes, .. } => {
                        count += 1;
                        frame_bytes
                    }
                    Incoming::Control { frame_bytes } => frame_bytes,
                    Incoming::Partial => break,
                    _ => return Err(invalid("neither a message nor a heartbeat")),
                };
                last = Instant::now();
            }
            Ok(taken)
        })?;
    }
    Ok(count)
}
