//! Increments of many clients, far more than one at a time: none is lost, none doubled.

use crate::support::{client, clients, daemon, revision, tasks};
use futures_util::{StreamExt, stream};
use workyard_globaldata::{ErrorKind, GlobalDataClient, Number, Reason};

/// Increments a variable `count` times, many at once, and returns the sum of the answers.
async fn count_to(client: GlobalDataClient, key: String, count: u64) -> i64 {
    const AT_ONCE: usize = 256;
    let increments = (0..count).map(|_| client.increment(&key, 1));
    let answers = stream::iter(increments).buffer_unordered(AT_ONCE);
    let number = |answer| match answer {
        Ok(Number::Int(int)) => int,
        other => panic!("no integer: {other:?}"),
    };
    answers.map(number).fold(0, async |sum, number| sum + number).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn increments_of_32_clients_come_out_exact() {
    const CLIENTS: usize = 32;
    const EACH: u64 = 10_000;
    let daemon = daemon();
    let counting = clients(&daemon, CLIENTS).await;
    let counting = counting.into_iter().map(|client| count_to(client, "visits".into(), EACH));
    let answers: i64 = tasks(counting).await.into_iter().sum();
    let total = CLIENTS as i64 * EACH as i64;
    let client = client(&daemon).await;
    assert_eq!(client.get::<i64>("visits").await.unwrap(), Some(total));
    let expected = revision(&client, total as u64);
    assert_eq!(client.revision("visits").await.unwrap(), Some(expected));
    // Every number from 1 to the total was an answer, each once: then their sum is this.
    assert_eq!(answers, total * (total + 1) / 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn increments_and_decrements_of_several_variables_keep_apart() {
    let daemon = daemon();
    let counting = clients(&daemon, 8).await.into_iter().enumerate().map(|(index, client)| {
        let by = if index % 2 == 0 { 3 } else { -2 };
        async move {
            for number in 0..400 {
                client.increment(format!("counter.{}", number % 4), by).await.unwrap();
            }
        }
    });
    tasks(counting).await;
    let client = client(&daemon).await;
    let keys = (0..4).map(|number| format!("counter.{number}"));
    let counts = client.get_many::<i64, _>(keys).await.unwrap();
    assert_eq!(counts, [Some(4 * 100 * 3 - 4 * 100 * 2); 4]);
}

#[tokio::test]
async fn a_sum_that_does_not_fit_changes_nothing() {
    let daemon = daemon();
    let client = client(&daemon).await;
    assert_eq!(client.increment_from("n", 1, i64::MAX - 1).await.unwrap(), Number::Int(i64::MAX));
    let error = client.increment("n", 1).await.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Refused, Some(Reason::OutOfRange)));
    assert_eq!(client.get("n").await.unwrap(), Some(i64::MAX));

    client.set("text", "five").await.unwrap();
    let error = client.increment("text", 1).await.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Refused, Some(Reason::NotANumber)));
    assert_eq!(client.get("text").await.unwrap(), Some("five".to_owned()));

    let error = client.increment_existing("none", 1).await.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Refused, Some(Reason::NotFound)));
    assert!(!client.exists("none").await.unwrap());
}
