//! Many requests at once, and frames that arrive in pieces of every size.

use fastrand::Rng;
use workyard_protocol::limits::FRAME_BYTES_MAX;
use workyard_protocol::{Reason, ToServer, ValueRef};
use workyard_tests::words::{get, got, set, stored};
use workyard_tests::{GlobalDataPeer, GlobalDataWire, Setup};

/// Bytes around the value in the frame that sets "k": length, operation, id, key, condition, expiry,
/// tag.
const SET_BYTES: usize = 4 + 1 + 4 + 2 + 1 + 1 + 1;

fn set_frame(id: u32, value: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    ToServer::Request(id, set("k", ValueRef::raw(value))).encode(&mut frame);
    frame
}

fn noise(dice: &mut Rng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    dice.fill(&mut bytes);
    bytes
}

#[test]
fn ten_thousand_requests_in_one_write_are_answered_in_order() {
    const REQUESTS: u32 = 10_000;
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut peer = daemon.peer();
    let mut stream = Vec::new();
    for id in 1..=REQUESTS {
        let request = match id % 2 {
            0 => get("n"),
            _ => set("n", ValueRef::Int(i64::from(id))),
        };
        ToServer::Request(id, request).encode(&mut stream);
    }
    peer.send_bytes(&stream);
    for id in 1..=REQUESTS {
        let revision = peer.revision(u64::from(id.div_ceil(2)));
        match id % 2 {
            0 => peer.expect_reply(id, got(revision, ValueRef::Int(i64::from(id) - 1))),
            _ => peer.expect_reply(id, stored(revision)),
        }
    }
    peer.expect_silence();
}

#[test]
fn requests_may_stand_right_behind_the_hello() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut peer = daemon.stranger();
    let mut stream = GlobalDataPeer::hello_bytes();
    stream.append(&mut set_frame(1, b"v"));
    ToServer::Request(2, get("k")).encode(&mut stream);
    peer.send_bytes(&stream);
    peer.expect_welcome();
    peer.expect_reply(1, stored(peer.revision(1)));
    peer.expect_reply(2, got(peer.revision(1), ValueRef::raw("v")));
    peer.expect_silence();
}

#[test]
fn a_frame_may_come_byte_by_byte() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut dice = Rng::with_seed(1);
    let mut peer = daemon.peer();
    let value = noise(&mut dice, 6000);
    for byte in set_frame(1, &value) {
        peer.send_bytes(&[byte]);
    }
    peer.expect_reply(1, stored(peer.revision(1)));
    peer.ask(get("k"), got(peer.revision(1), ValueRef::raw(&value)));
}

#[test]
fn frames_may_come_in_pieces_of_any_size() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut dice = Rng::with_seed(2);
    let mut peer = daemon.peer();
    let mut values = Vec::new();
    let mut stream = Vec::new();
    for (id, length) in (1..).zip([0, 1, 4000, 5000, 100, 131_072, 70_000, 7, 400_000, 2_000_000]) {
        let value = noise(&mut dice, length);
        stream.append(&mut set_frame(id, &value));
        ToServer::Request(id, get("k")).encode(&mut stream);
        values.push(value);
    }
    let mut rest = stream.as_slice();
    while !rest.is_empty() {
        let length = dice.usize(1..=64 * 1024).min(rest.len());
        let (piece, others) = rest.split_at(length);
        peer.send_bytes(piece);
        rest = others;
    }
    for (id, value) in (1..).zip(&values) {
        let revision = peer.revision(u64::from(id));
        peer.expect_reply(id, stored(revision));
        peer.expect_reply(id, got(revision, ValueRef::raw(value)));
    }
}

#[test]
fn the_longest_frame_is_taken_and_one_byte_more_is_not() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut dice = Rng::with_seed(3);
    let value = noise(&mut dice, FRAME_BYTES_MAX - SET_BYTES);
    let frame = set_frame(1, &value);
    assert_eq!(frame.len(), FRAME_BYTES_MAX);
    let mut peer = daemon.peer();
    for piece in frame.chunks(64 * 1024) {
        peer.send_bytes(piece);
    }
    peer.expect_reply(1, stored(peer.revision(1)));
    peer.ask(get("k"), got(peer.revision(1), ValueRef::raw(&value)));
    let mut longer = daemon.peer();
    // Its length is enough; the rest is not waited for.
    longer.send_bytes(&set_frame(1, &[&value[..], b"+"].concat())[..100]);
    longer.expect_goodbye(Reason::FrameTooLarge);
    peer.ask(get("k"), got(peer.revision(1), ValueRef::raw(&value)));
}
