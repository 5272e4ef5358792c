//! Key-value requests: a number of connections, each keeping a fixed number of requests under way, or asking
//! at fixed times.

use super::Timing;
use super::due::Due;
use super::open::{open, timed_out};
use super::requests::{FIRST_COUNT, Operation, Requests, Swap, VALUE_BYTES, VALUES};
use super::store::store;
use super::xorshift::XorShift;
use crate::connections::Connections;
use crate::figures::Figures;
use crate::histogram::Histogram;
use crate::limits::STALL_SECONDS_MAX;
use crate::meter::{Meter, add_latencies};
use crate::peer::{Peer, Spoken};
use crate::rows::Pace;
use crate::wire::{self, Answer, Incoming, KeyValueWire, Role, invalid};
use anyhow::{Context, Result};
use std::collections::VecDeque;
use std::io;
use std::iter::repeat_n;
use std::time::{Duration, Instant};

/// What is asked, by how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    /// What is spoken, if the requests are only to come back.
    pub(crate) echo: Option<Spoken>,
    pub(crate) operation: Operation,
    pub(crate) connections: usize,
    /// Requests under way on each connection.
    pub(crate) depth: usize,
    /// What `get`, `set` and `incr` are spread over.
    pub(crate) keys: u64,
    /// At a fixed rate, the depth is what waits for a late answer.
    pub(crate) pace: Pace,
    pub(crate) timing: Timing,
}

/// Runs once: first values, a warm-up, the measured part.
pub(crate) fn run(peer: &Peer, spec: &Spec) -> Result<Figures> {
    let mut run = Run::prepare(peer, spec)?;
    run.phase(spec.timing.warm_up)?;
    let meter = Meter::start(peer)?;
    let elapsed = run.phase(spec.timing.duration)?;

    let tally = &run.load.tally;
    let mut figures = Figures::default();
    figures.add("per_s", tally.operations as f64 / elapsed.as_secs_f64());
    add_latencies(&tally.latencies, &mut figures);
    figures.add("operations", tally.operations as f64);
    figures.add("declined", tally.declined as f64);
    meter.finish(tally.operations, elapsed, &mut figures)?;
    Ok(figures)
}

struct Run {
    connections: Connections,
    ready: Vec<usize>,
    load: Load,
}

/// Everything but the sockets.
struct Load {
    spec: Spec,
    wire: Box<dyn KeyValueWire>,
    requests: Requests,
    random: XorShift,
    /// For every connection the slots whose answers are due, in their order.
    due: Vec<VecDeque<usize>>,
    /// For every connection and slot.
    slots: Vec<Slot>,
    /// When requests are due, if that is at fixed times.
    pace: Option<Due>,
    tally: Tally,
}

/// One of the requests that a connection keeps under way.
#[derive(Clone, Copy)]
struct Slot {
    sent: Instant,
    /// The state of the key that only this slot swaps.
    swap: Swap,
    /// The state of the key that only this slot increments, when verifying.
    count: u64,
}

/// What was answered in one phase.
struct Tally {
    operations: u64,
    /// Requests that have no answer yet.
    under_way: u64,
    /// Answers that were not what they had to be.
    declined: u64,
    latencies: Histogram,
}

/// When answers were read, and whether there is time for more requests.
#[derive(Clone, Copy)]
struct Turn {
    now: Instant,
    goes_on: bool,
}

