//! Calls on channels: publications, whose answers say how many subscribe, and subscriptions.

use crate::polls::dropped_at_every_poll;
use workyard_channel::{ChannelClient, Subscription};
use workyard_tests::clients::{address, until, within};
use workyard_tests::{ChannelWire, Daemon, Setup};

const DROPPED_MIN: usize = 4000;
const TASKS: usize = 4;
/// Channel N has N subscribers.
const CHANNELS: usize = 6;

async fn client(daemon: &Daemon<ChannelWire>) -> ChannelClient {
    let client = ChannelClient::builder(address(daemon)).commands_max(2).connect();
    within(client).await.unwrap()
}

/// Clients that subscribe, so that every channel has a number of subscribers of its own.
async fn subscribers(daemon: &Daemon<ChannelWire>) -> Vec<(ChannelClient, Vec<Subscription>)> {
    let mut subscribers = Vec::new();
    for index in 0..CHANNELS - 1 {
        let client = client(daemon).await;
        let mut subscriptions = Vec::new();
        for channel in index + 1..CHANNELS {
            subscriptions.push(client.subscribe(format!("channel.{channel}")).await.unwrap());
        }
        subscribers.push((client, subscriptions));
    }
    subscribers
}

/// A call whose answer nobody else's would pass for.
async fn call(client: &ChannelClient, task: usize, call: usize) {
    match call {
        0..CHANNELS => {
            let receivers = client.publish(format!("channel.{call}"), "x").await.unwrap();
            assert_eq!(receivers, call as u64);
        }
        CHANNELS => {
            let channels = (0..CHANNELS).map(|channel| format!("channel.{channel}"));
            let receivers = client.publish_many(channels, "x").await.unwrap();
            assert_eq!(receivers, (0..CHANNELS as u64).sum::<u64>());
        }
        7 => assert_eq!(client.publish_one("channel.4", "x").await.unwrap(), 1),
        8 => assert!(client.queues("").next().await.is_none()),
        _ => {
            let channel = format!("task.{task}");
            let mut subscription = client.subscribe(&channel).await.unwrap();
            assert_eq!(client.publish(&channel, &task).await.unwrap(), 1);
            let message = subscription.next().await.unwrap();
            assert_eq!(message.decode::<usize>().unwrap(), task);
            subscription.unsubscribe().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_on_channels_that_are_dropped_at_any_poll_mix_up_nothing() {
    let daemon: Daemon<ChannelWire> = Setup::new().start();
    let subscribers = subscribers(&daemon).await;
    let asking = client(&daemon).await;
    let tasks = (0..TASKS).map(|task| {
        let client = asking.clone();
        tokio::spawn(async move {
            let mut dropped = 0;
            while dropped < DROPPED_MIN / TASKS {
                for number in 0..10 {
                    dropped += dropped_at_every_poll(|| call(&client, task, number)).await;
                }
            }
            dropped
        })
    });
    let mut dropped = 0;
    for task in tasks.collect::<Vec<_>>() {
        dropped += task.await.unwrap();
    }
    assert!(dropped >= DROPPED_MIN, "{dropped}");
    drop(subscribers);
    within(asking.ping()).await.unwrap();
    let publisher = client(&daemon).await;
    let channels: Vec<_> = (0..TASKS).map(|task| format!("task.{task}")).collect();
    let nobody = async || publisher.publish_many(&channels, "x").await.unwrap() == 0;
    until("nobody is subscribed any more", nobody).await;
}
