//! Each operation: what it answers when it is carried out, and when it is not.

use workyard_protocol::globaldata::{
    Delete, Entry, Existence, Exists, Expect, GetMany, KeyInfo, Keys, Reply, Request,
};
use workyard_protocol::{Encoding, NO_REPLY, Number, Reason, ToClient, ValueRef};
use workyard_tests::words::{conflict, get, got, increment, key, set, stored, write};
use workyard_tests::{Daemon, GlobalDataPeer, GlobalDataWire, Setup};

fn daemon() -> Daemon<GlobalDataWire> {
    Setup::new().start()
}

fn delete(name: &str) -> Request<'_> {
    Request::Delete(Delete { key: key(name), expect: Expect::Any })
}

fn exists(name: &str) -> Request<'_> {
    Request::Exists(Exists { key: key(name) })
}

#[test]
fn what_one_peer_sets_another_reads() {
    let daemon = daemon();
    let mut one = daemon.peer();
    let mut two = daemon.peer();
    two.ask(get("k"), Reply::Got(None));
    let json = ValueRef::Encoded { encoding: Encoding::Json, bytes: b"{\"a\":1}" };
    let values = [
        ValueRef::raw(""),
        ValueRef::raw("text"),
        ValueRef::Int(i64::MIN),
        ValueRef::Float(-0.0),
        ValueRef::Float(f64::NAN),
        json,
    ];
    for (write, value) in (1..).zip(values) {
        one.ask(set("k", value), stored(one.revision(write)));
        two.ask(get("k"), got(two.revision(write), value));
    }
    one.ask(set("", ValueRef::Int(1)), stored(one.revision(7)));
    two.ask(get(""), got(two.revision(7), ValueRef::Int(1)));
}

#[test]
fn add_writes_only_what_is_not_there() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    let value = ValueRef::raw("v");
    peer.ask(write("k", Expect::Absent, value), stored(peer.revision(1)));
    peer.ask(write("k", Expect::Absent, ValueRef::raw("w")), conflict(peer.revision(1)));
    peer.ask(get("k"), got(peer.revision(1), value));
}

#[test]
fn cas_by_revision_writes_only_over_what_was_read() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    let value = ValueRef::Int(1);
    peer.ask(write("k", Expect::Revision(0), value), conflict(0));
    peer.ask(set("k", value), stored(peer.revision(1)));
    peer.ask(set("other", value), stored(peer.revision(2)));
    peer.ask(write("k", Expect::Revision(peer.revision(2)), value), conflict(peer.revision(1)));
    peer.ask(write("k", Expect::Revision(peer.revision(1)), value), stored(peer.revision(3)));
    peer.ask(write("k", Expect::Revision(peer.revision(1)), value), conflict(peer.revision(3)));
}

#[test]
fn cas_by_value_compares_kind_and_bytes() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    let expect = |value| Expect::Value(value);
    peer.ask(set("k", ValueRef::Int(1)), stored(peer.revision(1)));
    for wrong in [ValueRef::Int(2), ValueRef::Float(1.0), ValueRef::raw("1")] {
        peer.ask(write("k", expect(wrong), ValueRef::Int(3)), conflict(peer.revision(1)));
    }
    peer.ask(write("k", expect(ValueRef::Int(1)), ValueRef::raw("x")), stored(peer.revision(2)));
    peer.ask(write("k", expect(ValueRef::raw("x")), ValueRef::raw("")), stored(peer.revision(3)));
    peer.ask(write("none", expect(ValueRef::raw("x")), ValueRef::raw("")), conflict(0));
}

#[test]
fn of_many_who_cas_at_once_one_wins() {
    let daemon = daemon();
    let mut peers: Vec<GlobalDataPeer> = (0..20).map(|_| daemon.peer()).collect();
    for peer in &mut peers {
        peer.send(1, write("k", Expect::Absent, ValueRef::Int(1)));
    }
    let mut winners = 0;
    for peer in &mut peers {
        let first = peer.revision(1);
        let frame = peer.receive();
        let ToClient::Reply(1, reply) = frame.decode::<GlobalDataWire>() else {
            panic!("expected an answer");
        };
        assert!(reply == stored(first) || reply == conflict(first), "{reply:?}");
        winners += usize::from(reply == stored(first));
    }
    assert_eq!(winners, 1);
}

#[test]
fn increment_adds_and_refuses_what_is_no_number() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    let sum = |revision, value| Reply::Incremented { revision, value };
    let (int, float) = (Number::Int, Number::Float);
    peer.ask_refused(increment("n", int(1), None), Reason::NotFound);
    peer.ask(increment("n", int(5), Some(int(10))), sum(peer.revision(1), int(15)));
    peer.ask(increment("n", int(-20), Some(int(10))), sum(peer.revision(2), int(-5)));
    peer.ask(increment("n", float(0.5), None), sum(peer.revision(3), float(-4.5)));
    peer.ask(increment("n", int(1), None), sum(peer.revision(4), float(-3.5)));
    peer.ask(set("max", ValueRef::Int(i64::MAX)), stored(peer.revision(5)));
    peer.ask_refused(increment("max", int(1), None), Reason::OutOfRange);
    peer.ask_refused(increment("max", float(f64::INFINITY), None), Reason::OutOfRange);
    peer.ask(get("max"), got(peer.revision(5), ValueRef::Int(i64::MAX)));
    peer.ask(set("text", ValueRef::raw("5")), stored(peer.revision(6)));
    peer.ask_refused(increment("text", int(1), None), Reason::NotANumber);
    peer.ask(get("text"), got(peer.revision(6), ValueRef::raw("5")));
}

