//! `workyard get|set|add|cas|incr|del|keys`.

use crate::support::{NO, REFUSED, USAGE, document, documents, fails};
use serde_json::json;
use workyard_tests::{Endpoint, Exit, GlobalDataPeer, Up};

/// The revision of a write, the first being 1.
#[track_caller]
fn revision(up: &Up, write: u64) -> u64 {
    let mut peer = GlobalDataPeer::connect(&Endpoint::parse(up.globaldata()));
    peer.hello();
    peer.revision(write)
}

/// An answer that is no, and says why to people alone.
#[track_caller]
fn says_no(up: &Up, line: &str, stdout: &str, stderr: &str) {
    let exit = up.run(line);
    let expected = Exit { code: Some(NO), stdout: stdout.to_owned(), stderr: stderr.to_owned() };
    assert_eq!(exit, expected, "{line}");
}

#[test]
fn what_is_set_is_printed() {
    let up = Up::start();
    assert_eq!(up.ask("set colour green"), "");
    assert_eq!(up.ask("get colour"), "green\n");
    assert_eq!(up.ask("set count 41"), "");
    assert_eq!(up.ask("set share -1.50"), "");
    assert_eq!(up.ask("get count share colour"), "41\n-1.5\ngreen\n");
    says_no(&up, "get count none colour", "41\ngreen\n", "none does not exist\n");
    let [first, second, fourth] = [1, 2, 4].map(|write| revision(&up, write));
    let expected = json!({ "key": "colour", "value": "green", "kind": "raw", "revision": first, "ttl_ms": null });
    assert_eq!(document(&up, "get colour"), expected);
    let exit = up.run("get count none --json");
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(NO), ""));
    let count =
        json!({ "key": "count", "value": 41, "kind": "int", "revision": second, "ttl_ms": null });
    assert_eq!(documents(&exit.stdout), [count, json!({ "key": "none", "value": null })]);
    assert_eq!(document(&up, "set colour blue"), json!({ "key": "colour", "revision": fourth }));
}

#[test]
fn values_are_of_the_kind_that_is_said() {
    let up = Up::start();
    for (value, kind, expected) in [
        ("5", "auto", json!(5)),
        ("5", "text", json!("5")),
        ("5", "float", json!(5.0)),
        ("-5", "int", json!(-5)),
        ("[5,{}]", "json", json!([5, {}])),
        ("007", "auto", json!("007")),
    ] {
        up.ask(&format!("set key {value} --as {kind}"));
        assert_eq!(document(&up, "get key")["value"], expected, "{value} as {kind}");
    }
    fails(&up, "set key five --as int", USAGE, &["\"five\" is not an integer"]);
    fails(&up, "set key {\"a\" --as json", USAGE, &["no JSON"]);
    let exit = up.workyard(["set", "key", "-"]).input("two\nlines\n").run();
    assert_eq!(exit.code, Some(0), "{exit:?}");
    assert_eq!(up.ask("get key"), "two\nlines\n");
}

#[test]
fn add_is_for_what_does_not_exist() {
    let up = Up::start();
    assert_eq!(up.ask("add leader me"), "");
    says_no(&up, "add leader you", "", "leader exists already\n");
    assert_eq!(up.ask("get leader"), "me\n");
    let exit = up.run("add leader you --json");
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(NO), ""));
    assert_eq!(documents(&exit.stdout), [json!({ "key": "leader", "added": false })]);
    assert_eq!(document(&up, "add other you"), json!({ "key": "other", "added": true }));
}

#[test]
fn cas_is_for_what_is_as_expected() {
    let up = Up::start();
    let [first, second, third, fourth, fifth] = [1, 2, 3, 4, 5].map(|write| revision(&up, write));
    up.ask("set state new");
    assert_eq!(up.ask("cas state open --expect new"), format!("{second}\n"));
    let conflict = format!("state: the variable was not as expected: it is at revision {second}\n");
    says_no(&up, "cas state open --expect new", "", &conflict);
    says_no(&up, &format!("cas state open --revision {first}"), "", &conflict);
    let closed = up.ask(&format!("cas state closed --revision {second}"));
    assert_eq!(closed, format!("{third}\n"));
    assert_eq!(up.ask("get state"), "closed\n");
    assert_eq!(up.ask("cas other first --revision 0"), format!("{fourth}\n"));
    let none = "none: the variable was not as expected: it does not exist\n";
    says_no(&up, "cas none x --expect new", "", none);
    let exit = up.run(&format!("cas state open --revision {second} --json"));
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(NO), ""));
    let current = json!({ "key": "state", "stored": false, "current": third });
    assert_eq!(documents(&exit.stdout), [current]);
    let stored = json!({ "key": "state", "stored": true, "revision": fifth });
    assert_eq!(document(&up, &format!("cas state open --revision {third}")), stored);
    assert_eq!(up.run("cas state open").code, Some(USAGE), "expecting what?");
    let both = up.run("cas state open --revision 3 --expect new");
    assert_eq!(both.code, Some(USAGE), "one of the two");
}

#[test]
fn incr_counts() {
    let up = Up::start();
    assert_eq!(up.ask("incr visits"), "1\n");
    assert_eq!(up.ask("incr visits 41"), "42\n");
    assert_eq!(up.ask("incr visits -2"), "40\n");
    assert_eq!(up.ask("incr visits 0.5"), "40.5\n");
    assert_eq!(up.ask("incr stock -1 --initial 10"), "9\n");
    assert_eq!(document(&up, "incr stock"), json!({ "key": "stock", "value": 10 }));
    fails(&up, "incr none --existing", REFUSED, &["NotFound", "none"]);
    fails(&up, "incr stock many", USAGE, &["\"many\" is not a number"]);
    up.ask("set name tom");
    fails(&up, "incr name", REFUSED, &["NotANumber", "name"]);
    fails(&up, "incr stock 9223372036854775807", REFUSED, &["OutOfRange"]);
    assert_eq!(up.ask("get stock"), "10\n");
}

#[test]
fn del_says_whether_there_was_something() {
    let up = Up::start();
    up.ask("set one 1");
    up.ask("set two 2");
    assert_eq!(up.ask("del one"), "");
    assert_eq!(up.run("del one").code, Some(NO));
    let exit = up.run("del one two --json");
    assert_eq!(exit.code, Some(NO), "not all existed");
    let expected =
        [json!({ "key": "one", "existed": false }), json!({ "key": "two", "existed": true })];
    assert_eq!(documents(&exit.stdout), expected);
    assert_eq!(up.ask("keys"), "");
}

#[test]
fn keys_lists_them() {
    let up = Up::start();
    for name in ["user:1", "user:2", "other"] {
        up.ask(&format!("set {name} 12345"));
    }
    let sorted = |text: String| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(sorted(up.ask("keys")), ["other", "user:1", "user:2"]);
    assert_eq!(sorted(up.ask("keys user:")), ["user:1", "user:2"]);
    assert_eq!(up.ask("keys none"), "");
    assert_eq!((up.ask("count").trim(), up.ask("count user:").trim()), ("3", "2"));
    assert_eq!(document(&up, "count none"), json!({ "count": 0 }));
    let expected = json!({ "key": "other", "kind": "int", "bytes": 8, "revision": revision(&up, 3), "ttl_ms": null });
    assert_eq!(document(&up, "keys o"), expected);
}
