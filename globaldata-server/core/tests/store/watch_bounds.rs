//! `watch`: how much of it there may be, and how much of the server's time it takes at once.

use crate::ask::*;
use crate::listeners::*;
use std::time::{Duration, Instant};
use workyard_globaldata_core::{StoreLimits, WATCH_OVERHEAD_BYTES};
use workyard_protocol::globaldata::{Request, Unwatch, WatchTopic};
use workyard_protocol::limits::LIST_ITEMS_MAX;
use workyard_protocol::{Reason, ValueRef};

fn int(value: i64) -> ValueRef<'static> {
    ValueRef::Int(value)
}

fn unwatch<'a>(topics: &[WatchTopic<'a>]) -> Request<'a> {
    Request::Unwatch(Unwatch { topics: topics.to_vec() })
}

fn portions_of(changes: usize) -> Stage {
    Stage::new(StoreLimits { watch_portion_changes_max: changes, ..StoreLimits::default() })
}

#[test]
fn watches_have_limits() {
    let limits = StoreLimits { session_watches_max: 2, watches_max: 3, ..StoreLimits::default() };
    let mut stage = Stage::new(limits);
    stage.say(1, watch(&[on_key("a"), on_key("a"), on_prefix("a")]));
    assert_eq!(stage.say(1, watch(&[on_key("a")])), ["1: watching from 0"], "nothing new");
    assert_eq!(
        stage.say(1, watch(&[on_key("b")])),
        ["1: LimitReached: 3 watches are above session_watches_max, 2: end some first"]
    );
    // What is live may be there twice for a while, but not more often.
    let (a, prefix) = (on_key("a"), on_prefix("a"));
    for (topics, expected) in [([a, prefix], None), ([a, on_key("b")], Some(Reason::LimitReached))]
    {
        assert_eq!(reason(&stage.ask(1, watch_after(&topics, 5, 0))), expected);
    }
    assert_eq!(
        stage.say(2, watch(&[on_key("a"), on_key("b")])),
        ["2: LimitReached: 4 watches are above watches_max, 3: end some first"]
    );
    assert_eq!(stage.say(2, watch(&[on_key("a")])), ["2: watching from 0"]);
    stage.close(1);
    assert_eq!(stage.say(3, watch(&[on_key("a"), on_key("b")])), ["3: watching from 0"]);
}

#[test]
fn what_is_watched_twice_for_a_while_is_counted_once_in_the_end() {
    let limits = StoreLimits { session_watches_max: 2, ..StoreLimits::default() };
    let mut stage = Stage::new(limits);
    stage.say(1, watch(&[on_key("a")]));
    for number in 5..9 {
        assert_eq!(stage.ask(1, watch_after(&[on_key("a")], number, 0)).len(), 2);
    }
    stage.say(1, Request::Unwatch(Unwatch { topics: vec![on_key("a")] }));
    assert_eq!(stage.say(1, watch(&[on_key("b"), on_key("c")])), ["1: watching from 0"]);
}

/// What a topic counts.
fn bytes(name: &str) -> usize {
    2 * name.len() + WATCH_OVERHEAD_BYTES
}

#[test]
fn names_of_watches_have_limits_in_bytes() {
    let long = "x".repeat(1000);
    let session_watch_bytes_max = bytes(&long) + bytes("a");
    let watch_bytes_max = session_watch_bytes_max + bytes("b");
    let limits = StoreLimits { session_watch_bytes_max, watch_bytes_max, ..StoreLimits::default() };
    let mut stage = Stage::new(limits);
    assert_eq!(stage.say(1, watch(&[on_prefix(&long), on_key("a")])), ["1: watching from 0"]);
    assert_eq!(stage.say(1, watch(&[on_prefix(&long)])), ["1: watching from 0"], "nothing new");
    let above = bytes(&long) + bytes("a") + bytes("b");
    assert_eq!(
        stage.say(1, watch(&[on_key("b")])),
        [format!(
            "1: LimitReached: {above} bytes of watches are above session_watch_bytes_max, \
             {session_watch_bytes_max}: end some first"
        )]
    );
    let above = above + bytes("a");
    assert_eq!(
        stage.say(2, watch(&[on_key("a"), on_key("b")])),
        [format!(
            "2: LimitReached: {above} bytes of watches are above watch_bytes_max, \
             {watch_bytes_max}: end some first"
        )]
    );
    assert_eq!(stage.say(2, watch(&[on_key("a")])), ["2: watching from 0"]);
    assert_eq!(stage.say(1, unwatch(&[on_prefix(&long)])), ["1: 1 unwatched"]);
    assert_eq!(stage.say(1, watch(&[on_key("b")])), ["1: watching from 0"]);
    stage.close(1);
    assert_eq!(stage.say(2, watch(&[on_prefix(&long)])), ["2: watching from 0"]);
}

/// In whichever way topics end, they count no more.
#[test]
fn nothing_that_has_ended_is_counted() {
    let limits = StoreLimits {
        watch_log_changes_max: 2,
        session_watch_bytes_max: bytes("a") + bytes("b"),
        ..StoreLimits::default()
    };
    let mut stage = Stage::new(limits);
    let both = [on_key("a"), on_prefix("b")];
    stage.say(1, watch(&both));
    stage.fill(1);
    for value in 1..=3 {
        stage.say(2, set("a", int(value)));
    }
    assert_eq!(words(&stage.drain(1)), ["1: compacted up to 1"]);
    stage.fill(1);
    assert_eq!(stage.say(1, watch_after(&both, 5, 3)), ["1: watching from 3"]);
    for value in 4..=6 {
        stage.say(2, set("a", int(value)));
    }
    assert_eq!(words(&stage.drain(1)), ["1: [5] compacted up to 4"]);
    stage.fill(1);
    assert_eq!(stage.say(1, watch_after(&both, 6, 6)), ["1: watching from 6"]);
    assert_eq!(stage.say(1, unwatch(&both)), ["1: 2 unwatched"]);
    assert_eq!(stage.say(1, watch(&both)), ["1: watching from 6"]);
    assert_eq!(reason(&stage.ask(1, watch(&[on_key("c")]))), Some(Reason::LimitReached));
}

