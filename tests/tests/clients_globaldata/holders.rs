//! Holders of a lock that are killed or stopped, in processes of their own: the next one gets it, and what the
//! late one writes is refused.

use crate::support::{client, daemon};
use std::time::Instant;
use workyard_globaldata::{GlobalDataClient, Reason};
use workyard_tests::clients::{address, within};
use workyard_tests::{Daemon, GlobalDataWire, PATIENCE, Program, Running, eventually};

const PROCESSES: usize = 8;
const KILLS: usize = 40;

/// A process that wants a lock, says its token when it has it, and holds it until it dies.
fn contender(daemon: &Daemon<GlobalDataWire>, ttl: &str) -> Running {
    let server = address(daemon).to_string();
    Program::built("workyard")
        .arguments(["--server", &server, "lock", "work", "--ttl", ttl, "--"])
        .arguments(["sh", "-c", "echo $WORKYARD_LOCK_TOKEN; exec cat"])
        .start()
}

/// The token of a process that holds the lock, or held it.
fn token(contender: &Running) -> Option<u64> {
    contender.stdout().lines().first().map(|line| line.parse().expect("a token"))
}

async fn write_as(client: &GlobalDataClient, token: u64) -> Result<u64, Option<Reason>> {
    let written = within(client.fenced_by_token("work", token).set("by", &token)).await;
    written.map_err(|error| error.reason())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_that_is_killed_is_followed_at_once_by_one() {
    let daemon = daemon();
    let client = client(&daemon).await;
    let mut contenders: Vec<_> = (0..PROCESSES).map(|_| contender(&daemon, "1h")).collect();
    let mut latest = 0;
    for _ in 0..KILLS {
        let mut inside = Vec::new();
        eventually("somebody holds it, though the ttl is an hour", || {
            inside = (0..PROCESSES).filter(|at| token(&contenders[*at]).is_some()).collect();
            !inside.is_empty()
        });
        let [holder] = inside[..] else { panic!("{inside:?} hold it at once") };
        let held = token(&contenders[holder]).expect("it is inside");
        assert!(held > latest, "{held} after {latest}");
        assert!(write_as(&client, held).await.is_ok());
        if latest > 0 {
            assert_eq!(write_as(&client, latest).await, Err(Some(Reason::Fenced)));
        }
        latest = held;
        contenders[holder].kill();
        contenders[holder] = contender(&daemon, "1h");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_that_is_stopped_loses_it_and_its_late_write_is_refused() {
    let daemon = daemon();
    let client = client(&daemon).await;
    let mut stopped = contender(&daemon, "1s");
    eventually("it holds the lock", || token(&stopped).is_some());
    let late = token(&stopped).expect("it holds the lock");
    stopped.pause();
    let began = Instant::now();
    let guard = within(client.lock("work").acquire()).await.unwrap();
    assert!(began.elapsed() < PATIENCE, "long before a heartbeat would end the connection");
    assert!(guard.token() > late);
    client.fenced_by(&guard).set("by", "the next").await.unwrap();
    assert_eq!(write_as(&client, late).await, Err(Some(Reason::Fenced)));
    assert_eq!(client.get::<String>("by").await.unwrap().as_deref(), Some("the next"));
    stopped.resume();
    // It finds that out by itself, and ends its command.
    assert_eq!(stopped.wait(), 128 + 15);
    stopped.stderr().expect("the lock work is lost: it was not renewed in time");
    assert!(guard.is_held());
    within(guard.unlock()).await.unwrap();
}
