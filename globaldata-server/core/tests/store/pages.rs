//! `keys`, `entries` and `count`: pages, their bounds, and scans while others write.

use crate::ask::*;
use std::collections::BTreeMap;
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{KeyInfo, Reply};
use workyard_protocol::limits::{HEADER_BYTES_MAX, NAME_BYTES_MAX};
use workyard_protocol::{Encoding, ValueRef, ValueTag};

const RAW: ValueTag = ValueTag::Encoded(Encoding::Raw);

fn info(name: &str, revision: u64, tag: ValueTag, size: u32) -> KeyInfo<'_> {
    KeyInfo { key: key(name), revision, tag, size, ttl_ms: None }
}

#[test]
fn an_empty_store_has_one_empty_page() {
    dialogue(&[(page("", 0, 10), listed(0, &[])), (page("", 77, 10), listed(0, &[]))]);
}

#[test]
fn a_page_tells_revision_kind_and_size() {
    dialogue(&[
        (set("a", raw("12345")), stored(1)),
        (set("b", ValueRef::Int(5)), stored(2)),
        (set("other", ValueRef::Float(0.5)), stored(3)),
        (
            page("", 0, 10),
            listed(
                0,
                &[
                    info("a", 1, RAW, 5),
                    info("b", 2, ValueTag::Int, 8),
                    info("other", 3, ValueTag::Float, 8),
                ],
            ),
        ),
    ]);
}

#[test]
fn the_cursor_leads_from_page_to_page() {
    dialogue(&[
        (set("a", raw("")), stored(1)),
        (set("b", raw("")), stored(2)),
        (set("c", raw("")), stored(3)),
        (page("", 0, 2), listed(2, &[info("a", 1, RAW, 0), info("b", 2, RAW, 0)])),
        (page("", 2, 2), listed(0, &[info("c", 3, RAW, 0)])),
        (
            page("", 0, 3),
            listed(0, &[info("a", 1, RAW, 0), info("b", 2, RAW, 0), info("c", 3, RAW, 0)]),
        ),
    ]);
}

#[test]
fn a_prefix_is_how_keys_begin() {
    dialogue(&[
        (set("user:1", raw("")), stored(1)),
        (set("group:1", raw("")), stored(2)),
        (set("user", raw("")), stored(3)),
        (page("user:", 0, 10), listed(0, &[info("user:1", 1, RAW, 0)])),
        (page("user", 0, 1), listed(2, &[info("user:1", 1, RAW, 0)])),
        (page("none", 0, 10), listed(0, &[])),
    ]);
}

#[test]
fn any_cursor_is_answered() {
    let beyond = u64::from(u32::MAX) + 1;
    dialogue(&[
        (set("a", raw("")), stored(1)),
        (page("", 1, 10), listed(0, &[])),
        (page("", 1025, 10), listed(0, &[])),
        (page("", u64::from(u32::MAX), 10), listed(0, &[])),
        (page("", beyond, 10), listed(0, &[])),
        (page("", u64::MAX, 10), listed(0, &[])),
    ]);
}

#[test]
fn a_page_looks_at_so_many_slots_only() {
    let limits = StoreLimits { scan_slots_max: 2, ..StoreLimits::default() };
    dialogue_within(
        limits,
        &[
            (set("x1", raw("")), stored(1)),
            (set("x2", raw("")), stored(2)),
            (set("x3", raw("")), stored(3)),
            (set("y", raw("")), stored(4)),
            (page("y", 0, 10), listed(2, &[])),
            (page("y", 2, 10), listed(0, &[info("y", 4, RAW, 0)])),
        ],
    );
}

#[test]
fn a_page_fits_into_the_reply() {
    let limits = StoreLimits { reply_bytes_max: 130, ..StoreLimits::default() };
    let long = "k".repeat(200);
    dialogue_within(
        limits,
        &[
            (set("a", raw("")), stored(1)),
            (set("b", raw("")), stored(2)),
            (set("c", raw("")), stored(3)),
            (set("d", raw("")), stored(4)),
            (set(&long, raw("")), stored(5)),
            (
                page("", 0, 10),
                listed(3, &[info("a", 1, RAW, 0), info("b", 2, RAW, 0), info("c", 3, RAW, 0)]),
            ),
            (page("", 3, 10), listed(4, &[info("d", 4, RAW, 0)])),
            (page("", 4, 10), listed(0, &[info(&long, 5, RAW, 0)])),
        ],
    );
}

