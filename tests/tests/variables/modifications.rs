//! Variables that are changed by what they hold: many at once, and what is refused.

use std::thread;
use workyard_protocol::globaldata::{
    AddWithin, Delete, Expect, Expiry, Modification, Modified, Modify, Outcome, Reply, Request,
};
use workyard_protocol::{Number, Reason, ToClient, ValueRef};
use workyard_tests::words::{conflict, get, got, key, set, stored};
use workyard_tests::{Daemon, GlobalDataPeer, GlobalDataWire, Setup};

fn modify<'a>(name: &'a str, modification: Modification<'a>) -> Request<'a> {
    Request::Modify(Modify { key: key(name), expiry: Expiry::Keep, modification })
}

fn sell(count: i64) -> Modification<'static> {
    let (by, initial) = (Number::Int(-count), None);
    let (least, greatest, clamp) = (Some(Number::Int(0)), None, false);
    Modification::AddWithin(AddWithin { by, initial, least, greatest, clamp })
}

fn modified(revision: u64, outcome: Outcome<'_>) -> Reply<'_> {
    Reply::Modified(Modified { revision, ttl_ms: None, outcome })
}

fn daemon() -> Daemon<GlobalDataWire> {
    Setup::new().start()
}

#[test]
fn each_tells_what_it_did() {
    let daemon = daemon();
    let mut peer = daemon.peer();
    let [first, second, third, fourth, fifth] = [1, 2, 3, 4, 5].map(|write| peer.revision(write));
    let length = |revision, length| modified(revision, Outcome::Length(length));
    let number = |revision, int| modified(revision, Outcome::Number(Number::Int(int)));
    peer.ask(modify("log", Modification::Append(b"one")), length(first, 3));
    peer.ask(modify("log", Modification::Prepend(b"0,")), length(second, 5));
    peer.ask(get("log"), got(second, ValueRef::raw("0,one")));
    peer.ask(modify("peak", Modification::Max(Number::Int(5))), number(third, 5));
    peer.ask(modify("peak", Modification::Max(Number::Int(4))), number(third, 5));
    peer.ask(modify("peak", Modification::Min(Number::Int(4))), number(fourth, 4));
    let five = modified(fourth, Outcome::OutOfBounds(Number::Int(4)));
    peer.ask(modify("peak", sell(5)), five);
    let old = Outcome::Values(vec![ValueRef::Int(4)]);
    peer.ask(modify("peak", Modification::Take), modified(fifth, old));
    peer.ask(modify("peak", Modification::Take), modified(0, Outcome::Values(vec![])));
}

#[test]
fn a_stock_is_sold_exactly_once() {
    const SELLERS: i64 = 8;
    const STOCK: i64 = 500;
    let daemon = daemon();
    let mut peer = daemon.peer();
    peer.ask(set("stock", ValueRef::Int(STOCK)), stored(peer.revision(1)));
    let mut sellers: Vec<GlobalDataPeer> = (0..SELLERS).map(|_| daemon.peer()).collect();
    let sold: i64 = thread::scope(|scope| {
        let selling = sellers.iter_mut().map(|seller| scope.spawn(|| sell_out(seller)));
        let selling: Vec<_> = selling.collect();
        selling.into_iter().map(|seller| seller.join().expect("it sold")).sum()
    });
    assert_eq!(sold, STOCK, "each piece once, none too many");
    peer.ask(get("stock"), got(peer.revision(STOCK as u64 + 1), ValueRef::Int(0)));
}

/// Sells one by one until there are none. How many it sold.
fn sell_out(seller: &mut GlobalDataPeer) -> i64 {
    let mut sold = 0;
    loop {
        let frame = seller.answer(modify("stock", sell(1)));
        match frame.decode::<GlobalDataWire>() {
            ToClient::Reply(_, Reply::Modified(modified)) => match modified.outcome {
                Outcome::OutOfBounds(left) => {
                    assert_eq!(left, Number::Int(0));
                    return sold;
                }
                outcome => assert!(matches!(outcome, Outcome::Number(_)), "{outcome:?}"),
            },
            other => panic!("no sale: {other:?}"),
        }
        sold += 1;
    }
}

#[test]
fn a_refused_modification_costs_its_sender_only_itself() {
    let daemon = Setup::new().flag("--modify-bytes-max", "8").start();
    let mut peer = daemon.peer();
    let revision = peer.revision(1);
    peer.ask(set("n", ValueRef::Int(1)), stored(revision));
    for (name, modification, reason, text) in [
        ("n", Modification::Append(b"x"), Reason::WrongKind, "int of 8 bytes"),
        ("n", Modification::Max(Number::Float(f64::NAN)), Reason::InvalidArgument, "NaN"),
        ("t", Modification::Append(b"123456789"), Reason::LimitReached, "modify_bytes_max, 8"),
    ] {
        let refusal = peer.ask_refused(modify(name, modification), reason);
        assert!(refusal.text.contains(text), "{refusal}");
    }
    let expect = Expect::Value(ValueRef::raw("1"));
    peer.ask(Request::Delete(Delete { key: key("n"), expect }), conflict(revision));
    peer.ask(get("n"), got(revision, ValueRef::Int(1)));
}
