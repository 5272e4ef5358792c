//! What a supervisor is told: ready, reloading, stopping.

use std::os::unix::net::UnixDatagram;
use workyard_protocol::Reason;
use workyard_tests::{ChannelWire, PATIENCE, Setup};

/// The socket of a supervisor, and a daemon that is to tell it.
fn supervised() -> (UnixDatagram, Setup<ChannelWire>) {
    let setup = Setup::<ChannelWire>::new();
    let path = setup.path("notify.sock");
    let socket = UnixDatagram::bind(&path).expect("the folder takes sockets");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time");
    (socket, setup.variable("NOTIFY_SOCKET", path))
}

#[track_caller]
fn expect_state(socket: &UnixDatagram, state: &str) {
    let mut buffer = [0; 1024];
    let count = socket.recv(&mut buffer).expect("the supervisor is told");
    let told = String::from_utf8_lossy(&buffer[..count]);
    assert!(told.lines().any(|line| line == state), "expected {state}, got {told:?}");
}

#[test]
fn a_supervisor_is_told_of_readiness_reload_and_stop() {
    let (socket, setup) = supervised();
    let mut daemon = setup.start();
    expect_state(&socket, "READY=1");
    daemon.peer().expect_silence();
    daemon.hang_up();
    expect_state(&socket, "RELOADING=1");
    expect_state(&socket, "READY=1");
    daemon.terminate();
    expect_state(&socket, "STOPPING=1");
    assert_eq!(daemon.wait(), 0);
}

#[test]
fn a_supervisor_hears_of_the_stop_when_it_begins() {
    let (socket, setup) = supervised();
    let mut daemon = setup.start();
    expect_state(&socket, "READY=1");
    let mut peer = daemon.peer();
    daemon.terminate();
    expect_state(&socket, "STOPPING=1");
    assert!(!daemon.log().has("\"stopped\""), "it has stopped already");
    peer.expect_goodbye(Reason::ShuttingDown);
    drop(peer);
    assert_eq!(daemon.wait(), 0);
}

#[test]
fn who_is_ready_handles_signals() {
    for _ in 0..10 {
        let (socket, setup) = supervised();
        let daemon = setup.start();
        expect_state(&socket, "READY=1");
        assert!(daemon.handles_signals(), "a reload now would end it");
    }
}
