//! What is too much, too long or too slow costs the client that it comes from, and nobody else.

use std::thread;
use std::time::Duration;
use workyard_tests::workerman::{
    BAD_REQUEST, Connection, FALSE, NULL, TRUE, Wire, Witness, channel, frame, integer, key,
    pushed, text,
};
use workyard_tests::{ChannelWire, GlobalDataWire, Setup, eventually};

const MIB: u64 = 1 << 20;
const LISTENS: &str = "the daemon listens";

#[test]
fn names_that_are_too_long_are_refused_and_the_client_goes_on() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut client = Connection::open(daemon.endpoint()).unwrap();
    let (longest, too_long) = (vec![b'k'; 4096], vec![b'k'; 4097]);
    for (name, answer) in [(&longest, TRUE), (&too_long, FALSE)] {
        client.send(&key("set", name, Some(("value", &integer(1)))));
        client.expect(answer).unwrap();
    }
    client.send(&key("get", &longest, None));
    client.expect(&frame(&integer(1))).unwrap();

    let daemon = Setup::<ChannelWire>::new().start();
    let mut client = Connection::open(daemon.endpoint()).unwrap();
    for name in [&too_long, &longest] {
        client.send(&channel("subscribe", name, None));
        client.send(&channel("publish", name, Some(&integer(2))));
    }
    client.expect(&pushed("event", &longest, &integer(2))).unwrap();
    daemon.log().expect("cannot be told");
}

#[test]
fn beyond_a_limit_the_answer_is_false_and_nothing_else_changes() {
    let daemon = Setup::<GlobalDataWire>::new().flag("--keys-max", "2").start();
    let mut client = Connection::open(daemon.endpoint()).unwrap();
    let mut set = |name: &[u8], answer: &[u8]| {
        client.send(&key("set", name, Some(("value", &integer(1)))));
        client.expect(answer).unwrap();
    };
    set(b"one", TRUE);
    set(b"two", TRUE);
    set(b"three", FALSE);
    set(b"two", TRUE);
    client.send(&key("add", b"three", Some(("value", &integer(1)))));
    client.expect(FALSE).unwrap();
    client.send(&key("get", b"three", None));
    client.expect(NULL).unwrap();
    client.send(&key("increment", b"one", Some(("step", &integer(4)))));
    client.expect(&frame(&integer(5))).unwrap();
}

#[test]
fn a_step_that_is_no_number_is_a_bad_request_even_of_what_is_missing() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut client = Connection::open(daemon.endpoint()).unwrap();
    client.send(&key("increment", b"missing", Some(("step", &text("abc")))));
    client.expect(BAD_REQUEST).unwrap();
    client.expect_end().unwrap();
}

#[test]
fn clients_that_say_nothing_stay_and_hear_nothing() {
    let setup = Setup::<ChannelWire>::new().flag("--heartbeat", "100ms");
    let daemon = setup.flag("--hello-timeout", "100ms").start();
    let mut mute = Connection::open(daemon.endpoint()).unwrap();
    let mut subscriber = Connection::open(daemon.endpoint()).unwrap();
    subscriber.send(&channel("subscribe", b"idle", None));
    subscriber.wait(Duration::from_secs(1), |received| !received.is_empty());
    assert_eq!((subscriber.received(), subscriber.ended()), (&b""[..], false));
    mute.send(&channel("publish", b"idle", Some(&integer(1))));
    subscriber.expect(&pushed("event", b"idle", &integer(1))).unwrap();
}

