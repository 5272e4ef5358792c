//! Counting as PHP counts: text and floats, overflow, what is no number at all.

use workyard_tests::workerman::play_increments;
use workyard_tests::{GlobalDataWire, Setup};

#[test]
fn increment_makes_of_values_and_steps_what_php_makes_of_them() {
    let daemon = Setup::<GlobalDataWire>::new().patient().start();
    let summary = play_increments(daemon.endpoint(), true).expect("a daemon listens");
    assert!(summary.is_good(), "{summary}");
    assert_eq!(summary.count(), 333);
}
