//! Requests, whose answers say what was asked, those who serve them, and presence.

use crate::polls::dropped_at_every_poll;
use futures_util::StreamExt;
use std::time::Duration;
use workyard_channel::{ChannelClient, ErrorKind};
use workyard_tests::clients::{address, until, within};
use workyard_tests::{ChannelWire, Daemon, Setup};

const DROPPED_MIN: usize = 4000;
const TASKS: usize = 4;
const LONG: Duration = Duration::from_secs(600);

async fn client(daemon: &Daemon<ChannelWire>) -> ChannelClient {
    let client = ChannelClient::builder(address(daemon)).commands_max(2).connect();
    within(client).await.unwrap()
}

/// A call whose answer nobody else's would pass for.
async fn call(client: &ChannelClient, task: usize, call: usize) {
    let number = (task * 10 + call) as u64;
    match call {
        0..6 => {
            let answer = client.request("double", &number, LONG).await.unwrap();
            assert_eq!(answer.decode::<u64>().unwrap(), number * 2);
        }
        6 => {
            let nobody = client.request(format!("nobody.{task}"), &number, LONG).await.unwrap_err();
            assert_eq!(nobody.kind(), ErrorKind::NoResponders);
        }
        7 => serve_once(client, task, number).await,
        8 => {
            let room = client.presence(format!("room.{task}"));
            room.enter(number.to_string()).await.unwrap();
            let members = room.members().next().await.unwrap().unwrap();
            assert_eq!(members.identity_str(), number.to_string());
            room.leave().await.unwrap();
        }
        _ => {
            let mut events = client.presence("room").follow().await.unwrap();
            events.next().await.unwrap();
        }
    }
}

/// Asks itself. A call that was dropped before may serve for another moment, and then declines.
async fn serve_once(client: &ChannelClient, task: usize, number: u64) {
    let channel = format!("task.{task}");
    let mut responder = client.serve(&channel).await.unwrap();
    let asking = client.request(&channel, &number, LONG);
    let answering = async {
        while let Some(question) = responder.next().await {
            let asked: u64 = question.decode().unwrap();
            // Of a request that was dropped, the number is another call's; nobody waits for it.
            let _ = question.answer(&(asked * 3)).await;
        }
    };
    tokio::select! {
        answer = asking => match answer {
            Ok(answer) => assert_eq!(answer.decode::<u64>().unwrap(), number * 3),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Declined),
        },
        () = answering => panic!("it serves on"),
    }
    responder.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_dropped_at_any_poll_mix_up_nothing() {
    let daemon: Daemon<ChannelWire> = Setup::new().start();
    let (asking, serving) = (client(&daemon).await, client(&daemon).await);
    let responder = serving.serve("double").await.unwrap();
    tokio::spawn(responder.for_each_concurrent(16, async |question| {
        let number: u64 = question.decode().unwrap();
        // Whoever asked may be gone.
        let _ = question.answer(&(number * 2)).await;
    }));
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
    within(asking.ping()).await.unwrap();
    for task in 0..TASKS {
        let channel = format!("task.{task}");
        let counts = async || serving.presence(&channel).counts().await.unwrap();
        let nobody = async || counts().await.responders == 0;
        until("nobody serves any more", nobody).await;
    }
}
