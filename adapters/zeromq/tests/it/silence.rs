//! Peers that ask for signs of life, and peers that give none.

use crate::peer::{SOON, address, binds, connects, peer};
use std::net::SocketAddr;
use std::time::Duration;
use workyard_testbed::{Port, eventually};
use workyard_zeromq::{Pull, Push};

#[tokio::test]
async fn who_asks_for_heartbeats_is_answered_and_stays() {
    let pull = Pull::with(binds()).unwrap();
    pull.ready().await.unwrap();
    let asks = ["HEARTBEAT_IVL=200", "HEARTBEAT_TIMEOUT=2000"];
    let mut bound_to = peer("PUSH", "connect", pull.addresses()[0], &asks).await;
    let port = Port::free();
    let mut bound = peer("PULL", "bind", address(&port), &asks).await;
    let push = Push::with(connects(address(&port))).unwrap();
    push.ready().await.unwrap();
    eventually("it is there", async || pull.peers() == 1).await;
    // Longer than who gets no answer stays.
    tokio::time::sleep(Duration::from_secs(4)).await;
    bound_to.ask("send hello").await;
    assert_eq!(pull.recv_within(SOON).await.unwrap(), "hello".into());
    push.send("hello").await.unwrap();
    assert_eq!(bound.ask("recv").await, "hello");
    for stats in [pull.stats(), push.stats()] {
        assert_eq!((stats.connected, stats.lost), (1, 0));
    }
}

/// Both its sides are our own: each has the timer of the system that asks the other.
#[tokio::test]
async fn a_silent_peer_is_asked_by_the_system_soon() {
    let pull = Pull::with(binds()).unwrap();
    pull.ready().await.unwrap();
    let address = pull.addresses()[0];
    let push = Push::with(connects(address)).unwrap();
    push.ready().await.unwrap();
    eventually("both sides have the timer", async || keepalives(address) == 2).await;
}

/// How many connections from or to there have the timer, as Linux tells it.
fn keepalives(address: SocketAddr) -> usize {
    let ours = format!("0100007F:{:04X}", address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    let rows = rows.filter(|row| row[1] == ours || row[2] == ours);
    // The kind of the timer, and when it is due in hundredths of a second.
    let timers = rows.filter_map(|row| row[5].split_once(':'));
    let soon = |when: &str| u32::from_str_radix(when, 16).unwrap() <= 1100;
    timers.filter(|(kind, when)| *kind == "02" && soon(when)).count()
}
