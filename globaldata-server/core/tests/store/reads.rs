//! `get`, `get_many`, `exists`.

use crate::ask::*;
use workyard_protocol::{Encoding, ValueRef};

#[test]
fn what_was_stored_comes_back_with_its_revision() {
    let php = ValueRef::Encoded { encoding: Encoding::Php, bytes: b"a:0:{}" };
    dialogue(&[
        (get("a"), got_nothing()),
        (set("a", raw("one")), stored(1)),
        (get("a"), got(1, raw("one"))),
        (set("a", ValueRef::Int(-5)), stored(2)),
        (get("a"), got(2, ValueRef::Int(-5))),
        (set("a", ValueRef::Float(-0.0)), stored(3)),
        (get("a"), got(3, ValueRef::Float(-0.0))),
        (set("a", php), stored(4)),
        (get("a"), got(4, php)),
        (set("a", raw("")), stored(5)),
        (get("a"), got(5, raw(""))),
    ]);
}

#[test]
fn eight_bytes_of_any_kind_stay_of_their_kind() {
    let json = ValueRef::Encoded { encoding: Encoding::Json, bytes: b"12345678" };
    dialogue(&[
        (set("a", raw("12345678")), stored(1)),
        (set("a", ValueRef::Int(i64::MIN)), stored(2)),
        (get("a"), got(2, ValueRef::Int(i64::MIN))),
        (set("a", ValueRef::Float(f64::NAN)), stored(3)),
        (get("a"), got(3, ValueRef::Float(f64::NAN))),
        (set("a", json), stored(4)),
        (get("a"), got(4, json)),
    ]);
}

#[test]
fn a_key_is_any_bytes() {
    dialogue(&[
        (set("", raw("no name")), stored(1)),
        (set("\0", raw("zero")), stored(2)),
        (set("7", raw("seven")), stored(3)),
        (get("07"), got_nothing()),
        (get(""), got(1, raw("no name"))),
        (get("\0"), got(2, raw("zero"))),
        (get("7"), got(3, raw("seven"))),
    ]);
}

#[test]
fn many_come_in_the_order_asked_for() {
    dialogue(&[
        (get_many(&[]), got_many(&[])),
        (set("a", raw("A")), stored(1)),
        (set("b", ValueRef::Int(2)), stored(2)),
        (
            get_many(&["b", "none", "a", "b"]),
            got_many(&[
                entry(2, ValueRef::Int(2)),
                None,
                entry(1, raw("A")),
                entry(2, ValueRef::Int(2)),
            ]),
        ),
    ]);
}

#[test]
fn existence_is_a_revision() {
    dialogue(&[
        (exists("a"), revision(None)),
        (set("a", raw("")), stored(1)),
        (exists("a"), revision(Some(1))),
        (delete("a"), deleted(true)),
        (exists("a"), revision(None)),
    ]);
}