/// The longest keys there may be: `ask` decodes each page as a client would, header limit included.
#[test]
fn a_page_of_the_longest_keys_can_be_read() {
    let mut store = Store::new(StoreLimits::default());
    let names: Vec<String> = (0..600).map(|number| format!("{number:04096}")).collect();
    assert_eq!(names[0].len(), NAME_BYTES_MAX);
    for name in &names {
        ask(&mut store, set(name, raw("")), |_| ());
    }
    let mut cursor = 0;
    let mut total = 0;
    loop {
        let (next, count) = ask(&mut store, page("", cursor, 1000), |answer| match answer {
            Answer::Reply(Reply::Keys { cursor, keys }) => (cursor, keys.len()),
            other => panic!("no page: {other:?}"),
        });
        assert!(count * NAME_BYTES_MAX <= HEADER_BYTES_MAX);
        total += count;
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(total, names.len());
}

#[test]
fn entries_are_listed_with_values_and_lifetimes() {
    let expiring_user = || expiring(after(50), set("user:1", raw("tom")));
    dialogue_in_time(
        StoreLimits::default(),
        &[
            (0, entries("", 0, 10), listed_entries(0, &[])),
            (0, expiring_user(), stored(1)),
            (0, set("group", ValueRef::Float(0.5)), stored(2)),
            (0, set("user:2", ValueRef::Int(-7)), stored(3)),
            (
                20,
                entries("", 0, 10),
                listed_entries(
                    0,
                    &[
                        ("user:1", entry_for(1, 30, raw("tom"))),
                        ("group", entry(2, ValueRef::Float(0.5))),
                        ("user:2", entry(3, ValueRef::Int(-7))),
                    ],
                ),
            ),
            (
                50,
                entries("user:", 0, 10),
                listed_entries(0, &[("user:2", entry(3, ValueRef::Int(-7)))]),
            ),
            (50, entries("user:2", u64::MAX, 10), listed_entries(0, &[])),
        ],
    );
}

#[test]
fn entries_come_page_by_page() {
    let limits = StoreLimits { scan_slots_max: 3, ..StoreLimits::default() };
    let all = [("a", entry(1, raw("1"))), ("b", entry(2, raw("2"))), ("c", entry(3, raw("3")))];
    dialogue_within(
        limits,
        &[
            (set("a", raw("1")), stored(1)),
            (set("b", raw("2")), stored(2)),
            (set("c", raw("3")), stored(3)),
            (set("d", raw("4")), stored(4)),
            (entries("", 0, 2), listed_entries(2, &all[..2])),
            (entries("", 0, 10), listed_entries(3, &all)),
            (entries("d", 0, 10), listed_entries(3, &[])),
            (entries("d", 3, 10), listed_entries(0, &[("d", entry(4, raw("4")))])),
            (delete("b"), deleted(true)),
            (entries("", 1, 1), listed_entries(3, &all[2..])),
        ],
    );
}

/// Values count too; one that is larger than a page comes alone.
#[test]
fn a_page_of_entries_fits_into_the_reply() {
    let limits = StoreLimits { reply_bytes_max: 200, ..StoreLimits::default() };
    let (half, large) = ("h".repeat(50), "l".repeat(300));
    dialogue_within(
        limits,
        &[
            (set("a", raw(&half)), stored(1)),
            (set("b", raw(&half)), stored(2)),
            (set("c", raw(&large)), stored(3)),
            (set("d", raw("")), stored(4)),
            (
                entries("", 0, 10),
                listed_entries(2, &[("a", entry(1, raw(&half))), ("b", entry(2, raw(&half)))]),
            ),
            (entries("", 2, 10), listed_entries(3, &[("c", entry(3, raw(&large)))])),
            (entries("", 3, 10), listed_entries(0, &[("d", entry(4, raw("")))])),
        ],
    );
}

/// The header is bounded apart from the values.
#[test]
fn a_page_of_entries_of_the_longest_keys_can_be_read() {
    let mut store = Store::new(StoreLimits::default());
    let names: Vec<String> = (0..600).map(|number| format!("{number:04096}")).collect();
    for name in &names {
        ask(&mut store, set(name, raw("value")), |_| ());
    }
    let (mut cursor, mut total) = (0, 0);
    loop {
        cursor = ask(&mut store, entries("", cursor, 1000), |answer| match answer {
            Answer::Reply(Reply::Entries { cursor, entries }) => {
                assert!(entries.len() * NAME_BYTES_MAX <= HEADER_BYTES_MAX);
                assert!(entries.iter().all(|(_, entry)| entry.value == raw("value")));
                total += entries.len();
                cursor
            }
            other => panic!("no page: {other:?}"),
        });
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(total, names.len());
}

#[test]
fn variables_are_counted_by_how_they_begin() {
    dialogue_in_time(
        StoreLimits::default(),
        &[
            (0, count("", 0), counted(0, 0)),
            (0, expiring(after(50), set("user:1", raw(""))), stored(1)),
            (0, set("user:2", raw("")), stored(2)),
            (0, set("group", raw("")), stored(3)),
            (0, count("", 0), counted(0, 3)),
            (0, count("user:", 0), counted(0, 2)),
            (0, count("user:2", 0), counted(0, 1)),
            (0, count("user:22", 0), counted(0, 0)),
            (50, count("user:", 0), counted(0, 1)),
            (50, count("", u64::MAX), counted(0, 0)),
        ],
    );
}

#[test]
fn counting_goes_portion_by_portion() {
    let limits = StoreLimits { scan_slots_max: 2, ..StoreLimits::default() };
    dialogue_within(
        limits,
        &[
            (set("x1", raw("")), stored(1)),
            (set("y1", raw("")), stored(2)),
            (set("x2", raw("")), stored(3)),
            (set("y2", raw("")), stored(4)),
            (set("x3", raw("")), stored(5)),
            (count("x", 0), counted(2, 1)),
            (count("x", 2), counted(4, 1)),
            (count("x", 4), counted(0, 1)),
            (delete("x1"), deleted(true)),
            (count("", 0), counted(2, 1)),
        ],
    );
}

/// Every other page, half of the keys are deleted, written again, or replaced by others.
#[test]
fn what_exists_throughout_is_listed_exactly_once() {
    let mut store = Store::new(StoreLimits::default());
    let stays: Vec<String> = (0..3000).map(|number| format!("stays{number}")).collect();
    let goes: Vec<String> = (0..3000).map(|number| format!("goes{number}")).collect();
    for (stay, go) in stays.iter().zip(&goes) {
        ask(&mut store, set(stay, raw("1")), |_| ());
        ask(&mut store, set(go, raw("1")), |_| ());
    }
    let mut listed: BTreeMap<String, u32> = BTreeMap::new();
    let mut cursor = 0;
    for round in 0.. {
        cursor = ask(&mut store, page("", cursor, 100), |answer| match answer {
            Answer::Reply(Reply::Keys { cursor, keys }) => {
                for info in keys {
                    *listed.entry(info.key.to_string()).or_default() += 1;
                }
                cursor
            }
            other => panic!("no page: {other:?}"),
        });
        if cursor == 0 {
            break;
        }
        for name in goes.iter().skip(round % 2).step_by(2) {
            ask(&mut store, delete(name), |_| ());
        }
        for name in goes.iter().skip(round % 3).step_by(3) {
            ask(&mut store, set(name, raw("again")), |_| ());
        }
        for name in stays.iter().skip(round % 7).step_by(7) {
            ask(&mut store, set(name, raw("another length")), |_| ());
        }
    }
    for name in &stays {
        assert_eq!(listed.get(name), Some(&1), "{name}");
    }
}
