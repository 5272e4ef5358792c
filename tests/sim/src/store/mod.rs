//! Globaldata-server and its clients: programs that share variables.

mod actor;
mod holder;
mod locks;
mod model;
mod monitor;
mod observer;
mod record;
mod truth;

use crate::program::all_ended;
use crate::run::{self, Counted, Plan, Run};
use crate::server::Server;
use crate::world::{World, lock};
use actor::Actor;
use fastrand::Rng;
use monitor::StoreMonitor;
use record::Record;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use workyard_engine::Engine;
use workyard_globaldata::GlobalDataClient;
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::GlobalDataWire;

impl Counted for Store {
    fn leftover(&self) -> Option<String> {
        let census = self.census();
        (census.keys > 0 || census.bytes > 0).then(|| format!("{census:?}"))
    }
}

/// Runs a seed with the real store.
#[must_use]
pub fn store(plan: &Plan) -> Run {
    let mut rng = Rng::with_seed(plan.seed);
    let limits = StoreLimits {
        watch_log_changes_max: [3, 30, 100_000][rng.usize(..3)],
        watch_log_linger_ms: [0, 500, 60_000][rng.usize(..3)],
        watch_portion_changes_max: [1, 10_000][rng.usize(..2)],
        ..StoreLimits::default()
    };
    store_with(plan, move |epoch| Store::after(epoch, limits.clone()))
}

/// Runs a seed with another core, made from its epoch at every start of the server.
pub fn store_with<E>(plan: &Plan, make: impl FnMut(u64) -> E + 'static) -> Run
where
    E: Engine<Wire = GlobalDataWire> + Counted + 'static,
{
    run::run(plan, |world, mut rng| {
        let record = Arc::new(Mutex::new(Record::new(Arc::clone(&world.findings))));
        let server = Server::new(
            Box::new(make),
            StoreMonitor::new(Arc::clone(&record)),
            Arc::clone(&world.network),
            Arc::clone(&world.findings),
            [600, 2000, 100_000][rng.usize(..3)],
        );
        let check = |server: &Server<E, StoreMonitor>, world: &World| {
            world.check_nothing_is_left(server.engine());
        };
        (server, scenario(world, record, rng), check)
    })
}

/// What happens, from the first step to the last.
async fn scenario(world: Arc<World>, record: Arc<Mutex<Record>>, mut rng: Rng) {
    let actors: Vec<_> = (0..rng.usize(1..=4))
        .map(|_| Actor::new(Arc::clone(&world), Arc::clone(&record), rng.fork()))
        .map(|actor| tokio::spawn(actor.run()))
        .collect();
    let Some(mut ended) = all_ended(&world, actors).await else { return };
    everybody_knows(&world, &record).await;
    ended.iter_mut().for_each(Actor::stop);
    drop(ended);
    // Long enough for the server to be up, and for every half-open connection to be found.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let client = GlobalDataClient::builder("sim:2207").connector(world.connector());
    let client = client.connect_lazy().expect("the address is one");
    if let Err(error) = actor::clean_up(&client).await {
        world.findings.report(format!("nothing is wrong with the network, but: {error}"));
    }
    drop(client);
    tokio::time::sleep(Duration::from_secs(20)).await;
}

/// Everybody who watches knows how things stand.
async fn everybody_knows(world: &World, record: &Mutex<Record>) {
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let record = lock(record);
        if record.observers.values().all(|observed| observed.is_right(&record.truth)) {
            return;
        }
    }
    let record = lock(record);
    let wrong = record.observers.values().find(|observed| !observed.is_right(&record.truth));
    let (wrong, truth) = (format!("{wrong:?}"), &record.truth);
    world.findings.report(format!("somebody never knows how things stand: {wrong}, {truth:?}"));
}
