//! Lifetimes over the wire: short ones that end, long ones that do not, and what is refused.

use std::time::{Duration, Instant};
use workyard_protocol::globaldata::{
    Batch, BatchReply, Existence, Exists, Expect, Expiry, Increment, Keys, Reply, Request, Touch,
};
use workyard_protocol::{NO_REPLY, Number, Reason, ToClient, Ttl, ValueRef};
use workyard_tests::words::{conflict, get, key, set, stored, write, write_for};
use workyard_tests::{Daemon, GlobalDataPeer, GlobalDataWire, Setup};

/// Longer than any test runs.
const HOUR_MS: u64 = 3_600_000;

fn daemon() -> Daemon<GlobalDataWire> {
    Setup::new().start()
}

fn ttl(millis: u64) -> Ttl {
    Ttl::from_millis(millis).expect("within its bounds")
}

fn set_for(name: &str, millis: u64) -> Request<'_> {
    write_for(name, Expect::Any, Expiry::After(ttl(millis)), ValueRef::Int(1))
}

fn touch(name: &str, millis: Option<u64>) -> Request<'_> {
    Request::Touch(Touch { key: key(name), ttl: millis.map(ttl) })
}

/// What is known of a variable, if it exists.
fn existence(peer: &mut GlobalDataPeer, name: &str) -> Option<Existence> {
    let frame = peer.answer(Request::Exists(Exists { key: key(name) }));
    match frame.decode::<GlobalDataWire>() {
        ToClient::Reply(_, Reply::Existence(existence)) => existence,
        other => panic!("no existence: {other:?}"),
    }
}

/// Asks until the variable is gone, which must be before this test loses its patience.
fn await_end(peer: &mut GlobalDataPeer, name: &str) {
    let begun = Instant::now();
    while existence(peer, name).is_some() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{name} does not expire");
    }
}

#[test]
fn what_has_a_ttl_is_there_before_and_gone_after() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    let begun = Instant::now();
    peer.ask(set_for("brief", 300), stored(peer.revision(1)));
    peer.ask(set_for("long", HOUR_MS), stored(peer.revision(2)));
    peer.ask(set("for ever", ValueRef::Int(1)), stored(peer.revision(3)));
    let brief = existence(&mut peer, "brief");
    let left = brief.and_then(|existence| existence.ttl_ms);
    // On a machine that sleeps for so long it may be gone before it was asked for.
    assert!(
        left.is_some_and(|left| (1..=300).contains(&left)) || begun.elapsed().as_millis() > 200
    );
    await_end(&mut peer, "brief");
    // Its time began after the clock was read here; the server counts whole milliseconds.
    assert!(begun.elapsed() >= Duration::from_millis(298), "{:?}", begun.elapsed());
    peer.ask(get("brief"), Reply::Got(None));
    peer.ask(write("brief", Expect::Revision(peer.revision(1)), ValueRef::Int(2)), conflict(0));
    let long = existence(&mut peer, "long").and_then(|existence| existence.ttl_ms);
    assert!(long.is_some_and(|left| left <= HOUR_MS && left > HOUR_MS / 2), "{long:?}");
    let revision = peer.revision(3);
    assert_eq!(existence(&mut peer, "for ever"), Some(Existence { revision, ttl_ms: None }));
}

#[test]
fn a_touch_prolongs_and_keeps_the_revision() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    peer.ask(touch("k", Some(HOUR_MS)), Reply::Existence(None));
    peer.ask(set_for("k", HOUR_MS), stored(peer.revision(1)));
    let revision = peer.revision(1);
    let known = |ttl_ms| Reply::Existence(Some(Existence { revision, ttl_ms }));
    peer.ask(touch("k", Some(2 * HOUR_MS)), known(Some(2 * HOUR_MS)));
    let left = existence(&mut peer, "k").and_then(|existence| existence.ttl_ms);
    assert!(left.is_some_and(|left| left > HOUR_MS), "{left:?}");
    peer.ask(touch("k", None), known(None));
    peer.ask(write("k", Expect::Revision(revision), ValueRef::Int(2)), stored(peer.revision(2)));
    peer.ask(touch("k", Some(1)), {
        let existence = Existence { revision: peer.revision(2), ttl_ms: Some(1) };
        Reply::Existence(Some(existence))
    });
    await_end(&mut peer, "k");
}

