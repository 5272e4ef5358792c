//! Frames of a welcomed peer that are none, or not for a client to send.

use crate::samples::Sampled;
use workyard_protocol::frame::LENGTH_BYTES;
use workyard_protocol::limits::FRAME_BYTES_MAX;
use workyard_protocol::{Reason, ToServer, ValueRef};
use workyard_tests::raw::{ID, request};
use workyard_tests::words::{get, got, set, stored};
use workyard_tests::{Canary, ChannelWire, Daemon, GlobalDataWire, Peer, Setup, note};

/// After each case its connection has ended, and everything else is as it was.
pub(crate) fn check_ends<W: Canary>(daemon: &Daemon<W>, cases: &[(&str, Vec<u8>, Reason)]) {
    let mut keeper = W::keep(daemon);
    for (what, body, reason) in cases {
        note(&format!("{what}: {reason}, {:02x?}", &body[..body.len().min(60)]));
        let mut peer = daemon.peer();
        peer.send_frame(body);
        peer.expect_goodbye(*reason);
        W::check(&mut keeper);
    }
}

#[test]
fn lengths_are_judged_before_anything_else_is_read() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut keeper = GlobalDataWire::keep(&daemon);
    let above = u32::try_from(FRAME_BYTES_MAX + 1).expect("10 MiB");
    for (length, reason) in [
        (0, Reason::BadLength),
        (1, Reason::BadLength),
        (2, Reason::BadLength),
        (3, Reason::BadLength),
        (above, Reason::FrameTooLarge),
        (1 << 31, Reason::FrameTooLarge),
        (u32::MAX, Reason::FrameTooLarge),
        (u32::from_be_bytes(*b"GET "), Reason::FrameTooLarge),
        (u32::from_be_bytes(*b"*1\r\n"), Reason::FrameTooLarge),
    ] {
        let mut peer = daemon.peer();
        peer.send_bytes(&length.to_be_bytes());
        peer.expect_goodbye(reason);
        GlobalDataWire::check(&mut keeper);
    }
}

#[test]
fn a_declared_length_costs_nothing_until_its_bytes_are_there() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut keeper = GlobalDataWire::keep(&daemon);
    let before = daemon.memory_bytes();
    let length = u32::try_from(FRAME_BYTES_MAX).expect("10 MiB").to_be_bytes();
    let mut peers: Vec<_> = (0..200).map(|_| daemon.peer()).collect();
    for peer in &mut peers {
        peer.send_bytes(&[&length[..], &[0x30; 1000]].concat());
    }
    GlobalDataWire::check(&mut keeper);
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < 8 << 20, "200 announcements of 10 MiB took {grown} bytes");
}

#[test]
fn frames_that_only_servers_send_end_the_connection() {
    let daemon = Setup::<ChannelWire>::new().start();
    let cases: Vec<_> = (0x80..=0xff)
        .map(|operation| ("of a server", request(operation, &[]), Reason::UnexpectedFrame))
        .collect();
    check_ends(&daemon, &cases);
}

#[test]
fn frames_of_the_connection_itself_are_checked_too() {
    let daemon = Setup::<ChannelWire>::new().start();
    let hello = Peer::<ChannelWire>::hello_bytes().split_off(LENGTH_BYTES);
    check_ends(
        &daemon,
        &[
            ("an empty frame", vec![], Reason::Malformed),
            ("a second hello", hello, Reason::UnexpectedFrame),
            ("a ping without a number", vec![0x02], Reason::Malformed),
            ("a ping that is cut", vec![0x02, 251, 1], Reason::Malformed),
            ("a ping that is longer", vec![0x02, 1, 1], Reason::Malformed),
            ("a pong without a number", vec![0x03], Reason::Malformed),
            ("a pong that is longer", vec![0x03, 1, 1], Reason::Malformed),
            ("half a request id", vec![0x7f, 0, 0], Reason::Malformed),
        ],
    );
}

#[test]
fn an_operation_that_is_unknown_is_refused_and_nothing_else() {
    check_unknown_operations::<ChannelWire>();
    check_unknown_operations::<GlobalDataWire>();
}

fn check_unknown_operations<W: Sampled>() {
    let daemon = Setup::<W>::new().start();
    let mut keeper = W::keep(&daemon);
    let mut peer = daemon.peer();
    let of_connection = [0x01, 0x02, 0x03];
    let of_service: Vec<u8> = W::samples().iter().map(|body| body[0]).collect();
    for operation in 0..0x80 {
        if of_connection.contains(&operation) || of_service.contains(&operation) {
            continue;
        }
        peer.send_frame(&request(operation, &[b"whatever"]));
        peer.expect_refused(ID, Reason::UnknownOperation);
        peer.expect_silence();
    }
    W::check(&mut keeper);
}

#[test]
fn a_request_that_nobody_waits_for_is_refused_aloud() {
    let daemon = Setup::<ChannelWire>::new().start();
    let mut peer = daemon.peer();
    peer.send_frame(&[0x7f, 0, 0, 0, 0]);
    peer.expect_refused(0, Reason::UnknownOperation);
    peer.expect_silence();
}

#[test]
fn what_stands_before_a_wrong_frame_counts_and_what_stands_behind_it_does_not() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut stream = Peer::<GlobalDataWire>::hello_bytes();
    ToServer::Request(1, set("k", ValueRef::Int(1))).encode(&mut stream);
    stream.extend_from_slice(&[0, 0, 0, 4]);
    ToServer::Request(2, set("k", ValueRef::Int(2))).encode(&mut stream);
    let mut peer = daemon.stranger();
    peer.send_bytes(&stream);
    peer.expect_welcome();
    peer.expect_reply(1, stored(peer.revision(1)));
    peer.expect_goodbye(Reason::Malformed);
    daemon.peer().ask(get("k"), got(peer.revision(1), ValueRef::Int(1)));
}
