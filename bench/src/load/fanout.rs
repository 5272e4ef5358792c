//! Publish/subscribe on one channel with many subscribers.
//!
//! At saturation the publishers keep a fixed window of messages under way and send as soon as it
//! opens, so nothing needs to be dropped. At a fixed rate every message is stamped with the moment
//! it was due, so a late generator or a stalled server shows as latency.

use super::Timing;
use super::deliveries::{Deliveries, Expected, Now};
use super::open::{open, timed_out};
use super::stamp::{Stamp, payload};
use crate::connections::Connections;
use crate::figures::Figures;
use crate::limits::{
    PROBE_SECONDS_MAX, STALL_SECONDS_MAX, WINDOW_BYTES_MAX, WINDOW_DELIVERIES_MAX,
};
use crate::meter::{Meter, add_latencies};
use crate::peer::Peer;
use crate::rows::{Pace, Via};
use crate::wire::{self, Incoming, PubSubWire, Role, invalid};
use anyhow::{Context, Result};
use std::io;
use std::iter::repeat_n;
use std::time::{Duration, Instant};

/// Who publishes what to how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) publishers: usize,
    pub(crate) subscribers: usize,
    pub(crate) payload_bytes: usize,
    pub(crate) pace: Pace,
    pub(crate) via: Via,
    pub(crate) timing: Timing,
}

/// What a frame may have beside its payload.
const FRAME_OVERHEAD_BYTES: usize = 64;
const WINDOW_MESSAGES_MIN: usize = 4;

const PROBE_INTERVAL: Duration = Duration::from_millis(100);

/// Runs once: until all subscribers hear, a warm-up, the measured part.
pub(crate) fn run(peer: &Peer, spec: &Spec) -> Result<Figures> {
    let mut run = Run::prepare(peer, spec)?;
    run.measured(peer)
}

impl Spec {
    fn window(&self, pace: Pace) -> u64 {
        if pace == Pace::Alone {
            return 1;
        }
        let by_bytes = WINDOW_BYTES_MAX / (self.payload_bytes + FRAME_OVERHEAD_BYTES);
        let by_deliveries = WINDOW_DELIVERIES_MAX / self.subscribers;
        by_bytes.min(by_deliveries).max(WINDOW_MESSAGES_MIN) as u64
    }

    fn expected(&self, phase: u8) -> Expected {
        Expected {
            subscribers: self.subscribers,
            publishers: self.publishers,
            phase,
            in_order: true,
            verify: self.timing.verify,
        }
    }
}

pub(super) struct Run<'a> {
    spec: &'a Spec,
    wire: Box<dyn PubSubWire>,
    /// Publishers first, then subscribers.
    connections: Connections,
    ready: Vec<usize>,
    clock: Instant,
    /// The frame of a message, and where its payload starts.
    template: (Vec<u8>, usize),
    phase: u8,
    published: u64,
    /// The same in all phases.
    pub(super) published_in_all: u64,
    next_sequence: Vec<u32>,
    deliveries: Deliveries,
}

struct Outcome {
    elapsed: Duration,
    publishing: Duration,
}

impl<'a> Run<'a> {
    pub(super) fn prepare(peer: &Peer, spec: &'a Spec) -> Result<Self> {
        assert!(spec.payload_bytes >= Stamp::BYTES && spec.publishers >= 1);
        let wire = wire::fan_out(peer.kind, spec.via, spec.payload_bytes, spec.timing.verify)
            .with_context(|| format!("{} has no channels", peer.kind))?;
        let publishers = repeat_n(Role::Publisher, spec.publishers);
        let subscribers = repeat_n(Role::Subscriber, spec.subscribers);
        let mut connections = open(peer.addr, &*wire, publishers.chain(subscribers))?;
        for index in spec.publishers..connections.len() {
            wire.subscribe(0, connections.outbox(index));
            connections.flush(index)?;
        }
        Ok(Self {
            template: template(&*wire, spec.payload_bytes),
            deliveries: Deliveries::new(spec.expected(0)),
            next_sequence: vec![0; spec.publishers],
            ready: Vec::new(),
            clock: Instant::now(),
            phase: 0,
            published: 0,
            published_in_all: 0,
            spec,
            wire,
            connections,
        })
    }

