//! Prints what a lifetime takes in memory, and how long a million that end together hold others up.
//!
//! `cargo run --release -p workyard-globaldata-server --example expiry_cost`

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

use std::process::Command;
use std::time::{Duration, Instant};
use workyard_engine::{Caller, Engine, Outbox, Publication, SessionId, Time};
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{
    Expect, Expiry, GlobalDataWire, Push, Reply, Request, Touch, Write,
};
use workyard_protocol::{Key, Refusal, Ttl, ValueRef};

const KEYS: u64 = 1_000_000;
const VALUE: [u8; 64] = [b'v'; 64];
const MINUTE_MS: u64 = 60_000;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// When the keys of a run expire, by their number: nothing for never.
type Plan = (&'static str, fn(u64) -> Option<u64>);

const PLANS: [Plan; 4] = [
    ("none expires", |_| None),
    ("all at one instant", |_| Some(MINUTE_MS)),
    ("one a millisecond, in order", |number| Some(MINUTE_MS + number)),
    ("any time in ten hours", |number| Some(1 + mixed(number) % (600 * MINUTE_MS))),
];

/// Each plan in a process of its own, whose memory nothing else has used before.
fn main() -> std::io::Result<()> {
    let chosen = std::env::args().nth(1).and_then(|number| number.parse::<usize>().ok());
    if let Some(&(name, ttl_ms)) = chosen.and_then(|number| PLANS.get(number)) {
        measure(name, ttl_ms);
        return Ok(());
    }
    for number in 0..PLANS.len() {
        Command::new(std::env::current_exe()?).arg(number.to_string()).status()?;
    }
    Ok(())
}

fn measure(name: &str, ttl_ms: fn(u64) -> Option<u64>) {
    let mut store = Store::new(StoreLimits::default());
    let before = resident_bytes();
    let filling = fill(&mut store, ttl_ms);
    let held = resident_bytes().saturating_sub(before);
    println!("{KEYS} keys of 14 bytes with values of 64 bytes, {name}");
    println!("  resident            {:7.1} bytes per key", held as f64 / KEYS as f64);
    filling.print("insertion");
    if ttl_ms(0).is_some() {
        touch(&mut store).print("touch");
        free(&mut store).print("portion freed");
    }
    assert_eq!(store.census().keys, if ttl_ms(0).is_some() { 0 } else { KEYS });
}

/// Writes every key in turn.
fn fill(store: &mut Store, ttl_ms: fn(u64) -> Option<u64>) -> Timing {
    let mut timing = Timing::default();
    for number in 0..KEYS {
        let name = name(number);
        let expiry = ttl_ms(number).map_or(Expiry::Never, |millis| Expiry::After(ttl(millis)));
        let (expect, value) = (Expect::Any, ValueRef::raw(&VALUE));
        let write = Write { key: key(&name), expect, expiry, value };
        timing.add(|| ask(store, Request::Write(write)));
    }
    timing
}

/// Gives keys in no foreseeable order another lifetime and theirs back, in turn.
fn touch(store: &mut Store) -> Timing {
    let mut timing = Timing::default();
    for number in 0..KEYS / 4 {
        let name = name(mixed(number) % KEYS);
        let touch = Touch { key: key(&name), ttl: Some(ttl(MINUTE_MS)) };
        timing.add(|| ask(store, Request::Touch(touch)));
    }
    timing
}

/// Frees all of them, long after their time.
fn free(store: &mut Store) -> Timing {
    let mut timing = Timing::default();
    while store.next_deadline().is_some() {
        timing.add(|| store.expire(Time::from_millis(u64::MAX), &mut Silent));
    }
    timing
}

/// How long the whole took, the slowest part of it, and how many were slower than anybody may wait.
#[derive(Default)]
struct Timing {
    parts: u32,
    total: Duration,
    slowest: Duration,
    above_five_ms: u32,
}

impl Timing {
    fn add(&mut self, part: impl FnOnce()) {
        let begin = Instant::now();
        part();
        let took = begin.elapsed();
        self.parts += 1;
        self.total += took;
        self.slowest = self.slowest.max(took);
        self.above_five_ms += u32::from(took > Duration::from_millis(5));
    }

    fn print(&self, part: &str) {
        let each = self.total.as_nanos() as f64 / f64::from(self.parts) / 1000.0;
        let Self { parts, slowest, above_five_ms, .. } = self;
        println!(
            "  {part:<14} {parts:8} times, {each:8.3} us each, the slowest {} us, {above_five_ms} above 5 ms",
            slowest.as_micros()
        );
    }
}

fn ask(store: &mut Store, request: Request<'_>) {
    let caller = Caller { session: SessionId::new(0, 0), request: 1 };
    store.handle(Time::default(), caller, request, &mut Silent);
}

fn mixed(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16
}

fn ttl(millis: u64) -> Ttl {
    Ttl::from_millis(millis).expect("a day at most")
}

fn name(number: u64) -> [u8; 14] {
    let mut name = *b"key:0000000000";
    for (place, digit) in name[4..].iter_mut().rev().enumerate() {
        *digit = b'a' + (number >> (4 * place)) as u8 % 16;
    }
    name
}

fn key(name: &[u8; 14]) -> Key<'_> {
    Key::new(name).expect("14 bytes are a key")
}

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    resident.map_or(0, |pages| pages * 4096)
}

/// Takes answers, and refusals not.
struct Silent;

impl Outbox<GlobalDataWire> for Silent {
    fn reply(&mut self, _: Caller, _: Reply<'_>) {}

    fn refuse(&mut self, _: Caller, refusal: Refusal) {
        panic!("refused: {refusal}");
    }

    fn push(&mut self, _: SessionId, push: Push) {
        unreachable!("nobody asked for {push:?}")
    }

    fn publish(
        &mut self,
        publication: Publication<'_, Push>,
        _: impl IntoIterator<Item = SessionId>,
    ) {
        unreachable!("nobody asked for {:?}", publication.push)
    }

    fn has_room(&mut self, _: SessionId) -> bool {
        true
    }
}