impl Run {
    fn prepare(peer: &Peer, spec: &Spec) -> Result<Self> {
        let wire = match spec.echo {
            Some(spoken) => Some(wire::echo(peer.kind, spoken)),
            None => wire::key_value(peer.kind, spec.timing.verify),
        };
        let wire = wire.with_context(|| format!("{} has no keys", peer.kind))?;
        let slot = Slot { sent: Instant::now(), swap: Swap::default(), count: FIRST_COUNT };
        let mut load = Load {
            requests: Requests::new(&*wire, spec.operation),
            random: XorShift::new(),
            due: vec![VecDeque::with_capacity(spec.depth); spec.connections],
            slots: vec![slot; spec.connections * spec.depth],
            pace: None,
            tally: Tally::new(),
            spec: *spec,
            wire,
        };
        // Before there are connections that nobody reads from meanwhile.
        load.preload(peer)?;
        let roles = repeat_n(Role::Requester, spec.connections);
        let connections = open(peer.addr, &*load.wire, roles)?;
        Ok(Self { connections, ready: Vec::new(), load })
    }

    /// Keeps the connections busy for `duration`, then waits for the last answers.
    fn phase(&mut self, duration: Duration) -> Result<Duration> {
        let load = &mut self.load;
        load.tally = Tally::new();
        let start = Instant::now();
        let stop = start + duration;
        load.pace = match load.spec.pace {
            Pace::PerSecond(rate) => Some(Due::new(start, duration, rate, load.spec.connections)),
            _ => None,
        };
        if load.pace.is_none() {
            for connection in 0..load.spec.connections {
                for slot in 0..load.spec.depth {
                    load.send(connection, slot, start, self.connections.outbox(connection));
                }
                self.connections.flush(connection)?;
            }
        }
        let mut last_answer = start;
        while load.is_busy() {
            // At fixed times the generator spins: a sleep would wake too late.
            let spins = load.ask_due(&mut self.connections)?;
            let limit = if spins { Duration::ZERO } else { STALL_SECONDS_MAX };
            self.connections.wait(limit, &mut self.ready)?;
            for connection in &self.ready {
                let now = Instant::now();
                last_answer = now;
                let turn = Turn { now, goes_on: now < stop };
                self.connections
                    .read(*connection, |input, out| load.take_all(*connection, input, turn, out))?;
            }
            if last_answer.elapsed() > STALL_SECONDS_MAX * 2 {
                return Err(timed_out("answers stay away").into());
            }
        }
        Ok(start.elapsed())
    }
}

impl Load {
    /// Gives every key that the run will touch its first value.
    fn preload(&mut self, peer: &Peer) -> Result<()> {
        let Self { spec, wire, requests, slots, .. } = self;
        let count = match spec.operation {
            Operation::CompareAndSwap => slots.len() as u64,
            // The echo of a request does not depend on what is stored.
            _ if !wire.is_checked() => 0,
            _ => spec.keys.max(slots.len() as u64),
        };
        store(peer, &**wire, count, requests.first(), |key, answer| {
            if let (Answer::Stored { revision }, Some(slot)) = (answer, slots.get_mut(key as usize))
            {
                slot.swap.revision = revision;
            }
        })
    }

    /// Whether an answer is missing, or a request is still to be sent.
    fn is_busy(&self) -> bool {
        self.tally.under_way > 0 || self.pace.as_ref().is_some_and(Due::goes_on)
    }

    /// Asks what is due on connections that have room, and tells whether more is to come.
    fn ask_due(&mut self, connections: &mut Connections) -> io::Result<bool> {
        let Some(mut pace) = self.pace.take() else { return Ok(false) };
        let now = Instant::now();
        while let Some(connection) = pace.pass(now) {
            // Where one is under way its answer sends the next.
            if self.due[connection].is_empty()
                && let Some(due) = pace.next(connection)
            {
                self.send(connection, 0, due, connections.outbox(connection));
                connections.flush(connection)?;
            }
        }
        let goes_on = pace.goes_on();
        self.pace = Some(pace);
        Ok(goes_on)
    }

    fn send(&mut self, connection: usize, slot: usize, now: Instant, out: &mut Vec<u8>) {
        self.due[connection].push_back(slot);
        self.tally.under_way += 1;
        let own = connection * self.spec.depth + slot;
        self.slots[own].sent = now;
        let key = self.key(own);
        let swap = self.slots[own].swap;
        self.requests.put(&*self.wire, id(slot), key, swap, out);
    }

