//! Ten thousand connections that do nothing cost next to nothing, and are all still there.

use std::thread;
use std::time::Duration;
use workyard_tests::{ChannelPeer, ChannelWire, Setup, note, raise_descriptor_limit};

const CONNECTIONS: usize = 10_000;

/// So many come at once.
const CROWD: usize = 1000;

const BYTES_EACH_MAX: u64 = 4096;

#[test]
fn ten_thousand_idle_connections_cost_next_to_nothing() {
    raise_descriptor_limit(CONNECTIONS as u64 + 100);
    let daemon = Setup::<ChannelWire>::new().patient().start();
    let mut observer = daemon.peer();
    let before = daemon.memory_bytes();
    let hello = ChannelPeer::hello_bytes();
    let mut peers = Vec::with_capacity(CONNECTIONS);
    while peers.len() < CONNECTIONS {
        let mut crowd: Vec<_> = (0..CROWD).map(|_| daemon.stranger()).collect();
        crowd.iter_mut().for_each(|peer| peer.send_bytes(&hello));
        for peer in &mut crowd {
            peer.expect_welcome();
        }
        peers.append(&mut crowd);
    }
    let each = daemon.memory_bytes().saturating_sub(before) / CONNECTIONS as u64;
    note(&format!("{each} bytes for each connection"));
    assert!(each < BYTES_EACH_MAX, "{each} bytes for each connection");

    let busy = daemon.processor_time();
    let span = Duration::from_secs(2);
    thread::sleep(span);
    let busy = daemon.processor_time() - busy;
    note(&format!("{busy:?} of processor time in {span:?} of idleness"));
    assert!(busy < span / 10, "{busy:?} in {span:?} of idleness");

    observer.expect_silence();
    peers.iter_mut().for_each(ChannelPeer::expect_silence);
}
