//! Every dialogue that was recorded with the original servers, played against ours.

use workyard_tests::workerman::{Pace, Wire, play_all};
use workyard_tests::{ChannelWire, GlobalDataWire, Service, Setup, note};

/// Most of the time is spent waiting for nothing to come, which many can do at once.
const DAEMONS: usize = 8;
/// Enough to cut each frame within its length, its head and its values.
const PIECES: usize = 5;

#[test]
fn channel_server_answers_as_the_original() {
    answers_as_the_original::<ChannelWire>(Wire::Channel, Pace::Whole);
}

#[test]
fn globaldata_server_answers_as_the_original() {
    answers_as_the_original::<GlobalDataWire>(Wire::GlobalData, Pace::Whole);
}

#[test]
fn channel_server_takes_every_dialogue_in_pieces() {
    answers_as_the_original::<ChannelWire>(Wire::Channel, Pace::Pieces(PIECES));
}

#[test]
fn globaldata_server_takes_every_dialogue_in_pieces() {
    answers_as_the_original::<GlobalDataWire>(Wire::GlobalData, Pace::Pieces(PIECES));
}

fn answers_as_the_original<W: Service>(wire: Wire, pace: Pace) {
    let cases = wire.cases();
    let summary = play_all(wire, pace, &cases, DAEMONS, || {
        let daemon = Setup::<W>::new().patient().start();
        let endpoint = daemon.endpoint().clone();
        (daemon, endpoint)
    });
    note(&summary.to_string());
    assert!(summary.is_good() && summary.count() == cases.len(), "{wire:?}: {summary}");
}
