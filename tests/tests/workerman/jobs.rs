//! A job is its consumer's until the consumer asks for the next one, and comes back when it is gone.

use workyard_tests::workerman::{Connection, Wire, Witness, channel, integer, pushed, reserve};
use workyard_tests::{ChannelWire, Daemon, Setup};

const QUEUE: &[u8] = b"jobs";
const LISTENS: &str = "the daemon listens";

fn enqueue(daemon: &Daemon<ChannelWire>, queue: &[u8], numbers: impl Iterator<Item = i64>) {
    let mut producer = Connection::open(daemon.endpoint()).expect(LISTENS);
    for number in numbers {
        producer.send(&channel("enqueue", queue, Some(&integer(number))));
    }
    settle(daemon);
}

/// Waits until the daemon has done all that it was sent.
fn settle(daemon: &Daemon<ChannelWire>) {
    let mut witness = Witness::open(Wire::Channel, daemon.endpoint()).expect(LISTENS);
    witness.settle().expect("the daemon answers");
}

fn consumer(daemon: &Daemon<ChannelWire>, queue: &[u8]) -> Connection {
    let mut consumer = Connection::open(daemon.endpoint()).expect(LISTENS);
    consumer.send(&channel("watch", queue, None));
    consumer.send(&reserve());
    consumer
}

fn expect_job(consumer: &mut Connection, queue: &[u8], number: i64) {
    consumer.expect(&pushed("queue", queue, &integer(number))).expect("the job comes");
}

#[test]
fn jobs_of_a_consumer_that_is_gone_come_again_before_all_others() {
    let daemon = Setup::<ChannelWire>::new().start();
    enqueue(&daemon, QUEUE, 0..4);
    let mut first = consumer(&daemon, QUEUE);
    expect_job(&mut first, QUEUE, 0);
    first.send(&reserve());
    expect_job(&mut first, QUEUE, 1);
    drop(first);
    settle(&daemon);
    let mut second = consumer(&daemon, QUEUE);
    for number in [1, 2, 3] {
        expect_job(&mut second, QUEUE, number);
        second.send(&reserve());
    }
    drop(second);
    settle(&daemon);
    enqueue(&daemon, QUEUE, 9..10);
    expect_job(&mut consumer(&daemon, QUEUE), QUEUE, 9);
}

#[test]
fn the_first_reserve_of_another_watch_acknowledges_nothing() {
    let daemon = Setup::<ChannelWire>::new().start();
    enqueue(&daemon, b"one", 1..2);
    enqueue(&daemon, b"two", 2..3);
    let mut both = consumer(&daemon, b"one");
    expect_job(&mut both, b"one", 1);
    both.send(&channel("watch", b"two", None));
    both.send(&reserve());
    expect_job(&mut both, b"two", 2);
    drop(both);
    settle(&daemon);
    expect_job(&mut consumer(&daemon, b"one"), b"one", 1);
    expect_job(&mut consumer(&daemon, b"two"), b"two", 2);
}

#[test]
fn each_reserve_acknowledges_the_job_that_was_held_longest() {
    let daemon = Setup::<ChannelWire>::new().start();
    enqueue(&daemon, b"one", 1..2);
    enqueue(&daemon, b"two", 2..3);
    let mut both = Connection::open(daemon.endpoint()).unwrap();
    both.send(&channel("watch", b"one", None));
    both.send(&channel("watch", b"two", None));
    both.send(&reserve());
    expect_job(&mut both, b"one", 1);
    expect_job(&mut both, b"two", 2);
    both.send(&reserve());
    settle(&daemon);
    drop(both);
    settle(&daemon);
    enqueue(&daemon, b"one", 8..9);
    expect_job(&mut consumer(&daemon, b"one"), b"one", 8);
    expect_job(&mut consumer(&daemon, b"two"), b"two", 2);
}

#[test]
fn a_job_that_is_given_back_by_unwatch_or_kept_is_not_lost() {
    let daemon = Setup::<ChannelWire>::new().start();
    enqueue(&daemon, QUEUE, 5..6);
    let mut first = consumer(&daemon, QUEUE);
    expect_job(&mut first, QUEUE, 5);
    first.send(&channel("unwatch", QUEUE, None));
    settle(&daemon);
    drop(first);
    expect_job(&mut consumer(&daemon, QUEUE), QUEUE, 5);
}

#[test]
fn at_most_once_forgets_a_job_when_it_is_sent() {
    let daemon = Setup::<ChannelWire>::new().flag("--reserve-at-most-once", "true").start();
    enqueue(&daemon, QUEUE, 0..2);
    let mut first = consumer(&daemon, QUEUE);
    expect_job(&mut first, QUEUE, 0);
    drop(first);
    settle(&daemon);
    expect_job(&mut consumer(&daemon, QUEUE), QUEUE, 1);
}
