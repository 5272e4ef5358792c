//! Histories of real clients and a real daemon: undisturbed, with connections cut, with a daemon that
//! stands still.

use crate::workload::{CALLERS_PER_CLIENT, Workload};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::sleep;
use workyard_globaldata::GlobalDataClient;
use workyard_tests::clients::{BACKOFF, address, within};
use workyard_tests::{Daemon, GlobalDataWire, Relay, Setup};

const CLIENTS: usize = 8;
const HISTORIES: u64 = 20;
/// So many rounds of 8 clients with 4 callers are 10 240 calls.
const ROUNDS: usize = 20;

fn daemon() -> Daemon<GlobalDataWire> {
    Setup::new().start()
}

async fn clients(daemon: &Daemon<GlobalDataWire>) -> Vec<GlobalDataClient> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(within(GlobalDataClient::connect(address(daemon))).await.unwrap());
    }
    clients
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_eight_clients_that_share_four_variables() {
    for seed in 0..HISTORIES {
        let daemon = daemon();
        let clients = clients(&daemon).await;
        let (calls, unknown) =
            within(Workload { seed, rounds: ROUNDS }.run(&clients, async || ())).await;
        assert!(calls >= 10_000, "{calls}");
        assert_eq!(unknown, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_clients_whose_connections_are_cut() {
    let mut lost = 0;
    for seed in 100..104 {
        let daemon = daemon();
        let (mut relays, mut clients) = (Vec::new(), Vec::new());
        for _ in 0..CLIENTS {
            let relay = Relay::to(&daemon).await;
            let client = GlobalDataClient::builder(relay.address()).backoff(BACKOFF).connect();
            clients.push(within(client).await.unwrap());
            relays.push(relay);
        }
        let cutting = async {
            let mut random = fastrand::Rng::with_seed(seed);
            loop {
                sleep(Duration::from_micros(random.u64(1000..15_000))).await;
                relays[random.usize(..CLIENTS)].cut();
            }
        };
        let settle = async || {
            join_all(relays.iter().map(Relay::settled)).await;
        };
        let workload = Workload { seed, rounds: ROUNDS };
        let (_, unknown) = tokio::select! {
            counts = within(workload.run(&clients, settle)) => counts,
            () = cutting => unreachable!("it goes on for ever"),
        };
        lost += unknown;
    }
    assert!(lost > 4 * CALLERS_PER_CLIENT, "only {lost} calls were cut");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_clients_that_give_up_while_the_daemon_stands_still() {
    const PATIENCE: Duration = Duration::from_millis(40);
    /// The others wait: too many calls without an answer would explain everything.
    const IMPATIENT: usize = CLIENTS / 2;
    let mut lost = 0;
    for seed in 200..203 {
        let daemon = daemon();
        let mut clients = clients(&daemon).await;
        for client in &mut clients[..IMPATIENT] {
            *client = client.with_call_timeout(PATIENCE);
        }
        let pausing = async {
            loop {
                sleep(PATIENCE).await;
                daemon.pause();
                sleep(PATIENCE * 3 / 2).await;
                daemon.resume();
            }
        };
        let workload = Workload { seed, rounds: ROUNDS };
        let (_, unknown) = tokio::select! {
            counts = within(workload.run(&clients, async || ())) => counts,
            () = pausing => unreachable!("it goes on for ever"),
        };
        lost += unknown;
    }
    assert!(lost > 10, "only {lost} calls were given up");
}
