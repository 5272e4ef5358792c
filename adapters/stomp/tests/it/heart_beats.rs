//! Heart-beats, both ways.

use crate::broker::{opened, relayed};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use workyard_stomp::State;

#[tokio::test]
async fn a_connection_without_traffic_lives() {
    let (relay, stomp, _) = relayed("heart_beat_out=200ms&heart_beat_in=500ms").await;
    stomp.ready().await.unwrap();
    let agreed = stomp.agreed().unwrap();
    // RabbitMQ rounds up to seconds.
    let second = Some(Duration::from_secs(1));
    assert_eq!((agreed.heart_beat_out, agreed.heart_beat_in), (second, second));
    let before = (relay.bytes_of_clients(), relay.bytes_of_server());
    sleep(Duration::from_secs(5)).await;
    let (out, back) = (relay.bytes_of_clients() - before.0, relay.bytes_of_server() - before.1);
    assert!((5..=15).contains(&out) && (3..=15).contains(&back), "{out} {back}");
    assert_eq!((stomp.stats().connected, stomp.stats().lost), (1, 0));
}

#[tokio::test]
async fn a_silent_server_is_found_in_time() {
    let (relay, stomp, _) = relayed("heart_beat_in=1s").await;
    stomp.ready().await.unwrap();
    relay.stall();
    let started = Instant::now();
    let mut states = stomp.status().watch();
    let down = states.wait_for(|state| matches!(state, State::Down(_))).await.unwrap().clone();
    let State::Down(error) = down else { unreachable!() };
    assert!(error.to_string().contains("no sign of life"), "{error}");
    let taken = started.elapsed();
    // At most 2.5 s on a machine that has nothing else to do.
    assert!((Duration::from_secs(1)..Duration::from_secs(8)).contains(&taken), "{taken:?}");
    relay.pass();
    states.wait_for(|state| matches!(state, State::Ready)).await.unwrap();
}

#[tokio::test]
async fn there_are_none_where_none_are_wanted() {
    let stomp = opened("heart_beat_out=0s&heart_beat_in=0s").await;
    stomp.ready().await.unwrap();
    let agreed = stomp.agreed().unwrap();
    assert_eq!((agreed.heart_beat_out, agreed.heart_beat_in), (None, None));
    let stomp = opened("").await;
    stomp.ready().await.unwrap();
    assert_eq!(stomp.agreed().unwrap().heart_beat_in, Some(Duration::from_secs(10)));
}
