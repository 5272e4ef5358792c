//! No descriptors left: those who are there are served, nothing spins, and it is over by itself.

use std::thread;
use std::time::Duration;
use workyard_protocol::channel::Reply;
use workyard_tests::words::{channel, message, publish, published, subscribe};
use workyard_tests::{ChannelPeer, ChannelWire, Setup};

const DESCRIPTORS_MAX: u32 = 64;

#[test]
fn without_descriptors_everybody_waits_and_nobody_is_lost() {
    let setup = Setup::<ChannelWire>::new().descriptors_max(DESCRIPTORS_MAX);
    let mut daemon = setup.start();
    let mut subscriber = daemon.peer();
    subscriber.ask(subscribe(channel("a")), Reply::Done);
    let mut publisher = daemon.peer();

    let hello = ChannelPeer::hello_bytes();
    let mut crowd: Vec<_> = (0..2 * DESCRIPTORS_MAX).map(|_| daemon.stranger()).collect();
    crowd.iter_mut().for_each(|peer| peer.send_bytes(&hello));
    daemon.log().expect("cannot accept a connection");
    let complaints = count_complaints(daemon.log().lines());
    let busy = daemon.processor_time();
    let span = Duration::from_secs(2);
    for sequence in 1..=20 {
        publisher.ask(publish("a", b"x"), published(1));
        subscriber.expect_push(message("a", sequence, b"x"));
        thread::sleep(span / 20);
    }
    let busy = daemon.processor_time() - busy;
    assert!(busy < span / 5, "{busy:?} in {span:?}");
    let complaints = count_complaints(daemon.log().lines()) - complaints;
    assert!(complaints <= 4, "{complaints} lines in {span:?}");

    // When some leave, the others get in.
    let mut waiting = crowd.split_off(crowd.len() - 10);
    drop(crowd);
    for peer in &mut waiting {
        peer.expect_welcome();
        peer.expect_silence();
    }
    assert!(daemon.is_running());
}

fn count_complaints(lines: Vec<String>) -> usize {
    let complains = |line: &String| line.contains("cannot accept a connection");
    lines.into_iter().filter(complains).count()
}

#[test]
fn the_soft_limit_is_raised_to_the_hard_one() {
    let setup = Setup::<ChannelWire>::new().soft_descriptors_max(32);
    let daemon = setup.start();
    let mut peers: Vec<_> = (0..64).map(|_| daemon.peer()).collect();
    peers.iter_mut().for_each(ChannelPeer::expect_silence);
}
