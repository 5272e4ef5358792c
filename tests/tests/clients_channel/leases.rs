//! Who works on a job keeps it, who is stopped loses it, and knows.

use crate::support::{client, daemon};
use rustix::process::Signal;
use std::time::Duration;
use workyard_channel::{ChannelClient, JobBackoff, QueueSettings};
use workyard_tests::clients::{address, until, within};
use workyard_tests::{ChannelWire, Daemon, Program};

const QUEUE: &str = "jobs";
const LEASE: Duration = Duration::from_millis(600);

/// A client of a daemon whose queue has short leases.
async fn configured(daemon: &Daemon<ChannelWire>) -> ChannelClient {
    let client = client(daemon).await;
    let settings = QueueSettings { lease: Some(LEASE), ..QueueSettings::default() };
    client.configure_queue(QUEUE, &settings).await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_blocks_its_thread_for_three_leases_keeps_its_job() {
    let daemon = daemon();
    let client = configured(&daemon).await;
    client.enqueue(QUEUE, "long").await.unwrap();
    let mut jobs = client.consume(QUEUE, 1).await.unwrap();
    let mut others = self::client(&daemon).await.consume(QUEUE, 1).await.unwrap();
    let worker = tokio::spawn(async move {
        let job = jobs.next().await.unwrap();
        std::thread::sleep(LEASE * 3);
        assert!(!job.is_lost());
        job.ack().await.unwrap();
        job.attempt()
    });
    let attempt = tokio::select! {
        attempt = worker => attempt.unwrap(),
        job = others.next() => panic!("another one has it: {job:?}"),
    };
    assert_eq!(attempt, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_waits_for_three_leases_keeps_its_jobs_and_those_in_its_buffer() {
    let daemon = daemon();
    let client = configured(&daemon).await;
    for number in 1..=3 {
        client.enqueue(QUEUE, &number).await.unwrap();
    }
    let mut jobs = client.consume(QUEUE, 3).await.unwrap();
    let first = within(jobs.next()).await.unwrap();
    tokio::time::sleep(LEASE * 3).await;
    first.ack().await.unwrap();
    for _ in 2..=3 {
        let job = within(jobs.next()).await.unwrap();
        assert_eq!(job.attempt(), 1);
        job.ack().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_dropped_comes_back_without_the_end_of_the_connection() {
    let daemon = daemon();
    let client = configured(&daemon).await;
    client.enqueue(QUEUE, "forgotten").await.unwrap();
    let mut jobs = client.consume(QUEUE, 1).await.unwrap();
    drop(within(jobs.next()).await.unwrap());
    let again = within(jobs.next()).await.unwrap();
    assert_eq!(again.attempt(), 2);
    again.ack().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_stopped_loses_its_job_and_its_late_ack_is_refused() {
    let daemon = daemon();
    let client = configured(&daemon).await;
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    assert_eq!(Program::at("mkfifo").arguments([&gate]).run().code, Some(0));
    let server = address(&daemon).to_string();
    let take = ["queue", "work", QUEUE, "-n", "1", "--server", &server];
    let script = ["--", "sh", "-c", "cat; echo; read line < \"$0\"", gate.to_str().unwrap()];
    let mut worker = Program::built("workyard").arguments(take).arguments(script).start();
    client.enqueue(QUEUE, "work").await.unwrap();
    worker.stdout().expect("work");
    worker.signal(Signal::STOP);

    let mut jobs = client.consume(QUEUE, 1).await.unwrap();
    let job = within(jobs.next()).await.unwrap();
    assert_eq!((job.attempt(), job.decode::<String>().unwrap().as_str()), (2, "work"));
    worker.signal(Signal::CONT);
    std::fs::write(&gate, "go\n").unwrap();
    assert_eq!(worker.wait(), 0);
    worker.stderr().expect("job 1 is no longer held here");
    job.ack().await.unwrap();
    assert!(jobs.cancel().await.is_ok() && jobs.next().await.is_none(), "it is done once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_waits_for_its_backoff_and_dies_with_its_reason() {
    let daemon = daemon();
    let client = client(&daemon).await;
    let backoff =
        JobBackoff::Exponential { first: Duration::from_millis(50), max: Duration::from_secs(1) };
    let settings =
        QueueSettings { attempts_max: Some(3), backoff: Some(backoff), ..QueueSettings::default() };
    client.configure_queue(QUEUE, &settings).await.unwrap();
    client.enqueue(QUEUE, "bad").await.unwrap();
    let mut jobs = client.consume(QUEUE, 1).await.unwrap();
    let began = std::time::Instant::now();
    for attempt in 1..=3 {
        let job = within(jobs.next()).await.unwrap();
        assert_eq!(job.attempt(), attempt);
        job.nack_because(&format!("failure {attempt}")).await.unwrap();
    }
    assert!(began.elapsed() >= Duration::from_millis(150), "50 ms, then 100");
    let dead = within(client.dead_jobs(QUEUE).next()).await.unwrap().unwrap();
    assert_eq!((dead.attempts, dead.reason.as_deref()), (3, Some("failure 3")));
    assert_eq!(client.redrive(QUEUE).await.unwrap(), 1);
    let job = within(jobs.next()).await.unwrap();
    assert_eq!((job.id(), job.attempt()), (1, 1));
    job.nack_after(Duration::from_secs(3600)).await.unwrap();
    let delayed = || async {
        let stats = within(client.queues(QUEUE).next()).await.unwrap().unwrap();
        stats.delayed == 1
    };
    until("it waits", delayed).await;
    assert!(client.remove_job(QUEUE, 1).await.unwrap());
}
