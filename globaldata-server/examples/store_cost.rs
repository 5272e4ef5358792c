//! Prints what requests cost the store alone, and what a key takes in memory.
//!
//! `cargo run --release -p workyard-globaldata-server --example store_cost`

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

mod support {
    pub(crate) mod ear;
    pub(crate) mod memory;
    pub(crate) mod names;
}

use std::hint::black_box;
use std::time::{Duration, Instant};
use support::ear::{self, Ear};
use support::memory::resident_bytes;
use support::names::{key, name};
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{Expect, Expiry, Get, Increment, Request, Write};
use workyard_protocol::{Number, ValueRef};

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
    black_box(bench.ear.heard());
}

/// A store, and a walk over its keys in an order that no cache foresees.
struct Bench {
    store: Store,
    keys: u64,
    next: u64,
    ear: Ear,
    revisions: Vec<u64>,
}

impl Bench {
    fn new(keys: u64) -> Self {
        let store = Store::new(StoreLimits::default());
        let revisions: Vec<u64> = (1..=keys).collect();
        Self { store, keys, next: 0, ear: Ear::default(), revisions }
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
        self.revisions[number as usize] = self.ear.heard().0;
    }

    fn cas(&mut self, number: u64) {
        let known = self.revisions[number as usize];
        self.write(number, Expect::Revision(known), ValueRef::raw(&VALUE));
        self.revisions[number as usize] = self.ear.heard().0;
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
        ear::ask(&mut self.store, 0, request, &mut self.ear);
    }
}
