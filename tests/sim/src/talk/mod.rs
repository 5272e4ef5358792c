//! Questions and presence: programs that ask, serve, enter rooms and follow who is there.

mod actor;
mod monitor;
mod notes;
mod tasks;

use crate::program::{all_ended, calm_client};
use crate::run::{self, Counted, Plan, Run};
use crate::server::Server;
use crate::world::{World, lock};
use actor::Actor;
use fastrand::Rng;
use monitor::TalkMonitor;
use notes::Notes;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use workyard_channel::ChannelClient;
use workyard_channel_core::{Broker, BrokerLimits};
use workyard_engine::Engine;
use workyard_protocol::channel::ChannelWire;

const SERVED: [&str; 3] = ["s.a", "s.b", "s.c"];
const ROOMS: [&str; 2] = ["room.1", "room.2"];

/// Runs a seed with the real broker.
#[must_use]
pub fn talk(plan: &Plan) -> Run {
    talk_with(plan, |_, limits| Broker::new(limits))
}

/// Runs a seed with another core, made from its epoch and limits at every start of the server.
pub fn talk_with<E>(plan: &Plan, mut make: impl FnMut(u64, BrokerLimits) -> E + 'static) -> Run
where
    E: Engine<Wire = ChannelWire> + Counted + 'static,
{
    run::run(plan, |world, mut rng| {
        let questions_per_responder_max = [1, 3, 1000][rng.usize(..3)];
        let question_bytes_max = [2000, 1 << 20][rng.usize(..2)];
        let limits = BrokerLimits {
            questions_per_responder_max,
            question_bytes_max,
            ..BrokerLimits::default()
        };
        let server = Server::new(
            Box::new(move |epoch| make(epoch, limits)),
            TalkMonitor::new(Arc::clone(&world.findings)),
            Arc::clone(&world.network),
            Arc::clone(&world.findings),
            [600, 2000, 100_000][rng.usize(..3)],
        );
        let check = move |server: &Server<E, TalkMonitor>, world: &World| {
            world.check_nothing_is_left(server.engine());
        };
        (server, scenario(world, rng), check)
    })
}

/// What happens, from the first step to the last.
async fn scenario(world: Arc<World>, mut rng: Rng) {
    let notes = Arc::new(Mutex::new(Notes::new(Arc::clone(&world.findings))));
    let actors: Vec<_> = (1..=rng.usize(1..=4))
        .map(|number| Actor::new(number, Arc::clone(&world), Arc::clone(&notes), rng.fork()))
        .map(|actor| tokio::spawn(actor.run()))
        .collect();
    let Some(mut ended) = all_ended(&world, actors).await else { return };
    for room in ROOMS {
        let mut expected = BTreeSet::new();
        for actor in &mut ended {
            expected.extend(actor.make_sure(room).await);
        }
        everybody_knows(&world, &notes, room, &expected).await;
    }
    ended.iter_mut().for_each(Actor::stop);
    drop(ended);
    // Long enough for every half-open connection to be found.
    tokio::time::sleep(Duration::from_secs(20)).await;
}

/// The server lists exactly those, and every follower knows of exactly those.
async fn everybody_knows(
    world: &World,
    notes: &Mutex<Notes>,
    room: &str,
    expected: &BTreeSet<String>,
) {
    let client = calm_client(world);
    for _ in 0..100 {
        let listed = listed(&client, room).await;
        if listed.as_ref() == Some(expected) && lock(notes).followers_know(room, expected) {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let listed = listed(&client, room).await;
    let known = lock(notes).what_followers_know(room);
    world.findings.report(format!(
        "{room} has {listed:?}, followers know {known:?}, and {expected:?} should be there"
    ));
}

async fn listed(client: &ChannelClient, room: &str) -> Option<BTreeSet<String>> {
    let mut members = client.presence(room).members();
    let mut names = BTreeSet::new();
    while let Some(member) = members.next().await {
        if !names.insert(member.ok()?.identity_str().into_owned()) {
            // Somebody's connection of before has not been found to be gone yet.
            return None;
        }
    }
    Some(names)
}
