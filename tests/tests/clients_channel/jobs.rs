//! Jobs are not lost: not with the process that held them, not with its connection.

use crate::support::{client, daemon};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::time::Duration;
use workyard_channel::{ChannelClient, ErrorKind, Event, QueueStats};
use workyard_tests::clients::{BACKOFF, address, event, until, within};
use workyard_tests::{ChannelWire, Program, Running, Setup};

const QUEUE: &str = "jobs";

/// A process that takes four jobs, says the first of them, and never gets it done.
fn stuck_worker(address: &str) -> Running {
    let take = ["queue", "work", QUEUE, "--prefetch", "4", "--server", address];
    let work = ["--", "sh", "-c", "cat; echo; exec sleep 60"];
    Program::built("workyard").arguments(take).arguments(work).start()
}

async fn stats(client: &ChannelClient) -> Option<QueueStats> {
    within(client.queues(QUEUE).next()).await.transpose().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_jobs_of_a_process_that_is_killed_are_done_by_another() {
    const ROUNDS: u32 = 100;
    let daemon = daemon();
    let client = client(&daemon).await;
    let mut done = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut worker = stuck_worker(&address(&daemon).to_string());
        let first = round * 4;
        for number in first..first + 4 {
            client.enqueue(QUEUE, &number).await.unwrap();
        }
        worker.stdout().expect(&first.to_string());
        let all_held = || async { stats(&client).await.is_some_and(|stats| stats.leased == 4) };
        until("it holds all four", all_held).await;

        let mut jobs = client.consume(QUEUE, 1).await.unwrap();
        worker.signal(Signal::KILL);
        for number in first..first + 4 {
            let job = within(jobs.next()).await.unwrap();
            assert_eq!((job.decode::<u32>().unwrap(), job.attempt()), (number, 2));
            job.ack().await.unwrap();
            assert!(done.insert(number), "{number} was done twice");
        }
        jobs.cancel().await.unwrap();
        worker.kill();
    }
    assert!(done.into_iter().eq(0..ROUNDS * 4));
    assert_eq!(stats(&client).await, None, "nothing is left");
}

#[tokio::test]
async fn a_job_that_is_given_back_goes_to_whoever_is_next() {
    let daemon = daemon();
    let (one, two) = (client(&daemon).await, client(&daemon).await);
    one.enqueue(QUEUE, "work").await.unwrap();
    let mut mine = one.consume(QUEUE, 1).await.unwrap();
    let mut theirs = two.consume(QUEUE, 1).await.unwrap();
    let job = within(mine.next()).await.unwrap();
    job.nack().await.unwrap();
    let again = within(theirs.next()).await.unwrap();
    assert_eq!((again.id(), again.attempt()), (job.id(), 2));
    assert_eq!(job.ack().await.unwrap_err().kind(), ErrorKind::LeaseLost);
    assert_eq!(job.nack().await.unwrap_err().kind(), ErrorKind::LeaseLost);
    again.ack().await.unwrap();
    let left = stats(&one).await.unwrap();
    assert_eq!((left.ready, left.leased), (0, 0), "nothing is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_a_lost_connection_cannot_be_acknowledged() {
    let setup = Setup::<ChannelWire>::new().flag("--heartbeat", "500ms");
    let daemon = setup.start();
    let builder = ChannelClient::builder(address(&daemon)).backoff(BACKOFF);
    let client = builder.connect_timeout(Duration::from_millis(300)).connect().await.unwrap();
    let mut events = client.events();
    let mut jobs = client.consume(QUEUE, 2).await.unwrap();
    for number in [1, 2] {
        client.enqueue(QUEUE, &number).await.unwrap();
    }
    let held = within(jobs.next()).await.unwrap();
    assert_eq!(held.attempt(), 1);

    // The server keeps what it has, but the connection is given up.
    daemon.pause();
    event(&mut events, |event| matches!(event, Event::Disconnected { .. }).then_some(())).await;
    let lost = held.ack().await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::LeaseLost, "{lost}");
    daemon.resume();
    let resumed = |event| match event {
        Event::Connected { resumed, .. } => Some(resumed),
        _ => None,
    };
    assert!(event(&mut events, resumed).await, "the server is the same run");
    let lost = held.ack().await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::LeaseLost, "{lost}");

    // Both come again, the one that waited in the buffer too.
    for number in [1, 2] {
        let job = within(jobs.next()).await.unwrap();
        assert_eq!((job.decode::<i64>().unwrap(), job.attempt()), (number, 2));
        assert_eq!(held.ack().await.unwrap_err().kind(), ErrorKind::LeaseLost);
        job.ack().await.unwrap();
    }
    let none =
        || async { stats(&client).await.is_some_and(|stats| stats.leased + stats.ready == 0) };
    until("all is done", none).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_a_server_that_is_gone_cannot_be_acknowledged() {
    let mut daemon = daemon();
    let client = client(&daemon).await;
    let mut events = client.events();
    let mut jobs = client.consume(QUEUE, 10).await.unwrap();
    for number in 0..10 {
        client.enqueue(QUEUE, &number).await.unwrap();
    }
    let held = within(jobs.next()).await.unwrap();
    daemon.kill();
    daemon.start_again();
    event(&mut events, |event| matches!(event, Event::Connected { .. }).then_some(())).await;
    assert_eq!(held.ack().await.unwrap_err().kind(), ErrorKind::LeaseLost);
    // Numbers of jobs begin anew: an acknowledgement of the old one must not hit the new one.
    let number = client.enqueue(QUEUE, "new").await.unwrap();
    assert_eq!(number, held.id());
    assert_eq!(held.ack().await.unwrap_err().kind(), ErrorKind::LeaseLost);
    let job = within(jobs.next()).await.unwrap();
    assert_eq!(job.decode::<String>().unwrap(), "new", "what was in the buffer is gone as well");
    job.ack().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_consumers_do_every_job_once() {
    const JOBS: u32 = 2000;
    const CONSUMERS: usize = 8;
    let daemon = daemon();
    let producer = client(&daemon).await;
    let (told, mut done) = tokio::sync::mpsc::unbounded_channel();
    let mut consumers = Vec::new();
    for _ in 0..CONSUMERS {
        let mut jobs = client(&daemon).await.consume(QUEUE, 16).await.unwrap();
        let told = told.clone();
        consumers.push(tokio::spawn(async move {
            while let Some(job) = jobs.next().await {
                job.ack().await.unwrap();
                told.send(job.decode::<u32>().unwrap()).unwrap();
            }
        }));
    }
    for number in 0..JOBS {
        producer.enqueue(QUEUE, &number).await.unwrap();
    }
    let mut numbers = Vec::new();
    while numbers.len() < JOBS as usize {
        numbers.push(within(done.recv()).await.unwrap());
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..JOBS));
    consumers.iter().for_each(tokio::task::JoinHandle::abort);
}
