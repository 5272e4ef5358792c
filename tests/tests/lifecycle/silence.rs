//! Peers that say nothing, too little, or come when there is no room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use workyard_protocol::{Reason, ToClient};
use workyard_tests::{ChannelWire, Endpoint, Peer, Setup, eventually};

/// What a busy machine may add to what is awaited.
const SLACK: Duration = Duration::from_secs(3);

const HALF_A_HELLO: &[u8] = &[0, 0, 0x10, 0, 0x01, b'W', b'O'];

#[test]
fn who_ends_no_hello_is_hung_up_on() {
    let timeout = Duration::from_millis(300);
    let setup = Setup::<ChannelWire>::new().flag("--hello-timeout", "300ms");
    let daemon = setup.flag("--heartbeat", "400ms").start();
    let began = Instant::now();
    let mut silent = daemon.stranger();
    silent.send_bytes(HALF_A_HELLO);
    silent.expect_goodbye(Reason::HelloTimeout);
    assert!(began.elapsed() >= timeout);
    assert!(began.elapsed() < timeout + SLACK);
}

#[test]
fn the_time_for_a_hello_does_not_depend_on_the_heartbeat() {
    let setup = Setup::<ChannelWire>::new().flag("--hello-timeout", "300ms");
    let daemon = setup.flag("--heartbeat", "1h").start();
    let mut silent = daemon.stranger();
    silent.send_bytes(HALF_A_HELLO);
    silent.expect_goodbye(Reason::HelloTimeout);
}

/// Clients of Workerman connect long before they have something to say.
#[test]
fn who_says_nothing_at_all_has_more_time() {
    let setup = Setup::<ChannelWire>::new().flag("--hello-timeout", "100ms");
    let daemon = setup.flag("--heartbeat", "100ms").start();
    let mut mute = daemon.stranger();
    thread::sleep(Duration::from_millis(700));
    mute.hello();
}

#[test]
fn a_hello_that_comes_byte_by_byte_has_no_more_time_than_another() {
    let setup = Setup::<ChannelWire>::new().flag("--hello-timeout", "300ms");
    let daemon = setup.flag("--heartbeat", "400ms").start();
    let mut slow = daemon.stranger();
    let hello = [&[0, 0, 0x10, 0, 0x01], b"WORKYARD".as_slice()].concat();
    slow.send_bytes(&hello);
    let began = Instant::now();
    let ended = Arc::new(AtomicBool::new(false));
    let trickle = thread::spawn({
        let (mut sender, ended) = (slow.sender(), Arc::clone(&ended));
        move || {
            while !ended.load(Ordering::Relaxed) && began.elapsed() < 2 * SLACK {
                let _ = sender.try_send_bytes(&[0]);
                thread::sleep(Duration::from_millis(50));
            }
        }
    });
    let goodbye = slow.receive();
    let elapsed = began.elapsed();
    ended.store(true, Ordering::Relaxed);
    trickle.join().expect("it only sends");
    assert!(goodbye.0.starts_with(&[0x83, 107]), "{}", String::from_utf8_lossy(&goodbye.0));
    assert!(elapsed < SLACK, "it had {elapsed:?}");
}

#[test]
fn a_silent_peer_is_asked_after_one_interval_and_gone_within_two() {
    let heartbeat = Duration::from_millis(400);
    let daemon = Setup::<ChannelWire>::new().flag("--heartbeat", "400ms").start();
    let began = Instant::now();
    let mut silent = daemon.peer();
    let frame = silent.try_receive_any().expect("a ping").expect("a ping");
    assert!(matches!(frame.decode::<ChannelWire>(), ToClient::Ping(_)));
    assert!(began.elapsed() >= heartbeat, "asked after {:?}", began.elapsed());
    let frame = silent.try_receive_any().expect("a goodbye").expect("a goodbye");
    let elapsed = began.elapsed();
    let ToClient::Goodbye(goodbye) = frame.decode::<ChannelWire>() else {
        panic!("asked a second time");
    };
    assert_eq!(goodbye.refusal.reason, Reason::HeartbeatTimeout);
    silent.expect_end();
    assert!(elapsed > heartbeat, "gone after {elapsed:?}");
    assert!(elapsed < 2 * heartbeat + SLACK, "gone after {elapsed:?}");
}

#[test]
fn a_peer_that_answers_stays() {
    let heartbeat = Duration::from_millis(600);
    let daemon = Setup::<ChannelWire>::new().flag("--heartbeat", "600ms").start();
    let mut peer = daemon.peer();
    let began = Instant::now();
    for _ in 0..3 {
        let frame = peer.try_receive_any().expect("a ping").expect("a ping");
        assert!(matches!(frame.decode::<ChannelWire>(), ToClient::Ping(_)));
        // A pong is a sign of life, and so is anything else.
        peer.expect_silence();
    }
    assert!(began.elapsed() > 3 * heartbeat, "asked too often");
}

#[test]
fn who_comes_when_all_sessions_are_taken_is_told_so() {
    let daemon = Setup::<ChannelWire>::new().flag("--sessions-max", "2").start();
    let mut first = daemon.peer();
    let second = daemon.stranger();
    for _ in 0..10 {
        let mut third = daemon.stranger();
        let goodbye = third.expect_goodbye(Reason::TooManySessions);
        assert!(goodbye.refusal.text.contains("sessions_max"));
    }
    first.expect_silence();
    drop(second);
    let endpoint: Endpoint = daemon.endpoint().clone();
    eventually("there is room again", || {
        let mut next = Peer::<ChannelWire>::connect(&endpoint);
        let hello = Peer::<ChannelWire>::hello_bytes();
        let _ = next.try_send_bytes(&hello);
        let answer = next.try_receive();
        matches!(answer, Ok(Some(frame)) if frame.0.first() == Some(&0x81))
    });
    first.expect_silence();
}
