//! A restart: the same address, another epoch, nothing kept.

use workyard_protocol::ValueRef;
use workyard_protocol::globaldata::Reply;
use workyard_tests::words::{get, set, stored};
use workyard_tests::{GlobalDataWire, Setup};

#[test]
fn a_restart_is_seen_by_the_epoch() {
    let mut daemon = Setup::<GlobalDataWire>::new().start();
    let endpoint = daemon.endpoint().clone();
    let mut peer = daemon.stranger();
    let before = peer.hello();
    peer.ask(set("k", ValueRef::Int(1)), stored(peer.revision(1)));
    assert_eq!(daemon.stranger().hello().epoch, before.epoch, "one start, one epoch");
    daemon.restart();
    assert_eq!(*daemon.endpoint(), endpoint);
    let mut peer = daemon.stranger();
    assert!(peer.hello().epoch > before.epoch);
    peer.ask(get("k"), Reply::Got(None));
    peer.ask(set("k", ValueRef::Int(1)), stored(peer.revision(1)));
}

#[test]
fn a_welcome_tells_what_a_client_must_know() {
    let setup = Setup::<GlobalDataWire>::new().flag("--heartbeat", "20s");
    let daemon = setup.start();
    let one = daemon.stranger().hello();
    assert_eq!((one.version, one.heartbeat_ms), (1, 20_000));
    assert_eq!(one.frame_bytes_max, 10 * 1024 * 1024);
    assert!(one.server.starts_with("globaldata-server "), "{}", one.server);
    assert_ne!(one.session, daemon.stranger().hello().session);
}
