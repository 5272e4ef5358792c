//! Prints what requests cost the store alone, and what a key takes in memory.
//!
//! `cargo run --release -p workyard-globaldata-core --example store_cost`

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};
use workyard_engine::{Caller, Engine, Outbox, Publication, SessionId, Time};
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{
    Expect, Expiry, Get, GlobalDataWire, Increment, Push, Reply, Request, Write, Written,
};
use workyard_protocol::{Key, Number, Refusal, ValueRef};

const VALUE: [u8; 64] = [b'v'; 64];
const ROUNDS: u64 = 400_000;

fn main() {
    for keys in [10_000, 1_000_000] {
        measure(keys);
    }
}

fn measure(keys: u64) {
    let mut bench = Bench::new(keys);
    let before = resident_bytes();
    let slowest = bench.fill();
    let held = resident_bytes().saturating_sub(before);
    println!("{keys} keys of 14 bytes with values of 64 bytes");
    println!("  resident            {:6.1} bytes per key", held as f64 / keys as f64);
    println!("  slowest insertion   {:6} us", slowest.as_micros());
    bench.run("get", Bench::get);
    bench.run("set", Bench::set);
    bench.run("cas", Bench::cas);
    bench.make_counters();
    bench.run("increment", Bench::increment);
    black_box(bench.last.0);
}

/// A store, and a walk over its keys in an order that no cache foresees.
struct Bench {
    store: Store,
    keys: u64,
    next: u64,
    last: Last,
    revisions: Vec<u64>,
}

/// Keeps the number of the latest answer, as little as an outbox can do.
struct Last(u64);

impl Bench {
    fn new(keys: u64) -> Self {
        let store = Store::new(StoreLimits::default());
        let revisions: Vec<u64> = (1..=keys).collect();
        Self { store, keys, next: 0, last: Last(0), revisions }
    }

    /// Writes every key in turn. The longest that one took.
    fn fill(&mut self) -> Duration {
        let mut slowest = Duration::ZERO;
        for number in 0..self.keys {
            let begin = Instant::now();
            self.write(number, Expect::Any, ValueRef::raw(&VALUE));
            slowest = slowest.max(begin.elapsed());
        }
        slowest
    }

    fn make_counters(&mut self) {
        for number in 0..self.keys {
            self.write(number, Expect::Any, ValueRef::Int(0));
        }
    }

    fn run(&mut self, name: &str, step: impl Fn(&mut Self, u64)) {
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            self.next = self.next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = (self.next >> 33) % self.keys;
            step(self, number);
        }
        let nanoseconds = begin.elapsed().as_nanos() as f64 / ROUNDS as f64;
        println!("  {name:<18} {nanoseconds:7.1} ns");
    }

    fn get(&mut self, number: u64) {
        let name = name(number);
        self.ask(Request::Get(Get { key: key(&name) }));
    }

    fn set(&mut self, number: u64) {
        self.write(number, Expect::Any, ValueRef::raw(&VALUE));
        self.revisions[number as usize] = self.last.0;
    }

    fn cas(&mut self, number: u64) {
        let known = self.revisions[number as usize];
        self.write(number, Expect::Revision(known), ValueRef::raw(&VALUE));
        self.revisions[number as usize] = self.last.0;
    }

    fn increment(&mut self, number: u64) {
        let name = name(number);
        let by = Number::Int(1);
        let (initial, expiry) = (None, Expiry::Keep);
        self.ask(Request::Increment(Increment { key: key(&name), by, initial, expiry }));
    }

    fn write(&mut self, number: u64, expect: Expect<'_>, value: ValueRef<'_>) {
        let name = name(number);
        let expiry = Expiry::Never;
        self.ask(Request::Write(Write { key: key(&name), expect, expiry, value }));
    }

    fn ask(&mut self, request: Request<'_>) {
        let caller = Caller { session: SessionId::new(0, 0), request: 1 };
        self.store.handle(Time::default(), caller, request, &mut self.last);
    }
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

impl Outbox<GlobalDataWire> for Last {
    fn reply(&mut self, _: Caller, reply: Reply<'_>) {
        self.0 = match reply {
            Reply::Got(entry) => entry.expect("every key is there").revision,
            Reply::Written(Written::Stored { revision }) => revision,
            Reply::Incremented { revision, .. } => revision,
            other => panic!("not asked for: {other:?}"),
        };
    }

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
