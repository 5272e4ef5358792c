//! How fast a server takes a burst of connections, as after a restart when all clients come back.

use super::idle::settle;
use super::open::{connect, greet};
use crate::figures::Figures;
use crate::meter::Meter;
use crate::peer::Peer;
use crate::wire::{self, Role};
use anyhow::{Context, Result};
use std::iter::repeat_n;
use std::time::Instant;

const PAYLOAD_BYTES: usize = 64;

/// Connects `count` times, one after the other as fast as the server's backlog allows: that is the
/// rate. Then all greet. The CPU figure contains the accepting and the greeting, down to the last.
pub(crate) fn connects(peer: &Peer, count: usize) -> Result<Figures> {
    let wire = wire::pub_sub(peer.kind, PAYLOAD_BYTES, false)
        .with_context(|| format!("{} has no channels", peer.kind))?;
    let meter = Meter::start(peer)?;
    let start = Instant::now();
    let mut connections = connect(peer.addr, count)?;
    let connecting = start.elapsed();
    greet(&mut connections, &*wire, repeat_n(Role::Subscriber, count))?;
    let greeting = start.elapsed();
    settle(peer, &mut connections, &*wire)?;

    let mut figures = Figures::default();
    figures.add("per_s", count as f64 / connecting.as_secs_f64());
    figures.add("greeted_per_s", count as f64 / greeting.as_secs_f64());
    meter.finish(count as u64, start.elapsed(), &mut figures)?;
    Ok(figures)
}
