//! Values come back as PHP would write them, whichever way they go.

use workyard_tests::workerman::{play_data, play_values};
use workyard_tests::{ChannelWire, GlobalDataWire, Setup};

/// Of the recorded values, those that can stand in a request.
const VALUES: usize = 483 - 34;
/// Of these, the whole requests to the one server and to the other.
const VIA_CHANNEL: usize = 26;
const VIA_GLOBALDATA: usize = 22;

#[test]
fn what_is_stored_is_read_as_php_writes_it() {
    let daemon = Setup::<GlobalDataWire>::new().patient().start();
    let summary = play_values(daemon.endpoint(), true).expect("a daemon listens");
    assert!(summary.is_good(), "{summary}");
    assert_eq!(summary.count(), VALUES - VIA_CHANNEL);
}

#[test]
fn what_is_published_and_enqueued_arrives_as_php_writes_it() {
    let daemon = Setup::<ChannelWire>::new().patient().start();
    let summary = play_data(daemon.endpoint(), true).expect("a daemon listens");
    assert!(summary.is_good(), "{summary}");
    assert_eq!(summary.count(), VALUES - VIA_GLOBALDATA);
}
