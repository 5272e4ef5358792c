//! Many clients want the same variable: conditional writes have one winner, and lose nothing.

use crate::support::{client, clients, daemon, revision, tasks};
use workyard_globaldata::{Conflict, Value};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_that_add_one_wins() {
    let daemon = daemon();
    let adding = clients(&daemon, 64).await;
    let reader = client(&daemon).await;
    for round in 0..20 {
        let key = format!("leader.{round}");
        let adds = adding.iter().cloned().enumerate().map(|(index, client)| {
            let key = key.clone();
            async move { client.add(&key, &index).await.unwrap() }
        });
        let won = tasks(adds).await;
        let winners: Vec<_> = (0..won.len()).filter(|index| won[*index]).collect();
        let [winner] = winners.as_slice() else { panic!("{winners:?} have won") };
        assert_eq!(reader.get::<usize>(&key).await.unwrap(), Some(*winner));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cas_succeeds_or_conflicts_and_the_successes_add_up() {
    const CLIENTS: usize = 16;
    const EACH: u64 = 200;
    let daemon = daemon();
    client(&daemon).await.set("count", &0u64).await.unwrap();
    let trying = clients(&daemon, CLIENTS).await.into_iter().map(|client| async move {
        let (mut successes, mut conflicts) = (0, 0);
        for _ in 0..EACH {
            let entry = client.entry("count").await.unwrap().unwrap();
            let count: u64 = entry.decode().unwrap();
            match client.cas("count", entry.revision, &(count + 1)).await.unwrap() {
                Ok(revision) => {
                    assert!(revision > entry.revision);
                    successes += 1;
                }
                Err(Conflict { current }) => {
                    assert!(current.unwrap() > entry.revision);
                    conflicts += 1;
                }
            }
        }
        (successes, conflicts)
    });
    let counts = tasks(trying).await;
    let successes: u64 = counts.iter().map(|(successes, _)| successes).sum();
    let conflicts: u64 = counts.iter().map(|(_, conflicts)| conflicts).sum();
    assert_eq!(successes + conflicts, CLIENTS as u64 * EACH);
    assert!(conflicts > 0, "they did not meet");
    let client = client(&daemon).await;
    let entry = client.entry("count").await.unwrap().unwrap();
    assert_eq!(entry.decode::<u64>().unwrap(), successes);
    assert_eq!(entry.revision, revision(&client, 1 + successes), "a conflict takes no revision");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cas_by_value_is_won_by_one_at_a_time() {
    let daemon = daemon();
    client(&daemon).await.set("state", &0).await.unwrap();
    let trying = clients(&daemon, 16).await.into_iter().map(|client| async move {
        let mut won = Vec::new();
        for step in 0..100 {
            let (old, new) = (Value::Int(step), Value::Int(step + 1));
            if client.cas_value("state", &old, &new).await.unwrap().is_ok() {
                won.push(step);
            }
        }
        won
    });
    let mut steps = tasks(trying).await.concat();
    steps.sort_unstable();
    let reached: i64 = client(&daemon).await.get("state").await.unwrap().unwrap();
    assert!(steps.into_iter().eq(0..reached), "each step was taken once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_of_16_clients_come_out_exact() {
    const CLIENTS: usize = 16;
    const EACH: usize = 20;
    let daemon = daemon();
    let updating =
        clients(&daemon, CLIENTS).await.into_iter().enumerate().map(|(index, client)| async move {
            for number in 0..EACH {
                let name = format!("{index}.{number}");
                let add = |names: Option<Vec<String>>| {
                    let mut names = names.unwrap_or_default();
                    names.push(name.clone());
                    names
                };
                let updated = client.update("names", add).await.unwrap();
                assert_eq!(updated.value.last(), Some(&name));
            }
        });
    tasks(updating).await;
    let client = client(&daemon).await;
    let entry = client.entry("names").await.unwrap().unwrap();
    let mut names: Vec<String> = entry.decode().unwrap();
    assert_eq!(entry.revision, revision(&client, (CLIENTS * EACH) as u64), "one write each");
    for index in 0..CLIENTS {
        let own = format!("{index}.");
        let theirs = names.iter().filter_map(|name| name.strip_prefix(&own));
        assert!(theirs.eq((0..EACH).map(|number| number.to_string())), "in their own order");
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CLIENTS * EACH);
}
