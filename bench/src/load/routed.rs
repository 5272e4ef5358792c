//! Publications to one channel after the other, of many with one subscriber each.

use super::Timing;
use super::fanout::take_all;
use super::requests::put_digits;
use super::stamp::{Stamp, is_intact, payload};
use super::subscriptions::{opened, subscribe};
use super::xorshift::XorShift;
use crate::connections::Connections;
use crate::figures::Figures;
use crate::limits::{STALL_SECONDS_MAX, WINDOW_BYTES_MAX};
use crate::meter::Meter;
use crate::peer::Peer;
use crate::wire::{self, PubSubWire, channel_name, invalid};
use anyhow::{Context, Result};
use std::io;
use std::time::{Duration, Instant};

/// How many subscriptions, over how many connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) subscriptions: u32,
    pub(crate) connections: usize,
    pub(crate) timing: Timing,
}

const PAYLOAD_BYTES: usize = 64;
const PUBLISHER: usize = 0;

/// Messages under way, the same for every number of subscriptions: as in a saturated row with one
/// subscriber.
const WINDOW: u64 = WINDOW_BYTES_MAX as u64 / 128;

/// Runs once: all subscriptions, a warm-up, the measured part.
pub(crate) fn run(peer: &Peer, spec: &Spec) -> Result<Figures> {
    let Timing { warm_up, duration, verify } = spec.timing;
    let wire = wire::pub_sub(peer.kind, PAYLOAD_BYTES, verify)
        .with_context(|| format!("{} has no channels", peer.kind))?;
    let mut connections = opened(peer, &*wire, spec.connections)?;
    subscribe(&mut connections, &*wire, spec.subscriptions)?;
    let mut run = Run {
        template: Template::new(&*wire),
        random: XorShift::new(),
        newest: vec![0; spec.connections],
        spec,
        wire,
        connections,
        ready: Vec::new(),
        published: 0,
        delivered: 0,
        out_of_order: 0,
    };
    run.phase(warm_up)?;
    let meter = Meter::start(peer)?;
    let (published, delivered) = (run.published, run.delivered);
    let elapsed = run.phase(duration)?;

    let mut figures = Figures::default();
    let count = run.delivered - delivered;
    figures.add("per_s", count as f64 / elapsed.as_secs_f64());
    figures.add("lost", (run.published - published) as f64 - count as f64);
    figures.add("out_of_order", run.out_of_order as f64);
    meter.finish(count, elapsed, &mut figures)?;
    Ok(figures)
}

struct Run<'a> {
    spec: &'a Spec,
    wire: Box<dyn PubSubWire>,
    /// The publisher, then the subscribers.
    connections: Connections,
    ready: Vec<usize>,
    template: Template,
    random: XorShift,
    published: u64,
    delivered: u64,
    /// For every subscriber the number of its newest message.
    newest: Vec<u32>,
    out_of_order: u64,
}

/// A publication whose channel and stamp are filled in when it is sent.
struct Template {
    frame: Vec<u8>,
    /// Where the digits of the channel's name stand.
    digits_at: usize,
    payload_at: usize,
}

const DIGITS: usize = 6;

impl Template {
    fn new(wire: &dyn PubSubWire) -> Self {
        let (name, payload) = (channel_name(0), payload(PAYLOAD_BYTES));
        let mut frame = Vec::new();
        wire.publish(0, &payload, &mut frame);
        let position = |wanted: &[u8]| {
            let found = frame.windows(wanted.len()).position(|window| window == wanted);
            found.expect("a wire carries name and payload verbatim")
        };
        let digits_at = position(name.as_bytes()) + name.len() - DIGITS;
        let payload_at = position(&payload);
        Self { frame, digits_at, payload_at }
    }

    fn put(&self, channel: u64, stamp: Stamp, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.frame);
        let frame = &mut out[start..];
        put_digits(channel, &mut frame[self.digits_at..][..DIGITS]);
        stamp.write(&mut frame[self.payload_at..]);
    }
}

impl Run<'_> {
    /// Publishes for `duration`, then waits for what is still under way.
    fn phase(&mut self, duration: Duration) -> Result<Duration> {
        let start = Instant::now();
        let stop = start + duration;
        let mut last = start;
        loop {
            let now = Instant::now();
            if now < stop {
                self.publish()?;
            } else if self.delivered >= self.published || now > last.max(stop) + STALL_SECONDS_MAX {
                return Ok(last - start);
            }
            let before = self.delivered;
            self.receive()?;
            if self.delivered > before {
                last = Instant::now();
            }
        }
    }

    fn publish(&mut self) -> io::Result<()> {
        let open = WINDOW.saturating_sub(self.published.saturating_sub(self.delivered));
        for _ in 0..open {
            self.published += 1;
            let channel = self.random.below(u64::from(self.spec.subscriptions));
            let sequence = self.published as u32;
            let stamp = Stamp { sent_ns: 0, phase: 1, publisher: 0, sequence };
            self.template.put(channel, stamp, self.connections.outbox(PUBLISHER));
        }
        self.connections.flush(PUBLISHER)
    }

    fn receive(&mut self) -> io::Result<()> {
        const WAIT: Duration = Duration::from_millis(100);
        self.connections.wait(WAIT, &mut self.ready)?;
        let verify = self.spec.timing.verify;
        for index in &self.ready {
            let newest = index.checked_sub(1).map(|subscriber| &mut self.newest[subscriber]);
            let Some(newest) = newest else {
                self.connections.read(*index, |input, out| {
                    take_all(&*self.wire, input, out, |_| Err(invalid("nobody sends it messages")))
                })?;
                continue;
            };
            let (delivered, out_of_order) = (&mut self.delivered, &mut self.out_of_order);
            self.connections.read(*index, |input, out| {
                take_all(&*self.wire, input, out, |payload| {
                    let stamp = payload.first_chunk();
                    let stamp = Stamp::read(stamp.ok_or_else(|| invalid("too short"))?);
                    if stamp.phase == 0 {
                        return Ok(());
                    }
                    if verify && !is_intact(&payload[..PAYLOAD_BYTES]) {
                        return Err(invalid("a payload arrived changed"));
                    }
                    *delivered += 1;
                    *out_of_order += u64::from(stamp.sequence <= *newest);
                    *newest = stamp.sequence;
                    Ok(())
                })
            })?;
        }
        Ok(())
    }
}