#[test]
fn long_replays_come_in_portions_with_others_served_in_between() {
    let mut stage = portions_of(2);
    stage.say(1, watch(&[on_key("b")]));
    for value in 1..=5 {
        stage.say(2, set("a", int(value)));
    }
    assert_eq!(stage.say(1, watch_after(&[on_key("a")], 5, 0)).len(), 3);
    assert_eq!(stage.say(2, set("b", int(6))), ["1: b = 6 @6", "2: done"], "live meanwhile");
    assert_eq!(words(&stage.pass(0)), ["1: [5] a = 3 @3", "1: [5] a = 4 @4"]);
    assert_eq!(words(&stage.pass(0)), ["1: [5] a = 5 @5", "1: [5] live, told up to 6"]);
    assert_eq!(words(&stage.pass(0)), [""; 0]);
}

/// Two of 300 bytes are as many as four short ones.
#[test]
fn long_changes_count_as_several() {
    let long = "x".repeat(300);
    let mut stage = portions_of(4);
    stage.say(1, watch(&[on_key("unrelated")]));
    for _ in 0..4 {
        stage.say(2, set("a", raw(&long)));
        stage.say(2, set(&long, int(1)));
    }
    let mut heard = vec![stage.ask(1, watch_after(&[on_key("a")], 5, 0))[1..].to_vec()];
    heard.extend((0..3).map(|_| stage.pass(0)));
    let lengths: Vec<usize> = heard.iter().map(Vec::len).collect();
    assert_eq!(lengths, [1, 1, 1, 2], "each time one is told and one passed; then it is live");
}

#[test]
fn topics_that_become_live_count_too() {
    let mut stage = portions_of(3);
    stage.fill(1);
    let names = [on_key("a"), on_key("b")];
    for watch in 5..9 {
        stage.say(1, watch_after(&names, watch, 0));
    }
    let live = |watch: u32| format!("1: [{watch}] live, told up to 0");
    assert_eq!(words(&stage.drain(1)), [live(5), live(6)]);
    assert_eq!(words(&stage.pass(0)), [live(7), live(8)]);
    assert_eq!(words(&stage.pass(0)), [""; 0]);
}

#[test]
fn without_room_not_even_an_end_is_told() {
    let mut stage = portions_of(100);
    stage.fill(1);
    assert_eq!(stage.say(1, watch_after(&[on_key("a")], 5, 0)), ["1: watching from 0"]);
    assert_eq!(words(&stage.pass(0)), [""; 0]);
    assert_eq!(words(&stage.drain(1)), ["1: [5] live, told up to 0"]);
}

/// Who has a portion already while it waits for another does not wait in two places.
#[test]
fn portions_go_round() {
    let mut stage = portions_of(1);
    stage.say(1, watch(&[on_key("unrelated")]));
    for value in 1..=9 {
        stage.say(2, set("a", int(value)));
    }
    for number in 5..8 {
        stage.say(1, watch_after(&[on_key("a")], number, 0));
    }
    stage.say(3, watch_after(&[on_key("a")], 5, 0));
    let heard: Vec<_> = (0..4).flat_map(|_| words(&stage.pass(0))).collect();
    let expected = ["1: [5] a = 4 @4", "3: [5] a = 2 @2", "1: [5] a = 5 @5", "3: [5] a = 3 @3"];
    assert_eq!(heard, expected);
}

/// It took time for each topic and each that is to be told again.
#[test]
fn ending_topics_takes_time_for_those_alone() {
    let began = Instant::now();
    let mut stage = portions_of(1_000_000);
    stage.say(1, watch(&[on_key("unrelated")]));
    stage.fill(1);
    stage.say(2, set("all", int(1)));
    let names: Vec<String> = (0..20_000).map(|number| format!("{number}")).collect();
    for (watch, name) in (1..).zip(&names) {
        stage.say(1, watch_after(&[on_key("all"), on_prefix(name)], watch, 0));
    }
    let others: Vec<String> = (0..LIST_ITEMS_MAX).map(|number| format!("no {number}")).collect();
    let others: Vec<_> = others.iter().map(|name| on_key(name)).collect();
    assert_eq!(stage.say(1, unwatch(&others)), ["1: 0 unwatched"]);
    assert_eq!(stage.say(1, unwatch(&[on_key("all")])), ["1: 1 unwatched"]);
    assert_eq!(stage.drain(1).len(), names.len(), "each becomes live for itself");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// Each of these prefixes was once looked at for each change, as all but its last byte fits.
#[test]
fn prefixes_that_nearly_fit_cost_a_change_nothing() {
    let began = Instant::now();
    let mut stage = portions_of(1_000_000);
    let key = "b".repeat(2000);
    let names: Vec<String> = (0..key.len()).map(|place| key[..place].to_owned() + "a").collect();
    let topics: Vec<_> = names.iter().map(|name| on_prefix(name)).collect();
    assert_eq!(stage.say(1, watch(&topics)), ["1: watching from 0"]);
    for value in 0..500 {
        assert!(stage.ask(2, set(&key, int(value))).len() <= 2, "how far it is, now and then");
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
