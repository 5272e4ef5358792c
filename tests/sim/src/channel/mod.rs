//! Channel-server and its clients: publishers, subscribers, groups, producers, workers.

mod actor;
mod asking;
mod interests;
mod jobs;
mod ledger;
mod monitor;
mod questions;
mod reader;
mod worker;

use crate::program::{all_ended, calm_client};
use crate::run::{self, Counted, Plan, Run};
use crate::server::Server;
use crate::world::{World, lock};
use actor::Actor;
use fastrand::Rng;
use ledger::Ledger;
use monitor::ChannelMonitor;
pub(crate) use reader::Filter;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use worker::Worker;
use workyard_channel::{ChannelClient, Value};
use workyard_channel_core::{Broker, BrokerLimits, Census};
use workyard_engine::Engine;
use workyard_protocol::channel::ChannelWire;
use workyard_protocol::{Encoding, ValueRef};

impl Counted for Broker {
    fn leftover(&self) -> Option<String> {
        let census = self.census();
        (census != Census::default()).then(|| format!("{census:?}"))
    }
}

/// Runs a seed with the real broker.
#[must_use]
pub fn channel(plan: &Plan) -> Run {
    channel_with(plan, |_, limits| Broker::new(limits))
}

/// Runs a seed with another core, made from its epoch and limits at every start of the server.
pub fn channel_with<E>(plan: &Plan, mut make: impl FnMut(u64, BrokerLimits) -> E + 'static) -> Run
where
    E: Engine<Wire = ChannelWire> + Counted + 'static,
{
    run::run(plan, |world, mut rng| {
        let ledger = Arc::new(Mutex::new(Ledger::new(Arc::clone(&world.findings))));
        let job_attempts_max = [0, 3, 10][rng.usize(..3)];
        let limits = BrokerLimits { job_attempts_max, ..BrokerLimits::default() };
        let server = Server::new(
            Box::new(move |epoch| make(epoch, limits)),
            ChannelMonitor::new(Arc::clone(&ledger)),
            Arc::clone(&world.network),
            Arc::clone(&world.findings),
            [600, 2000, 100_000][rng.usize(..3)],
        );
        let last = Arc::clone(&ledger);
        let check = move |server: &Server<E, ChannelMonitor>, world: &World| {
            lock(&last).check_jobs();
            world.check_nothing_is_left(server.engine());
        };
        (server, scenario(world, ledger, rng), check)
    })
}

/// What happens, from the first step to the last.
async fn scenario(world: Arc<World>, ledger: Arc<Mutex<Ledger>>, mut rng: Rng) {
    let actors: Vec<_> = (0..rng.usize(1..=4))
        .map(|_| Actor::new(Arc::clone(&world), Arc::clone(&ledger), rng.fork()))
        .map(|actor| tokio::spawn(actor.run()))
        .collect();
    let Some(mut ended) = all_ended(&world, actors).await else { return };
    let client = calm_client(&world);
    everybody_hears_the_last(&world, &ledger, &client).await;
    ended.iter_mut().for_each(Actor::stop);
    drop(ended);
    // Long enough for every half-open connection to be found: what is on its way may be a job.
    tokio::time::sleep(Duration::from_secs(20)).await;
    work_everything_off(&world, &ledger, &client, &mut rng).await;
    drop(client);
    // Long enough for every half-open connection to be found.
    tokio::time::sleep(Duration::from_secs(20)).await;
}

/// Every subscription that is still there hears the last message, and with it what it missed.
async fn everybody_hears_the_last(world: &World, ledger: &Mutex<Ledger>, client: &ChannelClient) {
    for _ in 0..100 {
        if lock(ledger).waiting_readers() == 0 {
            return;
        }
        for channel in actor::PLAIN {
            let id = lock(ledger).last_message();
            let published = client.publish_value(channel, &value(id, 0)).await;
            world.network.say(|| format!("last message, value {id}: {published:?}"));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let waiting = lock(ledger).waiting_readers();
    world.findings.report(format!("{waiting} subscriptions never hear anything any more"));
}

/// A diligent worker does what is left in all queues, those of the dead included.
async fn work_everything_off(
    world: &Arc<World>,
    ledger: &Arc<Mutex<Ledger>>,
    client: &ChannelClient,
    rng: &mut Rng,
) {
    let names = actor::QUEUES.iter().flat_map(|name| [(*name).to_owned(), format!("{name}.dead")]);
    let mut workers = Vec::new();
    for name in names {
        let consumer = match client.consume(&name, 3).await {
            Ok(consumer) => consumer,
            Err(error) => return world.findings.report(format!("consuming from {name}: {error}")),
        };
        let (world, ledger) = (Arc::clone(world), Arc::clone(ledger));
        let worker = Worker { world, ledger, rng: rng.fork(), is_diligent: true };
        workers.push(tokio::spawn(worker.run(consumer)));
    }
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut queues = client.queues("");
        let mut jobs = 0;
        while let Some(Ok(stats)) = queues.next().await {
            jobs += stats.ready + stats.leased;
        }
        if jobs == 0 {
            workers.iter().for_each(|worker| worker.abort());
            return;
        }
    }
    world.findings.report("there are jobs that nobody can finish");
}

/// A value that is told from all others by its number.
pub(crate) fn value(id: u64, padding: usize) -> Value {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.resize(bytes.len() + padding, b'.');
    Value::Encoded { encoding: Encoding::Raw, bytes: bytes.into() }
}

/// The number of a value; 0 if it is none of ours.
pub(crate) fn value_id(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Encoded { bytes, .. } => {
            bytes.first_chunk().map_or(0, |id| u64::from_be_bytes(*id))
        }
        ValueRef::Int(_) | ValueRef::Float(_) => 0,
    }
}