    /// Until all subscribers hear, a warm-up, the measured part.
    pub(super) fn measured(&mut self, peer: &Peer) -> Result<Figures> {
        self.probe()?;
        let Timing { warm_up, duration, .. } = self.spec.timing;
        self.phase(warm_up, self.spec.pace)?;
        let meter = Meter::start(peer)?;
        let outcome = self.phase(duration, self.spec.pace)?;

        let deliveries = &self.deliveries;
        let seconds = outcome.elapsed.as_secs_f64();
        let mut figures = Figures::default();
        figures.add("per_s", deliveries.total as f64 / seconds);
        let published_per_s = self.published as f64 / outcome.publishing.as_secs_f64();
        figures.add("published_per_s", published_per_s);
        figures.add("mb_per_s", deliveries.bytes as f64 / 1e6 / seconds);
        add_latencies(&deliveries.latencies, &mut figures);
        // Negative when something came twice.
        let expected = self.published * self.spec.subscribers as u64;
        figures.add("lost", expected as f64 - deliveries.total as f64);
        figures.add("out_of_order", deliveries.out_of_order as f64);
        meter.finish(deliveries.total, outcome.elapsed, &mut figures)?;
        Ok(figures)
    }

    /// Publishes as much as the subscribers take, until it is so many bytes for each.
    pub(super) fn flood(&mut self, bytes: usize, part: Duration) -> Result<()> {
        let mut left = bytes / self.spec.payload_bytes;
        while left > 0 {
            self.phase(part, Pace::Saturated)?;
            left = left.saturating_sub(self.published as usize);
        }
        Ok(())
    }

    /// Publishes until every subscriber has received something.
    fn probe(&mut self) -> Result<()> {
        let give_up = Instant::now() + PROBE_SECONDS_MAX;
        while self.deliveries.complete() == 0 {
            if Instant::now() > give_up {
                return Err(timed_out("subscribers stay silent").into());
            }
            self.publish(0, self.now_ns());
            self.connections.flush(0)?;
            let next = Instant::now() + PROBE_INTERVAL;
            while self.deliveries.complete() == 0 && Instant::now() < next {
                self.receive(PROBE_INTERVAL)?;
            }
        }
        Ok(())
    }

    /// Publishes for `duration` and waits for what is still under way.
    fn phase(&mut self, duration: Duration, pace: Pace) -> Result<Outcome> {
        self.phase = self.phase.wrapping_add(1);
        self.published = 0;
        self.next_sequence.fill(0);
        self.deliveries = Deliveries::new(self.spec.expected(self.phase));
        let start = Instant::now();
        let stop = start + duration;
        let mut publishing = Duration::ZERO;
        loop {
            let now = Instant::now();
            let may_publish = now < stop;
            if may_publish {
                match pace {
                    Pace::PerSecond(rate) => self.publish_due(start, rate)?,
                    _ => self.publish_window(pace)?,
                }
                publishing = start.elapsed();
            } else {
                let expected = self.published * self.spec.subscribers as u64;
                let is_complete = self.deliveries.total >= expected;
                if is_complete || now > self.deliveries.last.max(stop) + STALL_SECONDS_MAX {
                    break;
                }
            }
            // At a fixed rate the generator spins: a sleep would wake too late.
            let spins = may_publish && matches!(pace, Pace::PerSecond(_));
            self.receive(if spins { Duration::ZERO } else { PROBE_INTERVAL })?;
        }
        Ok(Outcome { elapsed: self.deliveries.last.max(start) - start, publishing })
    }