/// Publishes numbered messages of a length while one subscriber reads nothing and another one reads
/// all of them; then the slow one reads. Returns which it got, and whether it was hung up on.
fn slow_subscriber(setup: Setup<ChannelWire>, count: i64, length: usize) -> (Vec<i64>, bool) {
    let daemon = setup.flag("--write-buffer-bytes-max", "1MiB").patient().start();
    let blanks = " ".repeat(length);
    let data = |number: i64| text(format!("{blanks}{number}"));
    let mut slow = Connection::open_narrow(daemon.endpoint()).expect(LISTENS);
    slow.send(&channel("subscribe", b"news", None));
    let mut healthy = Connection::open(daemon.endpoint()).expect(LISTENS);
    healthy.send(&channel("subscribe", b"news", None));
    let mut witness = Witness::open(Wire::Channel, daemon.endpoint()).expect(LISTENS);
    witness.settle().expect("the daemon answers");
    let mut publisher = Connection::open(daemon.endpoint()).expect(LISTENS);
    let before = daemon.memory_peak_bytes();
    for number in 0..count {
        publisher.send(&channel("publish", b"news", Some(&data(number))));
        healthy.expect(&pushed("event", b"news", &data(number))).expect("it is read at once");
    }
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < 16 * MIB, "{grown} bytes for one slow subscriber");
    let end = pushed("event", b"news", &text("end"));
    let mut numbers = Vec::new();
    loop {
        slow.wait(Duration::from_millis(200), |received| received.len() > length);
        if slow.received().is_empty() || slow.ended() {
            break;
        }
        let body = slow.frame().expect("a frame is there");
        let number = String::from_utf8_lossy(&body).replace(|it: char| !it.is_ascii_digit(), " ");
        let last = number.split_whitespace().last().and_then(|it| it.parse().ok());
        numbers.push(last.expect("each has its number"));
    }
    publisher.send(&channel("publish", b"news", Some(&text("end"))));
    healthy.expect(&end).expect("it is read at once");
    if !slow.ended() {
        slow.expect(&end).expect("it is read at once");
        daemon.log().expect("a slow subscriber missed messages");
    }
    (numbers, slow.ended())
}

#[test]
fn a_slow_subscriber_misses_messages_alone_and_the_log_says_so() {
    let (numbers, ended) = slow_subscriber(Setup::new(), 200, 64 * 1024);
    assert!(!ended && (4..200).contains(&numbers.len()), "{numbers:?}");
    assert!(numbers.is_sorted(), "{numbers:?}");
}

#[test]
fn a_slow_subscriber_is_hung_up_on_if_that_is_wanted() {
    let setup = Setup::new().flag("--slow-consumer", "disconnect");
    let (numbers, ended) = slow_subscriber(setup, 200, 64 * 1024);
    assert!(ended && numbers.len() < 200, "{numbers:?}");
}

#[test]
fn who_reads_no_answers_gets_all_of_them_in_the_end() {
    const REQUESTS: usize = 500;
    let daemon = Setup::<GlobalDataWire>::new().patient().start();
    let value = text(vec![b'v'; 128 * 1024]);
    let mut witness = Witness::open(Wire::GlobalData, daemon.endpoint()).unwrap();
    let mut client = Connection::open_narrow(daemon.endpoint()).unwrap();
    client.send(&key("set", b"large", Some(("value", &value))));
    client.expect(TRUE).unwrap();
    let before = daemon.memory_peak_bytes();
    client.send(&key("get", b"large", None).repeat(REQUESTS));
    thread::sleep(Duration::from_millis(100));
    witness.check().unwrap();
    let grown = daemon.memory_peak_bytes().saturating_sub(before);
    assert!(grown < 32 * MIB, "{grown} bytes for answers of 62 MiB");
    client.widen();
    for _ in 0..REQUESTS {
        client.expect(&frame(&value)).unwrap();
    }
}

#[test]
fn a_client_that_is_gone_leaves_nothing_open() {
    let daemon = Setup::<ChannelWire>::new().start();
    let mut witness = Witness::open(Wire::Channel, daemon.endpoint()).unwrap();
    let before = daemon.descriptors();
    for _ in 0..50 {
        let mut client = Connection::open(daemon.endpoint()).unwrap();
        client.send(&channel("subscribe", b"x", None));
        client.send(&channel("watch", b"x", None));
    }
    eventually("all are let go", || daemon.descriptors() <= before);
    witness.check().unwrap();
}
