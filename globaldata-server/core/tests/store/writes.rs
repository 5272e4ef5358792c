//! `write` with each expectation, and `delete`.

use crate::ask::*;
use workyard_globaldata_core::Census;
use workyard_protocol::{Encoding, ValueRef};

#[test]
fn each_write_takes_the_next_revision_whatever_its_key() {
    dialogue(&[
        (set("a", raw("1")), stored(1)),
        (set("b", raw("2")), stored(2)),
        (set("a", raw("3")), stored(3)),
        (get("b"), got(2, raw("2"))),
        (get("a"), got(3, raw("3"))),
    ]);
}

#[test]
fn the_same_value_again_is_a_write() {
    dialogue(&[(set("a", raw("1")), stored(1)), (set("a", raw("1")), stored(2))]);
}

#[test]
fn add_stores_only_what_is_absent() {
    dialogue(&[
        (add("a", raw("first")), stored(1)),
        (add("a", raw("second")), conflict(1)),
        (get("a"), got(1, raw("first"))),
        (delete("a"), deleted(true)),
        (add("a", raw("third")), stored(3)),
    ]);
}

#[test]
fn cas_stores_only_over_the_revision_named() {
    dialogue(&[
        (cas("a", 1, raw("nothing there")), conflict(0)),
        (cas("a", 0, raw("nothing there")), conflict(0)),
        (set("a", raw("one")), stored(1)),
        (cas("a", 2, raw("too new")), conflict(1)),
        (cas("a", 0, raw("too old")), conflict(1)),
        (cas("a", 1, raw("two")), stored(2)),
        (cas("a", 1, raw("too late")), conflict(2)),
        (get("a"), got(2, raw("two"))),
    ]);
}

#[test]
fn cas_notices_a_value_that_came_back() {
    dialogue(&[
        (set("a", raw("A")), stored(1)),
        (set("a", raw("B")), stored(2)),
        (set("a", raw("A")), stored(3)),
        (cas("a", 1, raw("C")), conflict(3)),
        (delete("a"), deleted(true)),
        (set("a", raw("A")), stored(5)),
        (cas("a", 3, raw("C")), conflict(5)),
    ]);
}

#[test]
fn a_value_expected_is_the_same_in_kind_and_bytes() {
    let json = ValueRef::Encoded { encoding: Encoding::Json, bytes: b"18" };
    dialogue(&[
        (swap("a", raw("18"), raw("19")), conflict(0)),
        (set("a", ValueRef::Int(18)), stored(1)),
        (swap("a", raw("18"), raw("19")), conflict(1)),
        (swap("a", ValueRef::Float(18.0), raw("19")), conflict(1)),
        (swap("a", ValueRef::Int(18), raw("18")), stored(2)),
        (swap("a", json, raw("19")), conflict(2)),
        (swap("a", raw("180"), raw("19")), conflict(2)),
        (swap("a", raw("18"), raw("18")), stored(3)),
    ]);
}

#[test]
fn floats_are_the_same_when_their_bits_are() {
    dialogue(&[
        (set("a", ValueRef::Float(0.0)), stored(1)),
        (swap("a", ValueRef::Float(-0.0), raw("x")), conflict(1)),
        (swap("a", ValueRef::Float(0.0), ValueRef::Float(f64::NAN)), stored(2)),
        (swap("a", ValueRef::Float(f64::NAN), raw("x")), stored(3)),
    ]);
}

#[test]
fn delete_takes_a_revision_when_there_was_something() {
    dialogue(&[
        (delete("a"), deleted(false)),
        (set("a", raw("1")), stored(1)),
        (delete("a"), deleted(true)),
        (delete("a"), deleted(false)),
        (get("a"), got_nothing()),
        (set("a", raw("2")), stored(3)),
    ]);
}

#[test]
fn the_census_counts_keys_values_and_overhead() {
    let store = dialogue(&[
        (set("ab", raw("12345")), stored(1)),
        (set("cd", ValueRef::Int(0)), stored(2)),
        (set("gone", raw("x")), stored(3)),
        (delete("gone"), deleted(true)),
    ]);
    let bytes = (2 + 5 + 64) + (2 + 8 + 64);
    assert_eq!(store.census(), Census { keys: 2, bytes, revision: 4 });
}
