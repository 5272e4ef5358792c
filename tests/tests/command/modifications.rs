//! `workyard append|prepend|min|max|swap|take`, `incr` within bounds, `rate-limit`, and `del` of
//! what is expected.

use crate::support::{NO, REFUSED, USAGE, document, documents, fails};
use serde_json::json;
use workyard_tests::{Exit, Up};

#[track_caller]
fn says_no(up: &Up, line: &str, stdout: &str, stderr: &str) {
    let exit = up.run(line);
    let expected = Exit { code: Some(NO), stdout: stdout.to_owned(), stderr: stderr.to_owned() };
    assert_eq!(exit, expected, "{line}");
}

#[test]
fn text_is_put_behind_and_before() {
    let up = Up::start();
    assert_eq!(up.ask("append log 12"), "2\n");
    assert_eq!(up.ask("append log --x"), "5\n");
    assert_eq!(up.ask("prepend log 0"), "6\n");
    assert_eq!(up.ask("get log"), "012--x\n");
    assert_eq!(document(&up, "append log y"), json!({ "key": "log", "bytes": 7 }));
    let exit = up.workyard(["append", "log", "-"]).input("\nmore\n").run();
    assert_eq!(
        (exit.code, exit.stdout.as_str()),
        (Some(0), "13\n"),
        "the line's end belongs to it"
    );
    up.ask("set n 1");
    fails(&up, "append n 2", REFUSED, &["WrongKind", "int of 8 bytes"]);
    up.ask("append brief x --ttl 1h");
    assert!(document(&up, "get brief")["ttl_ms"].is_u64());
}

#[test]
fn the_least_and_the_greatest_are_kept() {
    let up = Up::start();
    assert_eq!(up.ask("max peak 5"), "5\n");
    assert_eq!(up.ask("max peak 4"), "5\n");
    assert_eq!(up.ask("max peak 5.5"), "5.5\n");
    assert_eq!(document(&up, "min peak -1"), json!({ "key": "peak", "value": -1 }));
    fails(&up, "min peak none", USAGE, &["\"none\" is not a number"]);
}

#[test]
fn incr_stays_within_its_bounds() {
    let up = Up::start();
    assert_eq!(up.ask("incr stock 3 --at-most 4"), "3\n");
    let stays = "stock: the sum would be out of bounds: the variable stays 3\n";
    says_no(&up, "incr stock 2 --at-most 4", "", stays);
    says_no(&up, "incr stock -4 --at-least 0 --at-most 4", "", stays);
    let exit = up.run("incr stock -4 --at-least 0 --json");
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(NO), ""));
    let expected = json!({ "key": "stock", "out_of_bounds": true, "value": 3 });
    assert_eq!(documents(&exit.stdout), [expected]);
    assert_eq!(up.ask("incr stock -4 --at-least 0 --clamp"), "0\n");
    fails(&up, "incr stock --clamp", USAGE, &["--at-least or --at-most"]);
    fails(&up, "incr stock --at-least 2 --at-most 1", REFUSED, &["InvalidArgument", "2", "1"]);
}

#[test]
fn swap_and_take_print_what_was_there() {
    let up = Up::start();
    says_no(&up, "swap a one", "", "a does not exist\n");
    assert_eq!(up.ask("swap a 2"), "one\n");
    assert_eq!(document(&up, "take a"), json!({ "key": "a", "value": 2, "kind": "int" }));
    says_no(&up, "take a", "", "a does not exist\n");
}

#[test]
fn rate_limit_says_whether_it_is_allowed() {
    let up = Up::start();
    let first = up.ask("rate-limit calls --most 3 --per 1h");
    assert_eq!(first, "allowed, 2 left in this window: it ends in 1h\n");
    assert_eq!(document(&up, "rate-limit calls --most 3 --per 1h")["remaining"], json!(1));
    let exit = up.run("rate-limit calls --most 3 --per 1h -n 2 --json");
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(NO), ""));
    let [verdict] = documents(&exit.stdout).try_into().expect("one verdict");
    let verdict: serde_json::Value = verdict;
    assert_eq!((&verdict["allowed"], &verdict["remaining"]), (&json!(false), &json!(1)));
    assert!(verdict["reset_in_ms"].as_u64().is_some_and(|left| left <= 3_600_000));
    assert_eq!(document(&up, "rate-limit calls --most 3 --per 1h")["remaining"], json!(0));
    assert_eq!(up.run("rate-limit calls --most 3 --per 1h").code, Some(NO));
    up.ask("set forever 1");
    let text = up.ask("rate-limit forever --most 3 --per 1h");
    assert_eq!(text, "allowed, 1 left in this window: it does not end\n");
    fails(&up, "rate-limit calls --most 3 --per 1h -n 4", USAGE, &["4 at once", "1 to 3"]);
    fails(&up, "rate-limit calls --most 3 --per 0s", USAGE, &["a ttl of 0 ms"]);
    up.ask("set text x");
    fails(&up, "rate-limit text --most 3 --per 1h", REFUSED, &["NotANumber", "text"]);
}

#[test]
fn del_may_expect_something() {
    let up = Up::start();
    up.ask("set a 1");
    let revision = document(&up, "get a")["revision"].as_u64().unwrap_or_default();
    let kept = format!("a: the variable was not as expected: it is at revision {revision}\n");
    says_no(&up, "del a --expect 2", "", &kept);
    says_no(&up, &format!("del a --revision {}", revision + 1), "", &kept);
    let exit = up.run("del a --expect 2 --json");
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(NO), ""));
    let expected = json!({ "key": "a", "existed": true, "current": revision });
    assert_eq!(documents(&exit.stdout), [expected]);
    assert_eq!(up.ask(&format!("del a --revision {revision}")), "");
    says_no(&up, "del a --expect 1", "", "");
    assert_eq!(up.run("del a --expect 1 --revision 2").code, Some(USAGE), "one of the two");
}
