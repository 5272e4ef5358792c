//! Jobs through one queue: stored, handed out, acknowledged.
//!
//! Producers keep a fixed window of jobs under way; consumers acknowledge each job as it comes. What is
//! measured is the whole life of a job.

use super::Timing;
use super::open::open;
use super::stamp::{Stamp, is_intact, payload};
use crate::connections::Connections;
use crate::figures::Figures;
use crate::histogram::Histogram;
use crate::limits::{STALL_SECONDS_MAX, WINDOW_BYTES_MAX};
use crate::meter::{Meter, add_latencies};
use crate::peer::Peer;
use crate::wire::{self, Incoming, QueueWire, Role, invalid};
use anyhow::{Context, Result};
use std::io;
use std::iter::repeat_n;
use std::time::{Duration, Instant};

/// Who hands how much to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) producers: usize,
    pub(crate) consumers: usize,
    pub(crate) payload_bytes: usize,
    pub(crate) timing: Timing,
}

/// What a job's frame may have beside its payload.
const FRAME_OVERHEAD_BYTES: usize = 64;

const WAIT: Duration = Duration::from_millis(100);

/// Runs once: a warm-up, then the measured part.
pub(crate) fn run(peer: &Peer, spec: &Spec) -> Result<Figures> {
    let mut run = Run::prepare(peer, spec)?;
    run.phase(spec.timing.warm_up)?;
    let meter = Meter::start(peer)?;
    let elapsed = run.phase(spec.timing.duration)?;

    let Finished { count, latencies, .. } = &run.finished;
    let mut figures = Figures::default();
    figures.add("per_s", *count as f64 / elapsed.as_secs_f64());
    add_latencies(latencies, &mut figures);
    figures.add("lost", run.stored as f64 - *count as f64);
    meter.finish(*count, elapsed, &mut figures)?;
    Ok(figures)
}

impl Spec {
    /// Jobs under way at once.
    fn window(&self) -> usize {
        let by_bytes = WINDOW_BYTES_MAX / (self.payload_bytes + FRAME_OVERHEAD_BYTES);
        by_bytes.max(2 * self.consumers)
    }
}

struct Run<'a> {
    spec: &'a Spec,
    wire: Box<dyn QueueWire>,
    /// Producers first, then consumers.
    connections: Connections,
    ready: Vec<usize>,
    clock: Instant,
    payload: Vec<u8>,
    phase: u8,
    stored: u64,
    finished: Finished,
}

/// The jobs of one phase that were acknowledged.
struct Finished {
    phase: u8,
    count: u64,
    /// Which ones, by their number.
    seen: Vec<bool>,
    last: Instant,
    latencies: Histogram,
}

impl<'a> Run<'a> {
    fn prepare(peer: &Peer, spec: &'a Spec) -> Result<Self> {
        assert!(spec.payload_bytes >= Stamp::BYTES && spec.producers >= 1 && spec.consumers >= 1);
        let wire = wire::queue(peer.kind, spec.payload_bytes)
            .with_context(|| format!("{} has no queues", peer.kind))?;
        let producers = repeat_n(Role::Publisher, spec.producers);
        let consumers = repeat_n(Role::Subscriber, spec.consumers);
        let mut connections = open(peer.addr, &*wire, producers.chain(consumers))?;
        let prefetch = spec.window().div_ceil(spec.consumers);
        for index in spec.producers..connections.len() {
            wire.consume(u32::try_from(prefetch)?, connections.outbox(index));
            connections.flush(index)?;
        }
        Ok(Self {
            payload: payload(spec.payload_bytes),
            finished: Finished::new(0),
            ready: Vec::new(),
            clock: Instant::now(),
            phase: 0,
            stored: 0,
            spec,
            wire,
            connections,
        })
    }

    /// Stores jobs for `duration` and waits until the last one is done. Returns how long that took.
    fn phase(&mut self, duration: Duration) -> Result<Duration> {
        self.phase += 1;
        self.stored = 0;
        self.finished = Finished::new(self.phase);
        let start = Instant::now();
        let stop = start + duration;
        loop {
            let now = Instant::now();
            if now < stop {
                self.store_window()?;
            } else {
                let is_complete = self.finished.count >= self.stored;
                if is_complete || now > self.finished.last.max(stop) + STALL_SECONDS_MAX {
                    break;
                }
            }
            self.receive()?;
        }
        Ok(self.finished.last.max(start) - start)
    }

    fn store_window(&mut self) -> io::Result<()> {
        let under_way = self.stored - self.finished.count;
        let open = (self.spec.window() as u64).saturating_sub(under_way);
        let sent_ns = self.clock.elapsed().as_nanos() as u64;
        for _ in 0..open {
            let sequence = u32::try_from(self.stored).map_err(|_| invalid("too many jobs"))?;
            let producer = sequence as usize % self.spec.producers;
            let stamp = Stamp { sent_ns, phase: self.phase, publisher: producer as u16, sequence };
            stamp.write(&mut self.payload);
            self.wire.enqueue(&self.payload, self.connections.outbox(producer));
            self.stored += 1;
        }
        (0..self.spec.producers).try_for_each(|producer| self.connections.flush(producer))
    }

    fn receive(&mut self) -> io::Result<()> {
        self.connections.wait(WAIT, &mut self.ready)?;
        for index in &self.ready {
            let (wire, finished, spec) = (&*self.wire, &mut self.finished, self.spec);
            let instant = Instant::now();
            let ns = (instant - self.clock).as_nanos() as u64;
            let mut take = |payload: &[u8]| finished.take(payload, spec.timing.verify, instant, ns);
            self.connections.read(*index, |input, out| take_all(wire, input, out, &mut take))?;
        }
        Ok(())
    }
}

impl Finished {
    fn new(phase: u8) -> Self {
        Self {
            phase,
            count: 0,
            seen: Vec::new(),
            last: Instant::now(),
            latencies: Histogram::new(),
        }
    }

    fn take(&mut self, payload: &[u8], verify: bool, instant: Instant, ns: u64) -> io::Result<()> {
        let stamp = payload.first_chunk().ok_or_else(|| invalid("a job without a stamp"))?;
        let stamp = Stamp::read(stamp);
        if verify && !is_intact(payload) {
            return Err(invalid("a job arrived changed"));
        }
        if stamp.phase != self.phase {
            return Ok(());
        }
        let at = stamp.sequence as usize;
        if self.seen.len() <= at {
            self.seen.resize(at + 1, false);
        }
        if std::mem::replace(&mut self.seen[at], true) {
            return Err(invalid("a job came twice, and nobody gave it back"));
        }
        self.count += 1;
        self.last = instant;
        self.latencies.record(ns.saturating_sub(stamp.sent_ns));
        Ok(())
    }
}

/// Acknowledges every job in `input`, and returns how many bytes were whole frames.
fn take_all(
    wire: &dyn QueueWire,
    input: &[u8],
    out: &mut Vec<u8>,
    take: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<usize> {
    let mut taken = 0;
    loop {
        taken += match wire.incoming(&input[taken..], out)? {
            Incoming::Job { frame_bytes, payload_at, lease } => {
                take(&input[taken..][payload_at..frame_bytes])?;
                wire.ack(lease, out);
                frame_bytes
            }
            Incoming::Control { frame_bytes } => frame_bytes,
            Incoming::Partial => return Ok(taken),
            Incoming::Welcome { .. } | Incoming::Answer { .. } | Incoming::Delivery { .. } => {
                return Err(invalid("neither a job nor a heartbeat"));
            }
        };
    }
}
