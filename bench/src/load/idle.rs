//! What connections cost that do nothing.

use super::open::{discard, open};
use crate::connections::Connections;
use crate::figures::Figures;
use crate::limits::SETTLE_SECONDS_MAX;
use crate::meter::Meter;
use crate::peer::{Family, Peer};
use crate::procfs;
use crate::wire::{self, PubSubWire, Role, Wire};
use anyhow::{Context, Result};
use std::iter::repeat_n;
use std::time::{Duration, Instant};

const PAYLOAD_BYTES: usize = 64;

/// Opens `count` connections, each subscribed to a channel of its own if `is_subscribed`, and
/// compares resident memory. `watched` is how long they then do nothing. The server must be fresh.
pub(crate) fn idle(
    peer: &Peer,
    family: Family,
    count: usize,
    is_subscribed: bool,
    watched: Duration,
) -> Result<Figures> {
    let before = procfs::memory(peer.pid).resident_kib;
    let mut connections;
    let channels: Box<dyn PubSubWire>;
    let keys;
    let wire: &dyn Wire;
    match family {
        Family::Channels => {
            channels = wire::pub_sub(peer.kind, PAYLOAD_BYTES, false)
                .with_context(|| format!("{} has no channels", peer.kind))?;
            wire = &*channels;
            connections = open(peer.addr, wire, repeat_n(Role::Subscriber, count))?;
            if is_subscribed {
                subscribe_each(&mut connections, &*channels)?;
            }
        }
        Family::Keys | Family::Echo(_) => {
            keys = wire::key_value(peer.kind, false)
                .with_context(|| format!("{} has no keys", peer.kind))?;
            wire = &*keys;
            connections = open(peer.addr, wire, repeat_n(Role::Requester, count))?;
        }
    }
    settle(peer, &mut connections, wire)?;
    let after = procfs::memory(peer.pid).resident_kib;

    let meter = Meter::start(peer)?;
    let start = Instant::now();
    read_for(watched, &mut connections, wire)?;
    let mut figures = Figures::default();
    let grown = after.saturating_sub(before) as f64 * 1024.0;
    figures.add("rss_bytes_each", grown / count as f64);
    meter.finish(count as u64, start.elapsed(), &mut figures)?;
    Ok(figures)
}

fn subscribe_each(connections: &mut Connections, wire: &dyn PubSubWire) -> Result<()> {
    for index in 0..connections.len() {
        wire.subscribe(index as u32, connections.outbox(index));
        connections.flush(index)?;
    }
    Ok(())
}

/// Reads until the server has nothing left to do for these connections.
pub(super) fn settle(peer: &Peer, connections: &mut Connections, wire: &dyn Wire) -> Result<()> {
    const SAMPLE: Duration = Duration::from_millis(50);
    const QUIET_SAMPLES: usize = 4;
    /// Some servers are never quite idle with many connections.
    const QUIET_SHARE: u64 = 5;
    let give_up = Instant::now() + SETTLE_SECONDS_MAX;
    let mut quiet = 0;
    while quiet < QUIET_SAMPLES && Instant::now() < give_up {
        let before = procfs::cpu_use(peer.pid);
        read_for(SAMPLE, connections, wire)?;
        let used = (procfs::cpu_use(peer.pid) - before).cpu_ns;
        let is_quiet = used < SAMPLE.as_nanos() as u64 / QUIET_SHARE;
        quiet = if is_quiet { quiet + 1 } else { 0 };
    }
    Ok(())
}

fn read_for(time: Duration, connections: &mut Connections, wire: &dyn Wire) -> Result<()> {
    let mut ready = Vec::new();
    let stop = Instant::now() + time;
    while let Some(left) = stop.checked_duration_since(Instant::now()) {
        connections.wait(left, &mut ready)?;
        for index in &ready {
            discard(connections, wire, *index)?;
        }
    }
    Ok(())
}
