//! Prints what queues cost: the memory of a delayed job, how late jobs come that are due, and the time that
//! leases, priorities and ids take.
//!
//! ```sh
//! cargo run --release -p workyard-channel-core --example queue_cost
//! ```
//!
//! The outbox does nothing with what it is handed, so only the broker's own work is counted.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};
use workyard_channel_core::{Broker, BrokerLimits};
use workyard_engine::{Caller, Engine, Outbox, Publication, SessionId, Time};
use workyard_protocol::channel::{
    Ack, ChannelWire, Consume, Enqueue, PublisherId, Push, Renew, Reply, Request,
};
use workyard_protocol::{Delay, QueueName, Refusal, ValueRef};

const JOBS: u32 = 1_000_000;
const PAYLOAD: [u8; 64] = [b'x'; 64];

fn main() {
    // First, as memory that was freed before would be used again.
    delayed();
    println!("nanoseconds for each job that is enqueued, handed out and acknowledged:");
    cycle("without a deadline", 0, |job, _| job);
    cycle("leased for 30 s", 30_000, |job, _| job);
    cycle("leased, of one of three priorities", 30_000, |job, at| Enqueue {
        priority: (at % 3) as u8,
        ..job
    });
    renewals();
    ids();
}

/// A broker, and the leases that it gave.
struct Bench {
    broker: Broker,
    given: Given,
    now: Time,
}

#[derive(Default)]
struct Given {
    leases: Vec<u64>,
}

impl Outbox<ChannelWire> for Given {
    fn reply(&mut self, to: Caller, reply: Reply<'_>) {
        black_box((to, &reply));
    }

    fn refuse(&mut self, _: Caller, refusal: Refusal) {
        panic!("{refusal}");
    }

    fn push(&mut self, _: SessionId, push: Push<'_>) {
        if let Push::Job { lease, .. } = push {
            self.leases.push(lease);
        }
    }

    fn publish(
        &mut self,
        publication: Publication<'_, Push<'_>>,
        _: impl IntoIterator<Item = SessionId>,
    ) {
        black_box(publication);
    }

    fn has_room(&mut self, _: SessionId) -> bool {
        true
    }

    fn disconnect(&mut self, session: SessionId, refusal: Refusal) {
        unreachable!("{session} is not slow: {refusal}")
    }
}

impl Bench {
    fn new(lease_ms: u32) -> Self {
        let limits = BrokerLimits {
            queue_lease_ms: lease_ms,
            dedup_ids_max: JOBS as usize,
            ..BrokerLimits::default()
        };
        Self { broker: Broker::new(limits), given: Given::default(), now: Time::default() }
    }

    fn ask(&mut self, request: Request<'_>) {
        let caller = Caller { session: SessionId::new(1, 0), request: 1 };
        self.broker.handle(self.now, caller, request, &mut self.given);
    }

    fn consume(&mut self) {
        self.ask(Request::Consume(Consume { queue: queue(), prefetch: 65_535 }));
    }
}

fn queue() -> QueueName<'static> {
    QueueName::new("bench").expect("short")
}

fn job() -> Enqueue<'static> {
    Enqueue::new(queue(), ValueRef::raw(&PAYLOAD))
}

fn report(what: &str, count: u32, mut operation: impl FnMut(u32)) {
    let start = Instant::now();
    (0..count).for_each(&mut operation);
    let each = start.elapsed().as_nanos() as f64 / f64::from(count);
    println!("  {each:7.1}  {what}");
}

/// A thousand jobs are held at a time.
fn cycle(what: &str, lease_ms: u32, special: impl Fn(Enqueue<'static>, u32) -> Enqueue<'static>) {
    let mut bench = Bench::new(lease_ms);
    bench.consume();
    report(what, JOBS, |at| {
        bench.ask(Request::Enqueue(special(job(), at)));
        if bench.given.leases.len() >= 1000 {
            for lease in std::mem::take(&mut bench.given.leases) {
                bench.ask(Request::Ack(Ack { lease }));
            }
        }
    });
}

fn renewals() {
    const HELD: u32 = 50_000;
    let mut bench = Bench::new(30_000);
    bench.consume();
    (0..HELD).for_each(|_| bench.ask(Request::Enqueue(job())));
    let leases = bench.given.leases.clone();
    let start = Instant::now();
    for part in leases.chunks(10_000) {
        bench.now = bench.now + Duration::from_millis(10);
        bench.ask(Request::Renew(Renew { leases: part.to_vec() }));
    }
    let each = start.elapsed().as_nanos() as f64 / f64::from(HELD);
    println!("  {each:7.1}  each lease that is renewed, of {HELD}");
}

fn ids() {
    let mut bench = Bench::new(0);
    report("a job with an id, enqueued", JOBS, |at| {
        let id = at.to_be_bytes();
        let id = PublisherId::new(&id).ok();
        bench.ask(Request::Enqueue(Enqueue { id, ..job() }));
    });
}

/// A million that are due within the next hour, in no order; ten thousand of them at one instant.
fn delayed() {
    const AT_ONCE: u32 = 10_000;
    let before = resident_bytes();
    let mut bench = Bench::new(0);
    report("a job with a delay, enqueued", JOBS, |at| {
        let millis = match at < AT_ONCE {
            true => 1000,
            false => 1001 + u64::from(at) * 7_919 % 3_600_000,
        };
        let delay = Delay::from_millis(millis).expect("an hour");
        bench.ask(Request::Enqueue(Enqueue { delay, ..job() }));
    });
    if let Some(used) = resident_bytes().zip(before).map(|(after, before)| after - before) {
        let each = used / u64::from(JOBS) - PAYLOAD.len() as u64;
        println!("bytes for each delayed job, beyond its {}: {each}", PAYLOAD.len());
    }
    bench.consume();
    bench.now = Time::from_millis(1000);
    let (start, mut longest) = (Instant::now(), Duration::ZERO);
    while bench.broker.next_deadline().is_some_and(|deadline| deadline <= bench.now) {
        let begun = Instant::now();
        bench.broker.expire(bench.now, &mut bench.given);
        longest = longest.max(begun.elapsed());
    }
    assert_eq!(bench.given.leases.len(), AT_ONCE as usize);
    println!(
        "{AT_ONCE} due at one instant of {JOBS} pending: handed out within {:?}, {longest:?} at a time",
        start.elapsed()
    );
    let start = Instant::now();
    for lease in std::mem::take(&mut bench.given.leases) {
        bench.ask(Request::Ack(Ack { lease }));
    }
    bench.now = Time::from_millis(3_700_000);
    while bench.broker.next_deadline().is_some() {
        bench.broker.expire(bench.now, &mut bench.given);
        for lease in std::mem::take(&mut bench.given.leases) {
            bench.ask(Request::Ack(Ack { lease }));
        }
    }
    let rest = JOBS - AT_ONCE;
    let each = start.elapsed().as_nanos() as f64 / f64::from(rest);
    println!("  {each:7.1}  ns for each of the others, due, handed out and acknowledged");
}

/// Linux only; elsewhere the figure is left out.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
