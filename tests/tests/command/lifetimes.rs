//! `workyard touch|persist|ttl`, and the lifetimes that writes give.

use crate::support::{NO, USAGE, document, documents, fails};
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};
use workyard_tests::Up;

const HOUR_MS: u64 = 3_600_000;

/// How long a variable still lives, in milliseconds.
#[track_caller]
fn left(up: &Up, key: &str) -> Option<u64> {
    document(up, &format!("ttl {key}"))["ttl_ms"].as_u64()
}

#[track_caller]
fn lives_about(up: &Up, key: &str, hours: u64) {
    let left = left(up, key).unwrap_or_default();
    assert!(left <= hours * HOUR_MS && left > hours * HOUR_MS - HOUR_MS / 2, "{key}: {left}");
}

#[test]
fn each_write_gives_a_lifetime_or_keeps_the_one_there_is() {
    let up = Up::start();
    up.ask("set a 1 --ttl 1h");
    lives_about(&up, "a", 1);
    up.ask("set a 2 --keep-ttl");
    lives_about(&up, "a", 1);
    up.ask("cas a 3 --expect 2 --ttl 2h");
    lives_about(&up, "a", 2);
    up.ask("cas a 4 --expect 3 --keep-ttl");
    lives_about(&up, "a", 2);
    up.ask("set a 5");
    assert_eq!(left(&up, "a"), None);
    up.ask("add b 1 --ttl 3h");
    lives_about(&up, "b", 3);
    up.ask("incr b --ttl-if-new 1h");
    lives_about(&up, "b", 3);
    up.ask("incr b --ttl 1h");
    lives_about(&up, "b", 1);
    up.ask("incr b");
    lives_about(&up, "b", 1);
    up.ask("incr hits --ttl-if-new 1h");
    lives_about(&up, "hits", 1);
    assert!(document(&up, "get hits")["ttl_ms"].is_u64());
    fails(&up, "set a 1 --ttl 0s", USAGE, &["a ttl of 0 ms", "ten years"]);
    fails(&up, "touch a 11years", USAGE, &["ten years"]);
    for line in
        ["set a 1 --ttl soon", "set a 1 --ttl 1s --keep-ttl", "incr a --ttl 1s --ttl-if-new 1s"]
    {
        assert_eq!(up.run(line).code, Some(USAGE), "{line}");
    }
}

#[test]
fn touch_and_persist_change_it_and_ttl_tells() {
    let up = Up::start();
    up.ask("set a 1");
    assert_eq!(up.ask("ttl a"), "forever\n");
    assert_eq!(up.ask("touch a 1h"), "");
    assert!(up.ask("ttl a").starts_with("59m "));
    assert_eq!(document(&up, "touch a 2h"), json!({ "key": "a", "existed": true }));
    lives_about(&up, "a", 2);
    assert_eq!(up.ask("persist a"), "");
    let forever = json!({ "key": "a", "existed": true, "ttl_ms": null });
    assert_eq!(document(&up, "ttl a"), forever);
    for line in ["touch none 1h", "persist none", "ttl none"] {
        let exit = up.run(line);
        assert_eq!((exit.code, exit.stdout.as_str()), (Some(NO), ""), "{line}");
        assert_eq!(exit.stderr, "none does not exist\n");
        let exit = up.run(&format!("{line} --json"));
        assert_eq!((exit.code, exit.stderr.as_str()), (Some(NO), ""), "{line}");
        assert_eq!(documents(&exit.stdout), [json!({ "key": "none", "existed": false })]);
    }
}

#[test]
fn what_expires_is_gone() {
    let up = Up::start();
    up.ask("set a 1 --ttl 1ms");
    let begun = Instant::now();
    while up.run("get a").code != Some(NO) {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not expire");
    }
    assert_eq!(up.ask("keys"), "");
    assert_eq!(up.ask("incr a"), "1\n");
}

#[test]
fn keys_tells_lifetimes_at_length() {
    let up = Up::start();
    up.ask("set forever text");
    up.ask("set brief 1 --ttl 1h");
    let long = up.ask("keys --long");
    let words = |key: &str| {
        let line = long.lines().find(|line| line.ends_with(key)).expect("it is listed");
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words("forever"), ["4", "raw", "forever", "forever"]);
    let brief = words("brief");
    assert_eq!((brief[0].as_str(), brief[1].as_str()), ("8", "int"));
    assert!(brief[2].starts_with("59m"), "{brief:?}");
    assert_eq!(up.ask("keys b"), "brief\n");
    assert!(document(&up, "keys b")["ttl_ms"].as_u64().is_some_and(|left| left <= HOUR_MS));
    assert_eq!(document(&up, "keys f")["ttl_ms"], Json::Null);
}
