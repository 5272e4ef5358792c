//! Calls on queues: every job is done once, however often its way was cut short.

use crate::polls::{dropped_at_every_poll, polled};
use std::collections::BTreeSet;
use std::sync::Mutex;
use workyard_channel::{ChannelClient, Consumer, Job};
use workyard_tests::clients::{address, until, within};
use workyard_tests::{ChannelWire, Daemon, Setup};

const DROPPED_MIN: usize = 1000;
const JOBS: usize = 300;

async fn client(daemon: &Daemon<ChannelWire>) -> ChannelClient {
    let client = ChannelClient::builder(address(daemon)).commands_max(2).connect();
    within(client).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_whose_calls_are_dropped_at_any_poll_are_done_once() {
    let daemon: Daemon<ChannelWire> = Setup::new().start();
    let client = client(&daemon).await;
    let known = Mutex::new(BTreeSet::new());
    let mut dropped = 0;
    for number in 0..JOBS {
        let enqueue = || async {
            let job = client.enqueue("work", &number).await.unwrap();
            assert!(known.lock().unwrap().insert(job), "job {job} is told to be another's");
        };
        dropped += dropped_at_every_poll(enqueue).await;
    }
    let mut consumer = consumer(&client, &mut dropped).await;
    let mut done = BTreeSet::new();
    let known = known.into_inner().unwrap();
    // Those whose number nobody heard of may be there too.
    while let Some(job) = next(&client, &mut consumer, &mut dropped).await {
        assert!(done.insert(job.id()), "job {} was done before", job.id());
        dropped += settle(&job).await;
    }
    assert!(done.is_superset(&known), "lost: {:?}", known.difference(&done));
    assert!(dropped >= DROPPED_MIN, "{dropped}");
    let nothing = async || {
        let queue = client.queues("work").next().await.unwrap().unwrap();
        (queue.ready, queue.leased) == (0, 0)
    };
    until("every job is gone", nothing).await;
}

/// A consumer, after others that were given up while they were asked for.
async fn consumer(client: &ChannelClient, dropped: &mut usize) -> Consumer {
    for polls in 0.. {
        match within(polled(client.consume("work", 3), polls)).await {
            Some(consumer) => return consumer.unwrap(),
            None => *dropped += 1,
        }
    }
    unreachable!("there is a poll at which it is done")
}

/// The next job, for which was asked in vain some times; nothing when there is none any more.
async fn next(client: &ChannelClient, consumer: &mut Consumer, dropped: &mut usize) -> Option<Job> {
    for polls in 0..2 {
        if let Some(job) = polled(consumer.next(), polls).await {
            return job;
        }
        *dropped += 1;
    }
    let queue = client.queues("work").next().await.unwrap().unwrap();
    if (queue.ready, queue.leased) == (0, 0) {
        return None;
    }
    within(consumer.next()).await
}

/// Acknowledges it, again and again until nothing interferes. An acknowledgement that was dropped may
/// have been heard of.
async fn settle(job: &Job) -> usize {
    for polls in 0.. {
        match within(polled(job.ack(), polls)).await {
            None => {}
            Some(Ok(())) => return polls,
            Some(Err(workyard_channel::Error::LeaseLost { .. })) if polls > 0 => return polls,
            Some(Err(error)) => panic!("{error}"),
        }
    }
    unreachable!("there is a poll at which it is done")
}
