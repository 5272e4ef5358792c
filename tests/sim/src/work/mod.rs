//! Queues with all that they can: delays, priorities, ids, leases that end, dead letters, settings.

mod actor;
mod book;
mod ledger;
mod monitor;
mod settings;
mod worker;

use crate::program::{all_ended, calm_client};
use crate::run::{self, Plan, Run};
use crate::server::Server;
use crate::world::{World, lock};
use actor::Actor;
use book::Book;
use fastrand::Rng;
use ledger::Ledger;
use monitor::WorkMonitor;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use worker::Worker;
use workyard_channel::{ChannelClient, Error, JobBackoff, QueueSettings};
use workyard_channel_core::{Broker, BrokerLimits};

const QUEUES: [&str; 2] = ["q", "r"];

/// Runs a seed with the real broker.
#[must_use]
pub fn work(plan: &Plan) -> Run {
    run::run(plan, |world, mut rng| {
        let limits = BrokerLimits {
            job_attempts_max: [0, 2, 10][rng.usize(..3)],
            queue_lease_ms: [0, 300, 1500, 30_000][rng.usize(..4)],
            queue_dedup_window_ms: [0, 500, 5000][rng.usize(..3)],
            ..BrokerLimits::default()
        };
        let book = Book::new(Arc::clone(&world.findings), limits);
        let ledger = Arc::new(Mutex::new(Ledger::new(book)));
        let server = Server::new(
            Box::new(move |epoch| Broker::new(limits).in_epoch(epoch)),
            WorkMonitor::new(Arc::clone(&ledger)),
            Arc::clone(&world.network),
            Arc::clone(&world.findings),
            [600, 2000, 100_000][rng.usize(..3)],
        );
        let check = |server: &Server<Broker, WorkMonitor>, world: &World| {
            world.check_nothing_is_left(server.engine());
        };
        (server, scenario(world, ledger, rng), check)
    })
}

/// What a queue may have of its own.
fn settings_of(rng: &mut Rng) -> QueueSettings {
    let ms = Duration::from_millis;
    let backoff = match rng.u8(..4) {
        0 => Some(JobBackoff::None),
        1 => Some(JobBackoff::Fixed(ms(rng.u64(1..1000)))),
        2 => Some(JobBackoff::Exponential { first: ms(rng.u64(1..200)), max: ms(1000) }),
        _ => None,
    };
    QueueSettings {
        lease: rng.bool().then(|| ms([0, 200, 1000, 10_000][rng.usize(..4)])),
        attempts_max: rng.bool().then(|| rng.u32(..4)),
        backoff,
        dedup_window: rng.bool().then(|| ms([0, 300, 3000][rng.usize(..3)])),
        jobs_max: rng.bool().then(|| [1, 3, 10][rng.usize(..3)]),
        bytes_max: (rng.u8(..4) == 0).then(|| [500, 2000][rng.usize(..2)]),
    }
}

/// What happens, from the first step to the last.
async fn scenario(world: Arc<World>, ledger: Arc<Mutex<Ledger>>, mut rng: Rng) {
    let actors: Vec<_> = (0..rng.usize(1..=4))
        .map(|_| Actor::new(Arc::clone(&world), Arc::clone(&ledger), rng.fork()))
        .map(|actor| tokio::spawn(actor.run()))
        .collect();
    if all_ended(&world, actors).await.is_none() {
        return;
    }
    // Long enough for every half-open connection to be found, and for every delay to end.
    tokio::time::sleep(Duration::from_secs(40)).await;
    let client = calm_client(&world);
    if let Err(error) = settle(&world, &ledger, &client, &mut rng).await {
        world.findings.report(format!("nothing is wrong with the network, but: {error}"));
    }
    drop(client);
    tokio::time::sleep(Duration::from_secs(20)).await;
}

/// What is left is what must be, and can be done: the dead letters, too, when they are redriven.
async fn settle(
    world: &Arc<World>,
    ledger: &Arc<Mutex<Ledger>>,
    client: &ChannelClient,
    rng: &mut Rng,
) -> Result<(), Error> {
    let left = jobs(client).await?;
    let expected = lock(ledger).book.left();
    world.findings.check(left == expected, || format!("{left} jobs are left of {expected}"));
    for queue in QUEUES {
        let mut dead = Vec::new();
        let mut listed = client.dead_jobs(queue);
        while let Some(one) = listed.next().await.transpose()? {
            dead.push((one.job, one.attempts));
        }
        let expected = lock(ledger).book.dead(queue.as_bytes());
        world.findings.check(expected.as_ref().is_none_or(|expected| *expected == dead), || {
            format!("dead are {dead:?}, and {expected:?} should be")
        });
        client.configure_queue(queue, &QueueSettings::default()).await?;
        client.redrive(queue).await?;
        let consumer = client.consume(queue, 3).await?;
        let (world, ledger) = (Arc::clone(world), Arc::clone(ledger));
        let worker = Worker { world, ledger, rng: rng.fork(), is_diligent: true };
        // It ends with its client.
        tokio::spawn(worker.run(consumer));
    }
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if jobs(client).await? == 0 {
            let left = lock(ledger).book.left();
            world.findings.check(left == 0, || format!("{left} jobs were lost"));
            return client.close(Duration::from_secs(5)).await;
        }
    }
    world.findings.report("there are jobs that nobody can finish");
    Ok(())
}

/// How many jobs there are in all queues, whatever their state.
async fn jobs(client: &ChannelClient) -> Result<usize, Error> {
    let mut queues = client.queues("");
    let mut jobs = 0;
    while let Some(stats) = queues.next().await.transpose()? {
        jobs += stats.ready + stats.leased + stats.delayed;
    }
    Ok(usize::try_from(jobs).unwrap_or(usize::MAX))
}
