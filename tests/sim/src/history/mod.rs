//! Channels that are kept: programs that follow them, whatever becomes of connections, rules and servers.

mod actor;
mod follower;
mod kept;
mod ledger;
mod monitor;

use crate::program::{all_ended, calm_client, everybody_hears_the_last};
use crate::run::{self, Plan, Run};
use crate::server::Server;
use crate::world::{World, lock};
use actor::Actor;
use fastrand::Rng;
use kept::Kept;
use ledger::Ledger;
use monitor::HistoryMonitor;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use workyard_channel::ChannelClient;
use workyard_channel_core::{Broker, BrokerLimits};
use workyard_protocol::channel::{HistoryBounds, KeepHistory};
use workyard_protocol::{Pattern, Ttl};

const CHANNELS: [&str; 4] = ["k.a", "k.b", "k.c.d", "u.a"];
/// A rule that the server has from its start.
const STANDING: &str = "k.a";

/// Runs a seed with the real broker.
#[must_use]
pub fn history(plan: &Plan) -> Run {
    run::run(plan, |world, mut rng| {
        world.network.become_brittle();
        let forgets_numbers = rng.u8(..5) == 0;
        let history_bytes_max = [3000, 1 << 30][usize::from(rng.u8(..5) > 0)];
        let sequence_bytes_max =
            if forgets_numbers { 200 } else { BrokerLimits::default().sequence_bytes_max };
        let limits =
            BrokerLimits { history_bytes_max, sequence_bytes_max, ..BrokerLimits::default() };
        let standing = bounds(&mut rng);
        let kept = move || Kept::new(history_bytes_max as u64, &[(STANDING, standing)]);
        let ledger = Ledger::new(Arc::clone(&world.findings), kept(), forgets_numbers);
        let ledger = Arc::new(Mutex::new(ledger));
        let server = Server::new(
            Box::new(move |epoch| broker(epoch, limits, standing)),
            HistoryMonitor::new(Arc::clone(&ledger), Box::new(kept)),
            Arc::clone(&world.network),
            Arc::clone(&world.findings),
            [600, 2000, 100_000][rng.usize(..3)],
        );
        let check = |server: &Server<Broker, HistoryMonitor>, world: &World| {
            world.check_nothing_is_left(server.engine());
        };
        (server, scenario(world, ledger, rng), check)
    })
}

fn broker(epoch: u64, limits: BrokerLimits, standing: HistoryBounds) -> Broker {
    let mut broker = Broker::new(limits).in_epoch(epoch);
    let pattern = Pattern::new(STANDING).expect("it is one");
    broker.keep_history(&KeepHistory { pattern, bounds: standing }).expect("there is room");
    broker
}

/// How much is kept of a channel.
fn bounds(rng: &mut Rng) -> HistoryBounds {
    HistoryBounds {
        messages_max: [1, 5, 30, 100_000][rng.usize(..4)],
        bytes_max: [400, 3000, 1 << 20][rng.usize(..3)],
        age: Ttl::from_millis([300, 3000, 1_000_000][rng.usize(..3)])
            .expect("they are within bounds"),
    }
}

/// What happens, from the first step to the last.
async fn scenario(world: Arc<World>, ledger: Arc<Mutex<Ledger>>, mut rng: Rng) {
    let actors: Vec<_> = (0..rng.usize(1..=4))
        .map(|_| Actor::new(Arc::clone(&world), Arc::clone(&ledger), rng.fork()))
        .map(|actor| tokio::spawn(actor.run()))
        .collect();
    let Some(mut ended) = all_ended(&world, actors).await else { return };
    let client = calm_client(&world);
    lock(&ledger).begin_the_end();
    let next_value = || lock(&ledger).next_value();
    let waiting = || lock(&ledger).waiting_followers();
    everybody_hears_the_last(&world, &client, &CHANNELS, 100, next_value, waiting).await;
    ended.iter_mut().for_each(Actor::stop);
    drop(ended);
    // Long enough for every half-open connection to be found: what is on its way may make a rule.
    tokio::time::sleep(Duration::from_secs(20)).await;
    drop_all_rules(&world, &client).await;
    drop(client);
    tokio::time::sleep(Duration::from_secs(20)).await;
}

/// Drops every rule that is listed: afterwards nothing is kept.
async fn drop_all_rules(world: &World, client: &ChannelClient) {
    let mut rules = client.histories("");
    while let Some(rule) = rules.next().await {
        let dropped = match rule {
            Ok(rule) => client.drop_history(&rule.pattern).await,
            Err(error) => Err(error),
        };
        if let Err(error) = dropped {
            return world.findings.report(format!("rules cannot be dropped: {error}"));
        }
    }
}