    fn publish_window(&mut self, pace: Pace) -> io::Result<()> {
        let under_way = self.published.saturating_sub(self.deliveries.complete());
        let open = self.spec.window(pace).saturating_sub(under_way);
        if open == 0 {
            return Ok(());
        }
        let stamp = self.now_ns();
        for _ in 0..open {
            let publisher = self.published % self.spec.publishers as u64;
            self.publish(publisher as usize, stamp);
        }
        (0..self.spec.publishers).try_for_each(|publisher| self.connections.flush(publisher))
    }

    fn publish_due(&mut self, start: Instant, rate: f64) -> io::Result<()> {
        let start_ns = (start - self.clock).as_nanos() as u64;
        loop {
            let due_ns = start_ns + (self.published as f64 * 1e9 / rate) as u64;
            if due_ns > self.now_ns() {
                return Ok(());
            }
            let publisher = (self.published % self.spec.publishers as u64) as usize;
            self.publish(publisher, due_ns);
            self.connections.flush(publisher)?;
        }
    }

    fn publish(&mut self, publisher: usize, sent_ns: u64) {
        let sequence = self.next_sequence[publisher];
        self.next_sequence[publisher] = sequence.wrapping_add(1);
        self.published += 1;
        self.published_in_all += 1;
        let stamp = Stamp { sent_ns, phase: self.phase, publisher: publisher as u16, sequence };
        let outbox = self.connections.outbox(publisher);
        let (frame, payload_at) = &self.template;
        let at = outbox.len() + payload_at;
        outbox.extend_from_slice(frame);
        stamp.write(&mut outbox[at..]);
    }

    fn receive(&mut self, limit: Duration) -> io::Result<()> {
        self.connections.wait(limit, &mut self.ready)?;
        let (wire, payload_bytes) = (&*self.wire, self.spec.payload_bytes);
        for index in &self.ready {
            let subscriber = index.checked_sub(self.spec.publishers);
            let (deliveries, clock) = (&mut self.deliveries, self.clock);
            self.connections.read(*index, |input, out| {
                let instant = Instant::now();
                let ns = (instant - clock).as_nanos() as u64;
                let now = Now { instant, ns };
                take_all(wire, input, out, |payload| match subscriber {
                    Some(subscriber) if payload.len() >= payload_bytes => {
                        deliveries.take(subscriber, &payload[..payload_bytes], now)
                    }
                    Some(_) => Err(invalid("a delivery is shorter than what was published")),
                    None => Err(invalid("a publisher got a delivery")),
                })
            })?;
        }
        Ok(())
    }

    fn now_ns(&self) -> u64 {
        self.clock.elapsed().as_nanos() as u64
    }
}

/// Hands every delivery in `input` to `deliver`, from its payload on, and returns how many bytes
/// were whole frames.
pub(super) fn take_all(
    wire: &dyn PubSubWire,
    input: &[u8],
    out: &mut Vec<u8>,
    mut deliver: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<usize> {
    let mut taken = 0;
    loop {
        taken += match wire.incoming(&input[taken..], out)? {
            Incoming::Delivery { frame_bytes, payload_at } => {
                deliver(&input[taken..][payload_at..frame_bytes])?;
                frame_bytes
            }
            Incoming::Control { frame_bytes } => frame_bytes,
            Incoming::Partial => return Ok(taken),
            Incoming::Welcome { .. } | Incoming::Answer { .. } | Incoming::Job { .. } => {
                return Err(invalid("neither a message nor a heartbeat"));
            }
        };
    }
}

/// A publication to channel 0, and where its payload starts.
fn template(wire: &dyn PubSubWire, payload_bytes: usize) -> (Vec<u8>, usize) {
    let payload = payload(payload_bytes);
    let mut frame = Vec::new();
    wire.publish(0, &payload, &mut frame);
    let payload_at = frame
        .windows(payload.len())
        .position(|window| window == payload)
        .expect("a wire carries the payload verbatim");
    (frame, payload_at)
}
