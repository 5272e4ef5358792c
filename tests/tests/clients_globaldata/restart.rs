//! A server that begins anew: its values are gone, and its clients go on.

use crate::support::{all, client, clients, daemon, revision};
use workyard_globaldata::{ErrorKind, Event};
use workyard_tests::clients::{event, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_values_are_gone_and_clients_go_on() {
    let mut daemon = daemon();
    let clients = clients(&daemon, 20).await;
    for kill in [true, false] {
        let mut events: Vec<_> = clients.iter().map(|client| client.events()).collect();
        let writing = clients.iter().enumerate();
        let writing = writing
            .map(async |(number, client)| client.set(format!("key.{number}"), &number).await);
        assert!(all(writing).await.into_iter().all(|outcome| outcome.is_ok()));
        let epoch = clients[0].servers()[0].as_ref().unwrap().epoch;
        if kill {
            daemon.kill();
        } else {
            daemon.terminate();
            assert_eq!(daemon.wait(), 0);
        }
        daemon.start_again();
        for (number, client) in clients.iter().enumerate() {
            let new = |event| match event {
                Event::Connected { server, resumed: false } if server.epoch != epoch => Some(()),
                Event::Connected { resumed: true, .. } => panic!("nothing was resumed"),
                _ => None,
            };
            event(&mut events[number], new).await;
            assert_ne!(client.servers()[0].as_ref().unwrap().epoch, epoch);
            assert!(!client.exists(format!("key.{number}")).await.unwrap());
        }
        let first = clients[0].set("first", &1).await.unwrap();
        assert_eq!(first, revision(&clients[0], 1), "revisions begin anew");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_of_the_run_before_is_in_conflict() {
    const WRITES: u64 = 10;
    let mut daemon = daemon();
    let client = client(&daemon).await;
    let mut before = Vec::new();
    for kill in [true, false, true] {
        let mut written = Vec::new();
        for number in 1..=WRITES {
            written.push(client.set("key", &number).await.unwrap());
            // Also where both servers have made as many writes.
            for old in &before {
                let conflict = client.cas("key", *old, "changed").await.unwrap().unwrap_err();
                assert_eq!(conflict.current, written.last().copied());
            }
        }
        assert!(written.iter().copied().eq((1..=WRITES).map(|write| revision(&client, write))));
        assert!(before.iter().all(|old| *old < written[0]), "{written:?} after {before:?}");
        assert_eq!(client.get("key").await.unwrap(), Some(WRITES));
        before.append(&mut written);
        if kill {
            daemon.kill();
            daemon.start_again();
        } else {
            daemon.restart();
        }
        for old in &before {
            let conflict = client.cas("key", *old, "changed").await.unwrap().unwrap_err();
            assert_eq!(conflict.current, None);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn increments_while_the_server_restarts_are_done_once_or_said_to_be_unknown() {
    let mut daemon = daemon();
    let client = client(&daemon).await;
    let counting = {
        let client = client.clone();
        tokio::spawn(async move {
            let (mut done, mut unknown, mut restarted) = (0, 0, false);
            // After the restart the count begins anew, and so does this one.
            while !restarted || done < 1000 {
                match within(client.increment("count", 1)).await {
                    Ok(number) => {
                        let number = number.as_f64() as i64;
                        if number <= done {
                            (done, unknown, restarted) = (0, number - 1, true);
                        }
                        done += 1;
                        assert!(number <= done + unknown, "{number} after {done} and {unknown}");
                    }
                    Err(error) if error.outcome_unknown() => unknown += 1,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Unreachable),
                }
            }
            (done, unknown)
        })
    };
    let some = || async { client.get::<i64>("count").await.is_ok_and(|count| count > Some(200)) };
    workyard_tests::clients::until("it counts", some).await;
    daemon.kill();
    daemon.start_again();
    let (done, unknown) = within(counting).await.unwrap();
    let count: i64 = client.get("count").await.unwrap().unwrap();
    assert!((done..=done + unknown).contains(&count), "{count} of {done} and {unknown}");
}
