//! A requester that does not read its answers is not heard until it does; none of them is lost.

use std::thread;
use workyard_protocol::{ToServer, ValueRef};
use workyard_tests::words::{get, got, set, stored};
use workyard_tests::{GlobalDataWire, Setup};

const MIB: u64 = 1 << 20;

#[test]
fn a_requester_that_does_not_read_is_paused_and_gets_every_answer_in_the_end() {
    const REQUESTS: u32 = 1000;
    let daemon = Setup::<GlobalDataWire>::new().patient().start();
    let value = vec![b'v'; 256 * 1024];
    let mut other = daemon.peer();
    other.ask(set("large", ValueRef::raw(&value)), stored(other.revision(1)));
    other.ask(set("small", ValueRef::Int(7)), stored(other.revision(2)));
    let mut stalled = daemon.narrow_peer();
    let before = daemon.memory_peak_bytes();
    let mut stream = Vec::new();
    (1..=REQUESTS).for_each(|id| ToServer::Request(id, get("large")).encode(&mut stream));
    stalled.send_bytes(&stream);
    for _ in 0..1000 {
        other.ask(get("small"), got(other.revision(2), ValueRef::Int(7)));
    }
    stalled.widen();
    for id in 1..=REQUESTS {
        stalled.expect_reply(id, got(stalled.revision(1), ValueRef::raw(&value)));
    }
    stalled.expect_silence();
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < 64 * MIB, "{grown} bytes for answers of 250 MiB");
}

#[test]
fn requests_of_a_paused_peer_wait_in_its_socket() {
    const BYTES: usize = 128 << 20;
    let daemon = Setup::<GlobalDataWire>::new().patient().start();
    let value = vec![b'v'; MIB as usize];
    let mut stalled = daemon.narrow_peer();
    stalled.ask(set("large", ValueRef::raw(&value)), stored(stalled.revision(1)));
    let before = daemon.memory_peak_bytes();
    // Each brings an answer of 1 MiB, so that the daemon soon stops reading.
    let mut stream = Vec::new();
    (1..=10).for_each(|id| ToServer::Request(id, get("large")).encode(&mut stream));
    stalled.send_bytes(&stream);
    let mut sender = stalled.sender();
    let flood = thread::spawn(move || {
        let mut stream = Vec::new();
        for id in 11..=138 {
            stream.clear();
            let value = vec![b'w'; MIB as usize];
            ToServer::Request(id, set("flood", ValueRef::raw(&value))).encode(&mut stream);
            sender.send_bytes(&stream);
        }
    });
    let mut other = daemon.peer();
    for _ in 0..1000 {
        other.ask(get("none"), workyard_protocol::globaldata::Reply::Got(None));
    }
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < 64 * MIB, "{grown} bytes of {BYTES} were taken from one that does not read");
    stalled.widen();
    for id in 1..=10 {
        stalled.expect_reply(id, got(stalled.revision(1), ValueRef::raw(&value)));
    }
    for id in 11..=138 {
        stalled.expect_reply(id, stored(stalled.revision(u64::from(id) - 9)));
    }
    flood.join().expect("everything was taken in the end");
    stalled.expect_silence();
}
