//! Unix sockets, and sockets that somebody else opened.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use workyard_protocol::channel::Reply;
use workyard_tests::words::{channel, subscribe};
use workyard_tests::{ChannelWire, Endpoint, Peer, Setup};

#[test]
fn a_unix_socket_is_served_and_its_file_removed_at_the_end() {
    let mut daemon = Setup::<ChannelWire>::new().unix_socket("a.sock").start();
    let path = daemon.path("a.sock");
    assert_eq!(*daemon.endpoint(), Endpoint::Unix(path.clone()));
    let mut peer = daemon.peer();
    peer.ask(subscribe(channel("a")), Reply::Done);
    drop(peer);
    daemon.terminate();
    assert_eq!(daemon.wait(), 0);
    assert!(!path.exists());
}

#[test]
fn a_socket_file_that_nobody_answers_at_is_replaced() {
    let setup = Setup::<ChannelWire>::new();
    let path = setup.path("a.sock");
    drop(UnixListener::bind(&path).expect("the folder takes sockets"));
    assert!(path.exists(), "it was left behind");
    let daemon = setup.unix_socket("a.sock").start();
    daemon.peer().expect_silence();
}

#[test]
fn a_socket_file_that_somebody_answers_at_is_left_alone() {
    let first = Setup::<ChannelWire>::new().unix_socket("a.sock").start();
    let address = format!("unix://{}", first.path("a.sock").display());
    let exit = Setup::<ChannelWire>::new().flag("--listen", address).run();
    assert_eq!(exit.code, Some(3), "{exit:?}");
    first.peer().expect_silence();
}

#[test]
fn sockets_that_are_passed_outlive_the_daemon() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = Endpoint::Tcp(listener.local_addr().expect("it is bound"));
    let setup = Setup::<ChannelWire>::new().passing(listener.into());
    // Who comes before the daemon does waits.
    let mut early = Peer::<ChannelWire>::connect(&endpoint);
    let mut daemon = setup.start();
    assert_eq!(*daemon.endpoint(), endpoint);
    early.hello();
    drop(early);
    daemon.terminate();
    assert_eq!(daemon.wait(), 0);
    let mut between = Peer::<ChannelWire>::connect(&endpoint);
    daemon.start_again();
    between.hello();
    between.ask(subscribe(channel("a")), Reply::Done);
}
