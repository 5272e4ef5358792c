//! What all connections together may leave unread is bounded as well.

use workyard_protocol::channel::Reply;
use workyard_protocol::{NO_REPLY, ToServer, ValueRef};
use workyard_tests::words::{channel, get, publish, set, stored, subscribe};
use workyard_tests::{ChannelWire, GlobalDataWire, Service, Setup};

const MIB: u64 = 1 << 20;

/// What the allocator may hold beside what is bounded.
const SLACK_BYTES: u64 = 48 * MIB;

#[test]
fn stalled_subscribers_of_many_channels_share_one_bound() {
    // Each alone might keep 1 MiB waiting.
    const PEERS: u32 = 120;
    let setup = Setup::<ChannelWire>::new().patient().flag("--write-buffers-bytes-max", "8MiB");
    let daemon = setup.start();
    let value = vec![b'v'; 32 * 1024];
    let mut publisher = daemon.peer();
    let mut stalled = Vec::new();
    let before = daemon.memory_peak_bytes();
    for number in 0..PEERS {
        let name = format!("channel {number}");
        let mut peer = daemon.narrow_peer();
        peer.ask(subscribe(channel(&name)), Reply::Done);
        stalled.push(peer);
        for _ in 0..64 {
            publisher.send(NO_REPLY, publish(&name, &value));
        }
        publisher.expect_silence();
    }
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < 8 * MIB + SLACK_BYTES, "{grown} bytes above a bound of 8 MiB");
    for peer in &mut stalled {
        peer.widen();
        assert!(!peer.receive_all().is_empty());
    }
}

#[test]
fn stalled_requesters_share_one_bound() {
    // Each alone might keep 2 MiB waiting.
    const PEERS: u32 = 60;
    let setup = Setup::<GlobalDataWire>::new().patient().flag("--write-buffers-bytes-max", "8MiB");
    let daemon = setup.start();
    let value = vec![b'v'; MIB as usize / 8];
    let mut other = daemon.peer();
    other.ask(set("large", ValueRef::raw(&value)), stored(other.revision(1)));
    let mut stream = Vec::new();
    (1..=80).for_each(|id| ToServer::Request(id, get("large")).encode(&mut stream));
    let mut stalled = Vec::new();
    let before = daemon.memory_peak_bytes();
    for _ in 0..PEERS {
        let mut peer = daemon.narrow_peer();
        peer.send_bytes(&stream);
        stalled.push(peer);
        other.expect_silence();
    }
    // The bound, and one frame for each.
    let allowed = 8 * MIB + u64::from(PEERS) * (MIB / 8 + 64 * 1024) + SLACK_BYTES;
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < allowed, "{grown} bytes above a bound of 8 MiB");
}

#[test]
fn unfinished_frames_share_one_bound() {
    const PEERS: u64 = 60;
    let setup = Setup::<GlobalDataWire>::new().patient();
    let daemon = setup.flag("--read-buffers-bytes-max", "16MiB").start();
    let mut other = daemon.peer();
    let before = daemon.memory_peak_bytes();
    // The first half of a frame of 10 MiB.
    let mut half = vec![0x30; 5 * MIB as usize];
    half[..4].copy_from_slice(&(10 * MIB as u32).to_be_bytes());
    let mut unfinished = Vec::new();
    for _ in 0..PEERS {
        let mut peer = daemon.peer();
        // Who is turned away in the middle need not be sent the rest.
        let _ = half.chunks(64 * 1024).try_for_each(|piece| peer.try_send_bytes(piece));
        unfinished.push(peer);
        other.expect_silence();
    }
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < 16 * MIB + SLACK_BYTES, "{grown} bytes above a bound of 16 MiB");
    let mut told = 0;
    for peer in &mut unfinished {
        let _ = peer.try_finish_sending();
        if let Ok(Some(frame)) = peer.try_receive() {
            assert!(frame.0.starts_with(&[0x83, 112]), "{}", GlobalDataWire::describe(&frame.0));
            told += 1;
        }
    }
    assert!(told > 0, "nobody was told why");
    other.expect_silence();
}
