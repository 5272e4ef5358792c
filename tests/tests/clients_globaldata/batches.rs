//! Batches under concurrency: all of one or nothing, and nobody sees half of it.

use crate::support::{client, clients, daemon, revision, tasks};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use workyard_globaldata::{BatchOutcome, ErrorKind, GlobalDataClient, Reason};

const TOTAL: i64 = 1000;

/// Moves money if the account does not change meanwhile and has enough. Returns whether it did.
async fn transfer(client: &GlobalDataClient, from: &str, to: &str, amount: i64) -> bool {
    let entry = client.entry(from).await.unwrap().unwrap();
    if entry.decode::<i64>().unwrap() < amount {
        return false;
    }
    let batch = client.batch().require_revision(from, entry.revision);
    let outcome = batch.increment(from, -amount).increment(to, amount).commit().await.unwrap();
    match outcome {
        BatchOutcome::Applied { revision, results } => {
            assert!(revision > entry.revision);
            assert_eq!(results.len(), 3);
            true
        }
        BatchOutcome::Conflict { step, conflict } => {
            assert_eq!(step, 0);
            assert!(conflict.current.unwrap() > entry.revision);
            false
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_never_see_half_a_transfer() {
    let daemon = daemon();
    let first = client(&daemon).await;
    first.set("alice", &TOTAL).await.unwrap();
    first.set("bob", &0).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    let readers = clients(&daemon, 4).await.into_iter().map(move |client| {
        let over = Arc::clone(&told);
        async move {
            let (mut seen, mut last) = (0, Vec::new());
            while !over.load(Ordering::Relaxed) {
                let balances = client.get_many::<i64, _>(["alice", "bob"]).await.unwrap();
                let balances: Vec<i64> = balances.into_iter().flatten().collect();
                assert_eq!(balances.iter().sum::<i64>(), TOTAL, "{balances:?}");
                assert!(balances.iter().all(|balance| *balance >= 0), "{balances:?}");
                seen += u32::from(balances != last);
                last = balances;
            }
            seen
        }
    });
    let readers = tokio::spawn(tasks(readers));
    let writers =
        clients(&daemon, 8).await.into_iter().enumerate().map(|(index, client)| async move {
            let mut done = 0;
            for round in 0..150 {
                let (from, to) = match (index + round) % 2 {
                    0 => ("alice", "bob"),
                    _ => ("bob", "alice"),
                };
                done += u32::from(transfer(&client, from, to, fastrand::i64(1..50)).await);
            }
            done
        });
    let done: u32 = tasks(writers).await.into_iter().sum();
    over.store(true, Ordering::Relaxed);
    assert!(done > 100, "only {done} transfers");
    let seen = readers.await.unwrap();
    assert!(seen.iter().all(|seen| *seen > 1), "readers saw {seen:?} states");
    let latest = first.revision("alice").await.unwrap().max(first.revision("bob").await.unwrap());
    let expected = revision(&first, 2 + u64::from(done));
    assert_eq!(latest, Some(expected), "one revision for each transfer");
}

#[tokio::test]
async fn a_step_that_is_refused_undoes_the_steps_before() {
    let daemon = daemon();
    let client = client(&daemon).await;
    client.set("text", "no number").await.unwrap();
    client.set("keep", "as it is").await.unwrap();
    let batch = client.batch().set("new", &1).delete("keep").increment("text", 1).set("later", &1);
    let error = batch.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Refused, Some(Reason::NotANumber)));
    assert!(!error.outcome_unknown());
    let values = client.get_many::<String, _>(["new", "keep", "text", "later"]).await.unwrap();
    let expected = [None, Some("as it is"), Some("no number"), None];
    assert_eq!(values, expected.map(|value| value.map(str::to_owned)));
    let next = client.set("next", &1).await.unwrap();
    assert_eq!(next, revision(&client, 3), "it took no revision");
}