#[test]
fn a_counter_for_a_window_begins_anew_when_it_is_over() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    let count = |millis| {
        let (by, initial) = (Number::Int(1), Some(Number::Int(0)));
        let expiry = Expiry::AfterIfNew(ttl(millis));
        Request::Increment(Increment { key: key("hits"), by, initial, expiry })
    };
    let sum = |revision, value| Reply::Incremented { revision, value: Number::Int(value) };
    peer.ask(count(HOUR_MS), sum(peer.revision(1), 1));
    peer.ask(count(1), sum(peer.revision(2), 2));
    let left = existence(&mut peer, "hits").and_then(|existence| existence.ttl_ms);
    assert!(left.is_some_and(|left| left > HOUR_MS / 2), "the window is the first one's: {left:?}");
    peer.ask(touch("hits", Some(1)), {
        let existence = Existence { revision: peer.revision(2), ttl_ms: Some(1) };
        Reply::Existence(Some(existence))
    });
    await_end(&mut peer, "hits");
    // The expiry took a number.
    peer.ask(count(HOUR_MS), sum(peer.revision(4), 1));
}

#[test]
fn lifetimes_that_cannot_be_are_refused_and_nothing_changes() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    // A touch of "k" for 0 ms, and one for a millisecond more than ten years.
    for ttl in [&[0x00][..], &[0xfd, 0, 0, 0, 0x49, 0x6c, 0xeb, 0xd8, 0x01]] {
        let body = [&[0x38, 0, 0, 0, 7, 1, b'k', 1], ttl].concat();
        let length = u32::try_from(body.len() + 4).expect("short");
        peer.send_bytes(&[&length.to_be_bytes()[..], &body].concat());
        match peer.receive().decode::<GlobalDataWire>() {
            ToClient::Refused(7, refusal) => {
                assert_eq!(refusal.reason, Reason::InvalidArgument);
                assert!(refusal.text.contains("is not in 1 to 315360000000"), "{refusal}");
            }
            other => panic!("not refused: {other:?}"),
        }
    }
    peer.ask(get("k"), Reply::Got(None));
}

/// Nobody asks for them, and they are freed all the same: the next write finds their numbers taken.
#[test]
fn what_expires_is_freed_without_being_asked_for() {
    const KEYS: u64 = 5000;
    let daemon = Setup::<GlobalDataWire>::new().flag("--keys-max", "5000").start();
    let mut peer = daemon.peer();
    let names: Vec<String> = (0..KEYS).map(|number| number.to_string()).collect();
    for name in &names {
        peer.send(NO_REPLY, set_for(name, 1));
    }
    peer.expect_silence();
    await_end(&mut peer, &names[4999]);
    let begun = Instant::now();
    let freed = 2 * KEYS;
    loop {
        // Read only: it neither frees anything nor takes a number.
        let request = Request::Keys(Keys { prefix: b"", cursor: 0, limit: 1000 });
        assert!(matches!(
            peer.answer(request).decode::<GlobalDataWire>(),
            ToClient::Reply(_, Reply::Keys { keys, .. }) if keys.is_empty()
        ));
        let frame = peer.answer(Request::Batch(Batch { steps: vec![] }));
        match frame.decode::<GlobalDataWire>() {
            ToClient::Reply(_, Reply::Batch(BatchReply::Applied { revision, .. })) => {
                if revision == peer.revision(freed) {
                    break;
                }
                assert!(begun.elapsed() < Duration::from_secs(20), "{revision}");
            }
            other => panic!("no end of a batch: {other:?}"),
        }
    }
    peer.ask(set_for("next", HOUR_MS), stored(peer.revision(freed + 1)));
}
