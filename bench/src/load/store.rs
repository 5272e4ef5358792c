//! Stores many keys one after the other: before a run, and to see what a key costs in memory.

use super::open::{open, timed_out};
use super::requests::{Template, VALUES};
use crate::connections::Connections;
use crate::figures::Figures;
use crate::limits::STALL_SECONDS_MAX;
use crate::meter::Meter;
use crate::peer::Peer;
use crate::procfs;
use crate::wire::{self, Answer, Incoming, KeyValueWire, Request, Role, Wire, invalid};
use anyhow::{Context, Result};
use std::io;
use std::iter::once;
use std::time::Instant;

/// Requests under way at once.
const BATCH: u64 = 256;

/// Resident memory of `count` keys with values of 64 bytes. The server must be fresh.
pub(crate) fn fill(peer: &Peer, count: u64, verify: bool) -> Result<Figures> {
    let wire =
        wire::key_value(peer.kind, verify).with_context(|| format!("{} has no keys", peer.kind))?;
    let template = Template::new(&*wire, "fill", |key| Request::Set { key, value: &VALUES[0] });
    let before = procfs::memory(peer.pid).resident_kib;
    let meter = Meter::start(peer)?;
    let start = Instant::now();
    let mut declined = 0;
    store(peer, &*wire, count, &template, |_, answer| {
        let is_stored = matches!(answer, Answer::Done | Answer::Stored { .. });
        declined += u64::from(!is_stored);
    })?;
    let elapsed = start.elapsed();
    let after = procfs::memory(peer.pid).resident_kib;

    let mut figures = Figures::default();
    let grown = after.saturating_sub(before) as f64 * 1024.0;
    figures.add("rss_bytes_each", grown / count as f64);
    figures.add("per_s", count as f64 / elapsed.as_secs_f64());
    figures.add("declined", declined as f64);
    meter.finish(count, elapsed, &mut figures)?;
    Ok(figures)
}

/// Sends `template` for the keys 0 to `count`; `answered` learns what each was answered.
pub(super) fn store(
    peer: &Peer,
    wire: &dyn KeyValueWire,
    count: u64,
    template: &Template,
    mut answered: impl FnMut(u64, Answer),
) -> Result<()> {
    let mut connections = open(peer.addr, wire, once(Role::Requester))?;
    let put = |key, out: &mut Vec<u8>| template.put(1, key, out);
    in_batches(&mut connections, wire, count, put, |key, answer| {
        answered(key, answer);
        Ok(())
    })
}

/// Sends `count` requests over the first connection, a batch at once; `answered` learns what each was
/// answered, in their order.
pub(super) fn in_batches(
    connections: &mut Connections,
    wire: &dyn Wire,
    count: u64,
    put: impl Fn(u64, &mut Vec<u8>),
    mut answered: impl FnMut(u64, Answer) -> io::Result<()>,
) -> Result<()> {
    let mut ready = Vec::new();
    let (mut sent, mut done) = (0, 0);
    let mut last_answer = Instant::now();
    while done < count {
        if sent == done {
            let batch = BATCH.min(count - sent);
            let outbox = connections.outbox(0);
            (sent..sent + batch).for_each(|request| put(request, outbox));
            sent += batch;
            connections.flush(0)?;
        }
        connections.wait(STALL_SECONDS_MAX, &mut ready)?;
        if !ready.is_empty() {
            last_answer = Instant::now();
            read(connections, wire, |answer| {
                done += 1;
                answered(done - 1, answer)
            })?;
        }
        if last_answer.elapsed() > STALL_SECONDS_MAX * 2 {
            return Err(timed_out("answers stay away").into());
        }
    }
    Ok(())
}

fn read(
    connections: &mut Connections,
    wire: &dyn Wire,
    mut answered: impl FnMut(Answer) -> io::Result<()>,
) -> io::Result<()> {
    connections.read(0, |input, out| {
        let mut taken = 0;
        loop {
            taken += match wire.incoming(&input[taken..], out)? {
                Incoming::Answer { frame_bytes, answer, .. } => {
                    answered(answer)?;
                    frame_bytes
                }
                Incoming::Control { frame_bytes } => frame_bytes,
                Incoming::Partial => return Ok(taken),
                Incoming::Welcome { .. } | Incoming::Delivery { .. } | Incoming::Job { .. } => {
                    return Err(invalid("not an answer"));
                }
            };
        }
    })
}
