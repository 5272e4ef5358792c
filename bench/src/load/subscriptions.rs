//! What subscriptions cost: many channels with one subscriber each, over few connections.

use super::fanout::take_all;
use super::open::{open, timed_out};
use super::stamp::{Stamp, payload};
use crate::connections::Connections;
use crate::figures::Figures;
use crate::limits::PROBE_SECONDS_MAX;
use crate::meter::Meter;
use crate::peer::Peer;
use crate::procfs;
use crate::wire::{self, PubSubWire, Role};
use anyhow::{Context, Result};
use std::iter::{once, repeat_n};
use std::time::{Duration, Instant};

const PAYLOAD_BYTES: usize = 64;
const PROBE_INTERVAL: Duration = Duration::from_millis(100);
const PUBLISHER: usize = 0;

/// Subscribes to `count` channels over `subscribers` connections, and compares resident memory.
/// The server must be fresh: memory that it kept from before would not be counted.
pub(crate) fn subscriptions(
    peer: &Peer,
    count: u32,
    subscribers: usize,
    verify: bool,
) -> Result<Figures> {
    let wire = wire::pub_sub(peer.kind, PAYLOAD_BYTES, verify)
        .with_context(|| format!("{} has no channels", peer.kind))?;
    let before = procfs::memory(peer.pid).resident_kib;
    let mut connections = opened(peer, &*wire, subscribers)?;
    let meter = Meter::start(peer)?;
    let start = Instant::now();
    subscribe(&mut connections, &*wire, count)?;
    let elapsed = start.elapsed();
    let after = procfs::memory(peer.pid).resident_kib;

    let mut figures = Figures::default();
    let grown = after.saturating_sub(before) as f64 * 1024.0;
    figures.add("rss_bytes_each", grown / f64::from(count));
    figures.add("per_s", f64::from(count) / elapsed.as_secs_f64());
    meter.finish(u64::from(count), elapsed, &mut figures)?;
    Ok(figures)
}

/// A publisher, and then so many subscribers.
pub(super) fn opened(
    peer: &Peer,
    wire: &dyn PubSubWire,
    subscribers: usize,
) -> Result<Connections> {
    let roles = once(Role::Publisher).chain(repeat_n(Role::Subscriber, subscribers));
    Ok(open(peer.addr, wire, roles)?)
}

/// Lets the subscribers share `count` channels, and returns when each has heard of its last one.
pub(super) fn subscribe(
    connections: &mut Connections,
    wire: &dyn PubSubWire,
    count: u32,
) -> Result<()> {
    let subscribers = connections.len() - 1;
    for subscriber in 0..subscribers {
        let index = subscriber + 1;
        for channel in channels_of(subscriber, subscribers, count) {
            wire.subscribe(channel, connections.outbox(index));
        }
        connections.flush(index)?;
    }
    probe(connections, wire, |subscriber| channels_of(subscriber, subscribers, count).last())
}

fn channels_of(
    subscriber: usize,
    subscribers: usize,
    count: u32,
) -> impl DoubleEndedIterator<Item = u32> {
    (subscriber as u32..count).step_by(subscribers)
}

/// Publishes to the channel that every subscriber asked for last, until all have received.
fn probe(
    connections: &mut Connections,
    wire: &dyn PubSubWire,
    last_channel: impl Fn(usize) -> Option<u32>,
) -> Result<()> {
    let mut hears = vec![false; connections.len() - 1];
    let mut body = payload(PAYLOAD_BYTES);
    let stamp = Stamp { sent_ns: 0, phase: 0, publisher: 0, sequence: 0 };
    stamp.write(&mut body);
    let mut ready = Vec::new();
    let give_up = Instant::now() + PROBE_SECONDS_MAX;
    while hears.contains(&false) {
        if Instant::now() > give_up {
            return Err(timed_out("subscribers stay silent").into());
        }
        let silent = (0..hears.len()).filter(|subscriber| !hears[*subscriber]);
        for channel in silent.filter_map(&last_channel) {
            wire.publish(channel, &body, connections.outbox(PUBLISHER));
        }
        connections.flush(PUBLISHER)?;
        let next = Instant::now() + PROBE_INTERVAL;
        while hears.contains(&false) && Instant::now() < next {
            connections.wait(PROBE_INTERVAL, &mut ready)?;
            for index in &ready {
                connections.read(*index, |input, out| {
                    take_all(wire, input, out, |_| {
                        // The publisher subscribed to nothing: that would be an error of the run.
                        hears[index - 1] = true;
                        Ok(())
                    })
                })?;
            }
        }
    }
    Ok(())
}
