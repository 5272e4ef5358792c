//! A server that has fallen silent is found, and used again when it answers.

use crate::support::{all, next_text};
use std::time::{Duration, Instant};
use workyard_channel::{ChannelClient, DisconnectReason, Event};
use workyard_tests::clients::{BACKOFF, address, event, within};
use workyard_tests::{ChannelWire, Setup};

const INTERVAL: Duration = Duration::from_millis(500);

/// How much later than promised a busy machine may be.
const SLACK: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_found_within_two_intervals() {
    let daemon = Setup::<ChannelWire>::new().flag("--heartbeat", "500ms").start();
    let connect = |_| {
        let builder = ChannelClient::builder(address(&daemon)).backoff(BACKOFF);
        builder.connect_timeout(INTERVAL).connect()
    };
    let clients: Vec<_> = all((0..10).map(connect)).await.into_iter().map(Result::unwrap).collect();
    let mut events: Vec<_> = clients.iter().map(ChannelClient::events).collect();
    let subscribing = clients.iter().map(|client| client.subscribe("news"));
    let mut subscriptions: Vec<_> =
        all(subscribing).await.into_iter().map(Result::unwrap).collect();
    for _ in 0..2 {
        daemon.pause();
        let paused = Instant::now();
        let silence = |event| match event {
            Event::Disconnected { reason, .. } => Some((reason, Instant::now())),
            _ => None,
        };
        for (reason, at) in all(events.iter_mut().map(|events| event(events, silence))).await {
            let DisconnectReason::Silent(silent) = reason else { panic!("{reason}") };
            assert!(silent >= INTERVAL, "given up after {silent:?}");
            let found = at - paused;
            assert!(found <= INTERVAL * 2 + SLACK, "found after {found:?}");
        }
        daemon.resume();
        let back = |event| match event {
            Event::Connected { resumed, .. } => Some(resumed),
            other => panic!("before it was back: {other:?}"),
        };
        let resumed = all(events.iter_mut().map(|events| event(events, back))).await;
        assert!(resumed.into_iter().all(|resumed| resumed), "the server is the same run");
        all(clients.iter().map(|client| within(client.ping()))).await;
        clients[0].publish("news", "back").await.unwrap();
        for subscription in &mut subscriptions {
            assert_eq!(next_text(subscription).await, "back");
        }
    }
}

#[tokio::test]
async fn idle_clients_are_kept() {
    let daemon = Setup::<ChannelWire>::new().flag("--heartbeat", "100ms").start();
    let client = ChannelClient::connect(address(&daemon)).await.unwrap();
    let mut events = client.events();
    let mut subscription = client.subscribe("news").await.unwrap();
    let quiet = tokio::time::timeout(Duration::from_secs(1), events.next());
    assert!(quiet.await.is_err(), "nothing happens to a client that only listens");
    client.publish("news", "still here").await.unwrap();
    assert_eq!(next_text(&mut subscription).await, "still here");
}
