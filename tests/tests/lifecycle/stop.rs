//! A stop: what has arrived is answered, everybody is told, and the process ends in time.

use std::time::{Duration, Instant};
use workyard_protocol::globaldata::{Reply, Request};
use workyard_protocol::{Reason, ToServer, ValueRef};
use workyard_tests::words::{get, set, stored};
use workyard_tests::{Daemon, GlobalDataPeer, GlobalDataWire, Peer, Setup};

#[test]
fn what_was_sent_before_the_stop_is_answered_and_then_comes_a_goodbye() {
    const REQUESTS: u32 = 1000;
    let mut daemon = Setup::<GlobalDataWire>::new().start();
    let mut peer = daemon.peer();
    let mut stream = Vec::new();
    (1..=REQUESTS).for_each(|id| ToServer::Request(id, get("k")).encode(&mut stream));
    peer.send_bytes(&stream);
    daemon.terminate();
    for id in 1..=REQUESTS {
        peer.expect_reply(id, Reply::Got(None));
    }
    let goodbye = peer.expect_goodbye(Reason::ShuttingDown);
    assert!(goodbye.reconnect_after_ms.is_some(), "a client is told when to come back");
    drop(peer);
    assert_eq!(daemon.wait(), 0);
}

#[test]
fn everybody_is_told_that_it_stops_and_nobody_new_is_let_in() {
    let mut daemon = Setup::<GlobalDataWire>::new().start();
    // Accepted before those that come behind it.
    let mut stranger = daemon.stranger();
    let mut peers: Vec<_> = (0..20).map(|_| daemon.peer()).collect();
    // Half a frame is no reason to wait for the rest.
    peers[0].send_bytes(&[0, 0, 1, 0, 0x30]);
    peers[1].send_bytes(&[&[0, 1, 0, 0][..], &[0x30; 10_000]].concat());
    daemon.terminate();
    for peer in &mut peers {
        peer.expect_goodbye(Reason::ShuttingDown);
    }
    // It has not said how it speaks.
    stranger.expect_end();
    let late = Peer::<GlobalDataWire>::try_connect(daemon.endpoint());
    assert!(late.is_err(), "it still listens");
    drop((peers, stranger));
    assert_eq!(daemon.wait(), 0);
}

#[test]
fn who_connected_just_before_the_stop_is_not_cut_off() {
    let mut daemon = Setup::<GlobalDataWire>::new().start();
    daemon.peer().expect_silence();
    let mut strangers: Vec<_> = (0..20).map(|_| daemon.stranger()).collect();
    daemon.terminate();
    for stranger in &mut strangers {
        stranger.expect_end();
    }
    drop(strangers);
    assert_eq!(daemon.wait(), 0);
}

#[test]
fn without_anybody_it_stops_at_once() {
    let mut daemon = Setup::<GlobalDataWire>::new().start();
    let began = Instant::now();
    daemon.terminate();
    assert_eq!(daemon.wait(), 0);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn a_peer_that_does_not_hang_up_is_not_waited_for() {
    let mut daemon = Setup::<GlobalDataWire>::new().start();
    let mut peer = daemon.peer();
    let began = Instant::now();
    daemon.terminate();
    peer.expect_goodbye(Reason::ShuttingDown);
    assert_eq!(daemon.wait(), 0);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn the_deadline_cuts_those_that_do_not_hang_up() {
    let setup = Setup::<GlobalDataWire>::new().flag("--drain-deadline", "300ms");
    let mut daemon = setup.start();
    let mut peer = daemon.peer();
    let began = Instant::now();
    daemon.terminate();
    peer.expect_goodbye(Reason::ShuttingDown);
    assert_eq!(daemon.wait(), 4);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    daemon.log().expect("stopped at the deadline");
}

#[test]
fn the_deadline_cuts_those_that_do_not_read() {
    let setup = Setup::<GlobalDataWire>::new().flag("--drain-deadline", "300ms");
    let mut daemon = setup.start();
    let _stalled = stalled_peer(&daemon);
    let began = Instant::now();
    daemon.terminate();
    assert_eq!(daemon.wait(), 4);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn an_interruption_stops_it_and_a_second_one_stops_it_at_once() {
    let setup = Setup::<GlobalDataWire>::new().flag("--drain-deadline", "1h");
    let mut daemon = setup.start();
    let mut peer = daemon.peer();
    let _stalled = stalled_peer(&daemon);
    daemon.interrupt();
    peer.expect_goodbye(Reason::ShuttingDown);
    assert!(daemon.is_running());
    daemon.interrupt();
    assert_eq!(daemon.wait(), 4);
    daemon.log().expect("stopped at once");
}

/// A peer that has asked for far more than it reads.
fn stalled_peer(daemon: &Daemon<GlobalDataWire>) -> GlobalDataPeer {
    let value = vec![b'v'; 1 << 20];
    let mut peer = daemon.narrow_peer();
    peer.ask(set("large", ValueRef::raw(&value)), stored(peer.revision(1)));
    let request: Request<'_> = get("large");
    (0..20).for_each(|id| peer.send(id + 1, request.clone()));
    // Another one is answered behind it, so it was heard.
    daemon.peer().expect_silence();
    peer
}
