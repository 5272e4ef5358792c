//! Prints what a lifetime takes in memory, and how long a million that end together hold others up.
//!
//! `cargo run --release -p workyard-globaldata-server --example expiry_cost`

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

mod support {
    pub(crate) mod ear;
    pub(crate) mod memory;
    pub(crate) mod names;
}

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};
use support::ear::{self, Ear};
use support::memory::resident_bytes;
use support::names::{key, name};
use workyard_engine::{Engine, Time};
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{Expect, Expiry, Request, Touch, Write};
use workyard_protocol::{Ttl, ValueRef};

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
        timing.add(|| store.expire(Time::from_millis(u64::MAX), &mut Ear::default()));
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
    let mut ear = Ear::default();
    ear::ask(store, 0, request, &mut ear);
    black_box(ear.heard());
}

fn mixed(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16
}

fn ttl(millis: u64) -> Ttl {
    Ttl::from_millis(millis).expect("a day at most")
}
