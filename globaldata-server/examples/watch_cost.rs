//! Prints what a change costs the store with many who watch it, with none, and what a topic takes in
//! memory.
//!
//! `cargo run --release -p workyard-globaldata-server --example watch_cost`
//!
//! With the name of a row of `writes` and a number of writes it does these alone, for a tool that counts
//! instructions.

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

mod support {
    pub(crate) mod ear;
    pub(crate) mod memory;
    pub(crate) mod names;
}

use std::hint::black_box;
use std::time::{Duration, Instant};
use support::ear::{Ear, ask};
use support::memory::resident_bytes;
use support::names::{key, name};
use workyard_globaldata_core::{Store, StoreLimits, WATCH_OVERHEAD_BYTES};
use workyard_protocol::globaldata::{Expect, Expiry, Request, Watch, WatchTopic, Write};
use workyard_protocol::limits::NAME_BYTES_MAX;
use workyard_protocol::{Key, ValueRef};

const VALUE: [u8; 64] = [b'v'; 64];
const KEYS: u64 = 10_000;
const WRITES: u64 = 200_000;
/// How many pushes each round of the fan-out measures.
const PUSHES: u64 = 1_000_000;
/// The best of so many rounds is printed, as the others were disturbed. Rows take turns.
const ROUNDS: u32 = 7;
/// Nobody writes anything that begins so.
const UNRELATED: &str = "unrelated";

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is watched while keys are written that nobody watches.
#[derive(Clone, Copy, Debug)]
enum Others {
    Nothing,
    AnotherKey,
    AnotherPrefix,
    ManyPrefixes,
}

const OTHERS: [(&str, Others); 4] = [
    ("nothing", Others::Nothing),
    ("another-key", Others::AnotherKey),
    ("another-prefix", Others::AnotherPrefix),
    ("1000-prefixes", Others::ManyPrefixes),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    if let (Some(row), Some(writes)) = (arguments.next(), arguments.next()) {
        let (_, others) = *OTHERS.iter().find(|(name, _)| *name == row).expect("a row's name");
        let writes = writes.parse().expect("a number of writes");
        write_many(&mut watching(others), writes);
        return;
    }
    memory();
    fan_out();
    writes();
    prefixes_that_nearly_fit();
}

/// Half a million topics of each kind, each of one session of a hundred.
fn memory() {
    let (sessions, topics) = (100, 5000);
    println!("{} topics of 14 bytes watched by {sessions} sessions", sessions * topics);
    // Kept, as memory that is free would be used again.
    let mut stores = Vec::new();
    for (kind, is_prefix) in [("keys", false), ("prefixes", true)] {
        let mut store = Store::new(StoreLimits::default());
        let before = resident_bytes();
        for session in 0..sessions {
            let names = (0..topics).map(|number| name(session * topics + number));
            for name in names {
                let name = key(&name);
                let topic =
                    if is_prefix { WatchTopic::Prefix(name) } else { WatchTopic::Key(name) };
                watch(&mut store, session as u32, vec![topic]);
            }
        }
        let held = resident_bytes().saturating_sub(before) as f64 / (sessions * topics) as f64;
        let counted = 2 * 14 + WATCH_OVERHEAD_BYTES;
        println!("  {kind:<8} {held:6.1} bytes resident each, counted as {counted}");
        stores.push(store);
    }
    println!();
}

fn fan_out() {
    println!("a key written with so many watchers");
    let name = name(7);
    let prefix = Key::new(&name[..5]).expect("a short name");
    let topics = [("key", WatchTopic::Key(key(&name))), ("prefix", WatchTopic::Prefix(prefix))];
    for watchers in [1, 10, 100, 1000] {
        for (kind, topic) in topics {
            let mut store = filled();
            for session in 1..=watchers {
                watch(&mut store, session, vec![topic]);
            }
            let writes = PUSHES / u64::from(watchers);
            let best = (0..ROUNDS).map(|_| write_one(&mut store, writes, watchers.into())).min();
            let each = nanoseconds(best.unwrap_or_default(), writes);
            let push = each / f64::from(watchers);
            println!(
                "  {watchers:>4} by {kind:<6} {each:9.1} ns per write, {push:6.1} ns per push"
            );
        }
    }
}