#[test]
fn increments_of_many_peers_add_up() {
    const EACH: i64 = 500;
    let daemon = daemon();
    let mut peers: Vec<GlobalDataPeer> = (0..4).map(|_| daemon.peer()).collect();
    for _ in 0..EACH {
        for peer in &mut peers {
            peer.send(NO_REPLY, increment("n", Number::Int(1), Some(Number::Int(0))));
        }
    }
    peers.iter_mut().for_each(GlobalDataPeer::expect_silence);
    let revision = peers[0].revision(u64::try_from(4 * EACH).expect("positive"));
    peers[0].ask(get("n"), got(revision, ValueRef::Int(4 * EACH)));
}

#[test]
fn delete_and_exists_tell_whether_it_was_there() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    peer.ask(exists("k"), Reply::Existence(None));
    peer.ask(delete("k"), Reply::Deleted { existed: false });
    peer.ask(set("k", ValueRef::Int(1)), stored(peer.revision(1)));
    let existence = Existence { revision: peer.revision(1), ttl_ms: None };
    peer.ask(exists("k"), Reply::Existence(Some(existence)));
    peer.ask(delete("k"), Reply::Deleted { existed: true });
    peer.ask(exists("k"), Reply::Existence(None));
    peer.ask(get("k"), Reply::Got(None));
    // The deletion took a number, so nobody mistakes the new one for the old one.
    peer.ask(write("k", Expect::Absent, ValueRef::Int(1)), stored(peer.revision(3)));
}

#[test]
fn get_many_answers_in_the_order_asked() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    let (one, two) = (ValueRef::raw("one"), ValueRef::Float(2.0));
    peer.ask(set("a", one), stored(peer.revision(1)));
    peer.ask(set("b", two), stored(peer.revision(2)));
    let keys = ["b", "none", "a", "b"].map(key).to_vec();
    let entry = |revision, value| Some(Entry { revision, ttl_ms: None, value });
    let (first, second) = (peer.revision(1), peer.revision(2));
    let expected = vec![entry(second, two), None, entry(first, one), entry(second, two)];
    peer.ask(Request::GetMany(GetMany { keys }), Reply::GotMany(expected));
    peer.ask(Request::GetMany(GetMany { keys: vec![] }), Reply::GotMany(vec![]));
}

#[test]
fn an_answer_that_would_be_too_long_is_refused() {
    let daemon = Setup::<GlobalDataWire>::new().flag("--frame-bytes-max", "64KiB").start();
    let mut peer = daemon.peer();
    let value = vec![b'v'; 40_000];
    peer.ask(set("k", ValueRef::raw(&value)), stored(peer.revision(1)));
    let twice = vec![key("k"), key("k")];
    peer.ask_refused(Request::GetMany(GetMany { keys: twice }), Reason::ReplyTooLarge);
    peer.ask(get("k"), got(peer.revision(1), ValueRef::raw(&value)));
}

#[test]
fn keys_are_listed_by_prefix_and_page_each_once() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    let names: Vec<String> = (0..250).map(|number| format!("user.{number}")).collect();
    for name in &names {
        peer.send(NO_REPLY, set(name, ValueRef::raw("abc")));
    }
    peer.send(NO_REPLY, set("other", ValueRef::Int(1)));
    let mut found = Vec::new();
    let mut cursor = 0;
    loop {
        let prefix = b"user.";
        let request = Keys { prefix, cursor, limit: 100 };
        let frame = peer.answer(Request::Keys(request));
        let ToClient::Reply(_, Reply::Keys { cursor: next, keys }) =
            frame.decode::<GlobalDataWire>()
        else {
            panic!("expected a page");
        };
        assert!(keys.len() <= 100);
        found.extend(keys.iter().map(|info: &KeyInfo<'_>| {
            assert_eq!((info.tag.name(), info.size, info.ttl_ms), ("raw", 3, None));
            info.key.to_string()
        }));
        if next == 0 {
            break;
        }
        cursor = next;
    }
    let mut expected = names;
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_full_store_refuses_and_still_serves() {
    let daemon = Setup::<GlobalDataWire>::new().flag("--keys-max", "2").start();
    let mut peer = daemon.peer();
    peer.ask(set("a", ValueRef::Int(1)), stored(peer.revision(1)));
    peer.ask(set("b", ValueRef::Int(1)), stored(peer.revision(2)));
    let refusal = peer.ask_refused(set("c", ValueRef::Int(1)), Reason::LimitReached);
    assert!(refusal.text.contains("keys_max"), "{refusal}");
    peer.ask(set("a", ValueRef::Int(2)), stored(peer.revision(3)));
    peer.ask(delete("b"), Reply::Deleted { existed: true });
    peer.ask(set("c", ValueRef::Int(1)), stored(peer.revision(5)));
}