    /// Compare-and-swap has a key for every slot; so has `incr` when every sum is checked.
    fn key(&mut self, own: usize) -> u64 {
        match self.spec.operation {
            Operation::CompareAndSwap => own as u64,
            Operation::Increment if self.spec.timing.verify => own as u64,
            _ => self.random.below(self.spec.keys),
        }
    }

    /// Takes every whole answer in `input`, and asks anew.
    fn take_all(
        &mut self,
        connection: usize,
        input: &[u8],
        turn: Turn,
        out: &mut Vec<u8>,
    ) -> io::Result<usize> {
        let mut taken = 0;
        loop {
            taken += match self.wire.incoming(&input[taken..], out)? {
                Incoming::Answer { frame_bytes, id, answer } => {
                    let frame = &input[taken..][..frame_bytes];
                    self.take(connection, (id, answer), frame, turn, out)?;
                    frame_bytes
                }
                Incoming::Control { frame_bytes } => frame_bytes,
                Incoming::Partial => return Ok(taken),
                Incoming::Welcome { .. } | Incoming::Delivery { .. } | Incoming::Job { .. } => {
                    return Err(invalid("not an answer"));
                }
            };
        }
    }

    fn take(
        &mut self,
        connection: usize,
        (answer_id, answer): (u32, Answer),
        frame: &[u8],
        turn: Turn,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let slot = self.due[connection].pop_front().ok_or_else(|| invalid("an answer too many"))?;
        if answer_id != 0 && answer_id != id(slot) {
            return Err(invalid("answers come in another order than the requests"));
        }
        let own = connection * self.spec.depth + slot;
        if let Answer::Token(token) = answer {
            let second = (self.slots[own].swap, token);
            let (wire, key) = (&*self.wire, own as u64);
            self.requests.put_second_half(wire, id(slot), key, second, out);
            self.due[connection].push_back(slot);
            return Ok(());
        }
        self.tally.operations += 1;
        self.tally.under_way -= 1;
        let latency = turn.now - self.slots[own].sent;
        self.tally.latencies.record(latency.as_nanos() as u64);
        if self.wire.is_checked() && !self.is_right(own, answer, frame) {
            self.tally.declined += 1;
        }
        let next = match &mut self.pace {
            Some(pace) => pace.next(connection),
            None => turn.goes_on.then_some(turn.now),
        };
        if let Some(at) = next {
            self.send(connection, slot, at, out);
        }
        Ok(())
    }

    /// Judges the answer to what slot `own` asked, and remembers what it says about the slot's key.
    fn is_right(&mut self, own: usize, answer: Answer, frame: &[u8]) -> bool {
        let verify = self.spec.timing.verify;
        let slot = &mut self.slots[own];
        match (self.spec.operation, answer) {
            (Operation::Get, Answer::Value { at, bytes }) => {
                bytes == VALUE_BYTES && (!verify || frame[at..][..bytes] == VALUES[0])
            }
            (Operation::Set, Answer::Done | Answer::Stored { .. }) => true,
            (Operation::Increment, Answer::Number(number)) => {
                slot.count += 1;
                !verify || number == slot.count
            }
            (Operation::CompareAndSwap, Answer::Done) => {
                slot.swap.value = 1 - slot.swap.value;
                true
            }
            (Operation::CompareAndSwap, Answer::Stored { revision }) => {
                let is_newer = revision > slot.swap.revision;
                slot.swap = Swap { value: 1 - slot.swap.value, revision };
                is_newer
            }
            _ => false,
        }
    }
}

impl Tally {
    fn new() -> Self {
        Self { operations: 0, under_way: 0, declined: 0, latencies: Histogram::new() }
    }
}

/// The request id of a slot: never 0, which would mean that no answer is wanted.
fn id(slot: usize) -> u32 {
    slot as u32 + 1
}