/// Writes a key that so many watch.
fn write_one(store: &mut Store, writes: u64, watchers: u64) -> Duration {
    let mut ear = Ear::default();
    let name = name(7);
    let begin = Instant::now();
    for _ in 0..writes {
        ask(store, 0, set(key(&name)), &mut ear);
    }
    let took = begin.elapsed();
    let (_, pushes) = ear.heard();
    assert!(pushes >= writes * watchers, "everybody is told, and now and then how far the log is");
    took
}

/// The rows take turns, so that what disturbs one disturbs all.
fn writes() {
    println!("\nkeys written that nobody watches, while what is watched is");
    let mut stores = OTHERS.map(|(_, others)| watching(others));
    let mut best = [Duration::MAX; OTHERS.len()];
    for _ in 0..ROUNDS {
        for (store, best) in stores.iter_mut().zip(&mut best) {
            *best = write_many(store, WRITES).min(*best);
        }
    }
    for ((row, _), best) in OTHERS.iter().zip(best) {
        println!("  {row:<14} {:7.1} ns per write", nanoseconds(best, WRITES));
    }
}

fn write_many(store: &mut Store, writes: u64) -> Duration {
    let mut ear = Ear::default();
    let begin = Instant::now();
    for number in 0..writes {
        let name = name(number.wrapping_mul(7919) % KEYS);
        ask(store, 0, set(key(&name)), &mut ear);
    }
    let took = begin.elapsed();
    black_box(ear.heard());
    took
}

/// The worst that prefixes can do to a change that none of them covers.
fn prefixes_that_nearly_fit() {
    let mut store = Store::new(StoreLimits::default());
    let long = [b'b'; NAME_BYTES_MAX];
    let names: Vec<Vec<u8>> =
        (0..long.len()).map(|place| [&long[..place], b"a"].concat()).collect();
    let prefix = |name| WatchTopic::Prefix(Key::new(name).expect("within its bound"));
    watch(&mut store, 1, names.iter().map(prefix).collect());
    let mut ear = Ear::default();
    let writes = 1000;
    let begin = Instant::now();
    for _ in 0..writes {
        ask(&mut store, 0, set(Key::new(&long).expect("within its bound")), &mut ear);
    }
    let each = nanoseconds(begin.elapsed(), writes) / 1000.0;
    println!("\na key of {} bytes, and a prefix that nearly fits for each", long.len());
    println!("  {each:.1} us per write, {} pushes", ear.heard().1);
}

fn watching(others: Others) -> Store {
    let mut store = filled();
    let prefix = |name| WatchTopic::Prefix(Key::new(name).expect("a short name"));
    match others {
        Others::Nothing => {}
        Others::AnotherKey => {
            let topic = WatchTopic::Key(Key::new(UNRELATED).expect("a short name"));
            watch(&mut store, 1, vec![topic]);
        }
        Others::AnotherPrefix => watch(&mut store, 1, vec![prefix(UNRELATED)]),
        Others::ManyPrefixes => {
            let names: Vec<_> = (0..1000).map(|number| format!("{UNRELATED}:{number}:")).collect();
            for (session, name) in (1..).zip(&names) {
                watch(&mut store, session, vec![prefix(name.as_str())]);
            }
        }
    }
    store
}

fn filled() -> Store {
    let mut store = Store::new(StoreLimits::default());
    write_many(&mut store, KEYS);
    store
}

fn watch(store: &mut Store, session: u32, topics: Vec<WatchTopic<'_>>) {
    let watch = Watch { watch: 1, topics, values: true, after: None };
    ask(store, session, Request::Watch(watch), &mut Ear::default());
}

fn set(key: Key<'_>) -> Request<'_> {
    let (expect, expiry, value) = (Expect::Any, Expiry::Never, ValueRef::raw(&VALUE));
    Request::Write(Write { key, expect, expiry, value })
}

fn nanoseconds(took: Duration, times: u64) -> f64 {
    took.as_nanos() as f64 / times as f64
}
