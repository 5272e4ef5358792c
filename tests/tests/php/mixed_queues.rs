//! PHP and Rust consumers share one queue.

use crate::support::{channel_client, finish, ready, run};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use workyard_channel::{ChannelClient, Encoding};
use workyard_tests::clients::{address, within};
use workyard_tests::{ChannelWire, Setup};

const QUEUE: &str = "jobs";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Work {
    number: u32,
    by: String,
}

/// The number in a line that a consumer printed.
fn number(line: &str) -> Option<u32> {
    serde_json::from_str::<Work>(line.strip_prefix("job ")?).ok().map(|work| work.number)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn php_and_rust_consumers_do_every_job_once() {
    const EACH: u32 = 40;
    let daemon = Setup::<ChannelWire>::new().start();
    let client = channel_client(&daemon).await;
    let mut jobs = within(client.consume(QUEUE, 1)).await.unwrap();
    let php = ready("consumer.php", &daemon, &[QUEUE, &EACH.to_string()]);
    run("producer.php", &daemon, &[QUEUE, "0", &EACH.to_string()]);
    let builder = ChannelClient::builder(address(&daemon)).encoding(Encoding::Json);
    let producer = within(builder.connect()).await.unwrap();
    for number in EACH..2 * EACH {
        let work = Work { number, by: "rust".to_owned() };
        within(producer.enqueue(QUEUE, &work)).await.unwrap();
    }
    let mut done = BTreeSet::new();
    while done.len() < EACH as usize {
        let job = within(jobs.next()).await.unwrap();
        let work: Work = job.decode().unwrap();
        assert_eq!(work.by, if work.number < EACH { "php" } else { "rust" });
        assert!(done.insert(work.number), "{work:?} was done twice");
        within(job.ack()).await.unwrap();
    }
    for line in finish(php).iter().filter(|line| line.starts_with("job ")) {
        assert!(done.insert(number(line).unwrap()), "{line:?} was done twice");
    }
    assert!(done.into_iter().eq(0..2 * EACH));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_job_of_a_php_consumer_that_is_killed_goes_to_a_rust_consumer() {
    let daemon = Setup::<ChannelWire>::new().start();
    let mut php = ready("consumer.php", &daemon, &[QUEUE, "1", "hold"]);
    run("producer.php", &daemon, &[QUEUE, "5", "1"]);
    php.stdout().expect("job {\"number\":5");
    let client = channel_client(&daemon).await;
    let mut jobs = within(client.consume(QUEUE, 1)).await.unwrap();
    php.kill();
    let job = within(jobs.next()).await.unwrap();
    assert_eq!(job.decode::<Work>().unwrap(), Work { number: 5, by: "php".to_owned() });
    assert_eq!(job.attempt(), 2);
    within(job.ack()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_job_of_a_rust_consumer_that_goes_away_goes_to_a_php_consumer() {
    let daemon = Setup::<ChannelWire>::new().start();
    let client = channel_client(&daemon).await;
    let mut jobs = within(client.consume(QUEUE, 1)).await.unwrap();
    run("producer.php", &daemon, &[QUEUE, "6", "1"]);
    let held = within(jobs.next()).await.unwrap();
    let php = ready("consumer.php", &daemon, &[QUEUE, "1"]);
    drop((held, jobs, client));
    let lines = finish(php);
    assert!(lines.iter().any(|line| number(line) == Some(6)), "{lines:?}");
}
