//! Whoever gives up waiting for an answer takes none away from anybody, and gets none of others.

use crate::support::{all, clients, daemon};
use std::time::Duration;
use tokio::time::timeout;
use workyard_channel::{ChannelClient, ErrorKind, Subscription};
use workyard_tests::clients::until;
use workyard_tests::{ChannelWire, Daemon};

const CHANNELS: usize = 8;
const CALLS: usize = 1000;

/// A client whose publications to `channel.N` are answered with N: so many subscribe to it.
struct Answering {
    client: ChannelClient,
    _subscribers: Vec<(ChannelClient, Vec<Subscription>)>,
}

impl Answering {
    async fn start(daemon: &Daemon<ChannelWire>) -> Self {
        let mut all = clients(daemon, CHANNELS).await;
        let client = all.pop().expect("there are some");
        let mut subscribers = Vec::new();
        for (index, client) in all.into_iter().enumerate() {
            let mut subscriptions = Vec::new();
            for channel in index + 1..CHANNELS {
                subscriptions.push(client.subscribe(format!("channel.{channel}")).await.unwrap());
            }
            subscribers.push((client, subscriptions));
        }
        Self { client, _subscribers: subscribers }
    }

    async fn check(&self, number: usize) {
        let channel = number % CHANNELS;
        let receivers = self.client.publish(format!("channel.{channel}"), &number).await;
        assert_eq!(receivers.unwrap(), channel as u64);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_answers_go_to_nobody() {
    let daemon = daemon();
    let answering = Answering::start(&daemon).await;
    all((0..CHANNELS).map(|number| answering.check(number))).await;

    daemon.pause();
    let patience = Duration::from_millis(200);
    let hasty = answering.client.with_call_timeout(patience);
    let calls = (0..CALLS).map(|number| {
        let hasty = &hasty;
        let channel = format!("channel.{}", number % CHANNELS);
        async move {
            if number % 2 == 0 {
                let error = hasty.publish(channel, &number).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                assert!(error.outcome_unknown());
            } else {
                // Dropped by its caller, in flight.
                assert!(timeout(patience / 2, hasty.publish(channel, &number)).await.is_err());
            }
        }
    });
    all(calls).await;
    daemon.resume();

    // The late answers come before and between these.
    all((0..CALLS).map(|number| answering.check(number + 3))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_dropped_under_load_mix_up_nothing() {
    let daemon = daemon();
    let answering = Answering::start(&daemon).await;
    let steady = (0..4).map(|offset| {
        let answering = &answering;
        async move {
            for number in 0..500 {
                answering.check(number + offset).await;
            }
        }
    });
    let impatient = async {
        let mut dropped = 0;
        let mut number = 0;
        while dropped < CALLS {
            let patience = Duration::from_micros(fastrand::u64(0..300));
            let calls = (0..64).map(|call| timeout(patience, answering.check(number + call)));
            dropped += all(calls).await.iter().filter(|outcome| outcome.is_err()).count();
            number += 1;
        }
    };
    tokio::join!(all(steady), impatient);
    all((0..CHANNELS).map(|number| answering.check(number))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_that_are_given_up_while_asked_for_leave_nothing_behind() {
    let daemon = daemon();
    let [client, publisher] = clients(&daemon, 2).await.try_into().unwrap();
    for round in 0..200 {
        let patience = Duration::from_micros(fastrand::u64(0..400));
        let asking = (0..5).map(|number| client.subscribe(format!("{round}.{number}")));
        drop(all(asking.map(|asking| timeout(patience, asking))).await);
        let asking = client.consume(format!("{round}"), 1);
        drop(timeout(patience, asking).await);
    }
    client.ping().await.unwrap();
    let channels: Vec<_> =
        (0..200).flat_map(|round| (0..5).map(move |number| format!("{round}.{number}"))).collect();
    let nobody = || async { publisher.publish_many(&channels, "x").await.unwrap() == 0 };
    until("nobody is subscribed", nobody).await;
    let no_queue = || async { publisher.queues("").next().await.is_none() };
    until("nobody consumes", no_queue).await;
}
