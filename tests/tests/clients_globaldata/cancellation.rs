//! Whoever gives up waiting for an answer takes none away from anybody, and gets none of others.

use crate::support::{all, client, daemon};
use std::time::Duration;
use tokio::time::timeout;
use workyard_globaldata::ErrorKind;

const KEYS: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_answers_go_to_nobody() {
    let daemon = daemon();
    let client = client(&daemon).await;
    for number in 0..KEYS {
        client.set(format!("key.{number}"), &number).await.unwrap();
    }
    for round in 0..3 {
        daemon.pause();
        let patience = Duration::from_millis(150);
        let hasty = client.with_call_timeout(patience);
        let calls = (0..1000).map(|number| {
            let (hasty, key) = (&hasty, format!("key.{}", number % KEYS));
            async move {
                if number % 2 == 0 {
                    let error = hasty.get::<usize>(key).await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::TimedOut);
                } else {
                    assert!(timeout(patience / 2, hasty.get::<usize>(key)).await.is_err());
                }
            }
        });
        all(calls).await;
        daemon.resume();
        let answers = (0..1000).map(|number| {
            let (client, number) = (&client, (number + round + 1) % KEYS);
            async move {
                let value = client.get::<usize>(format!("key.{number}")).await.unwrap();
                assert_eq!(value, Some(number));
            }
        });
        all(answers).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_dropped_under_load_mix_up_nothing() {
    let daemon = daemon();
    let client = client(&daemon).await;
    for number in 0..KEYS {
        client.set(format!("key.{number}"), &number).await.unwrap();
    }
    let check = |number: usize| {
        let (client, number) = (client.clone(), number % KEYS);
        async move {
            let value = client.get::<usize>(format!("key.{number}")).await.unwrap();
            assert_eq!(value, Some(number));
        }
    };
    let mut dropped = 0;
    let mut round = 0;
    while dropped < 1000 {
        let patience = Duration::from_micros(fastrand::u64(0..300));
        let hasty = (0..64).map(|number| timeout(patience, check(number + round)));
        let patient = (0..16).map(|number| check(number * 7 + round));
        let (hasty, _) = tokio::join!(all(hasty), all(patient));
        dropped += hasty.into_iter().filter(Result::is_err).count();
        round += 1;
    }
}
