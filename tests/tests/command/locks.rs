//! `workyard lock` and `workyard locks`.

use crate::support::{FAILED, NO, REFUSED, USAGE, document, documents, fails};
use rustix::process::Signal;
use serde_json::json;
use workyard_tests::{Running, Up, eventually};

/// A process that holds a lock until its input ends. It prints its token.
fn holder(up: &Up, flags: &[&str]) -> Running {
    let command = ["--", "sh", "-c", "echo $WORKYARD_LOCK_TOKEN; exec cat"];
    let holder = up.workyard([&["lock", "mail"], flags, &command].concat()).start();
    eventually("it holds the lock", || !holder.stdout().lines().is_empty());
    holder
}

fn token(holder: &Running) -> u64 {
    holder.stdout().lines()[0].parse().expect("a token")
}

#[test]
fn a_command_runs_under_a_lock_and_its_code_is_the_code() {
    let up = Up::start();
    let script = "echo $WORKYARD_LOCK has $WORKYARD_LOCK_TOKEN; cat; exit 7";
    let exit = up.workyard(["lock", "mail", "--", "sh", "-c", script]).input("more\n").run();
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(7), ""));
    let (first, rest) = exit.stdout.split_once('\n').expect("two lines");
    let token: u64 = first.strip_prefix("mail has ").expect("its name").parse().expect("a number");
    assert!(token > 0 && rest == "more\n", "{}", exit.stdout);
    let exit = up.workyard(["lock", "mail", "--", "sh", "-c", "kill -KILL $$"]).run();
    assert_eq!(exit.code, Some(128 + 9));
    assert_eq!(up.ask("locks"), "", "it is given back");
}

#[test]
fn a_lock_that_others_hold_is_waited_for() {
    let up = Up::start();
    let mut first = holder(&up, &[]);
    for wait in ["0s", "50ms"] {
        let line = format!("lock mail --wait {wait} -- echo never");
        let exit = up.run(&line);
        assert_eq!((exit.code, exit.stdout.as_str()), (Some(NO), ""), "{line}");
        assert_eq!(exit.stderr, "mail is held by others\n");
    }
    let exit = up.run("lock --json mail --wait 0s -- echo never");
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(NO), ""));
    assert_eq!(documents(&exit.stdout), [json!({ "lock": "mail", "held": false })]);
    let waiting = up.workyard(["lock", "mail", "--", "echo", "at last"]).start();
    eventually("it waits", || document(&up, "locks")["waiters"] == 1);
    first.end_input();
    assert_eq!(first.wait(), 0);
    waiting.stdout().expect("at last");
}

#[test]
fn locks_are_listed_with_who_waits() {
    let up = Up::start();
    let held = holder(&up, &["--permits", "2", "--ttl", "1h"]);
    let info = document(&up, "locks ma");
    let ttl_ms = info["ttl_ms"].as_u64().expect("it ends");
    assert!((3_000_000..=3_600_000).contains(&ttl_ms), "{ttl_ms}");
    let expected = json!({
        "lock": "mail", "permits": 2, "holders": 1, "waiters": 0, "token": token(&held),
        "ttl_ms": ttl_ms,
    });
    assert_eq!(info, expected);
    let table = up.ask("locks");
    let row: Vec<&str> = table.lines().nth(1).expect("a row").split_whitespace().collect();
    assert_eq!(row[..5], ["mail", "1", "of", "2", "0"]);
    assert_eq!(up.ask("locks x --json"), "");
    fails(&up, "lock mail -- true", REFUSED, &["PermitsDiffer", "2 permits"]);
}

#[test]
fn what_cannot_be_done_is_said_and_holds_nothing() {
    let up = Up::start();
    fails(&up, "lock mail --ttl 0s -- true", USAGE, &["a ttl of 0 ms"]);
    fails(&up, "lock mail -- /nowhere/to/be/found", FAILED, &["cannot run", "/nowhere"]);
    assert_eq!(up.run("lock mail").code, Some(USAGE), "no command");
    assert_eq!(up.run("lock mail --permits 0 -- true").code, Some(USAGE));
    assert_eq!(up.ask("lock mail --wait 0s -- echo free"), "free\n");
}

#[test]
fn a_command_is_told_to_end_when_its_lock_is_lost() {
    let mut up = Up::start();
    let mut held = holder(&up, &["--ttl", "1h"]);
    up.running().kill();
    assert_eq!(held.wait(), 128 + 15, "cat ends by it");
    held.stderr().expect("the lock mail is lost: the connection was lost");
}

#[test]
fn writes_of_a_command_may_depend_on_its_lock() {
    let up = Up::start();
    let script = "workyard set report done --fenced && workyard incr reports 2 --fenced";
    let path = workyard_tests::built("workyard").parent().expect("a folder").to_owned();
    let path = format!("{}:{}", path.display(), std::env::var("PATH").expect("a path"));
    let arguments = ["lock", "mail", "--", "sh", "-c", script];
    let exit = up.workyard(arguments).variable("PATH", path).run();
    assert_eq!((exit.code, exit.stdout.as_str(), exit.stderr.as_str()), (Some(0), "2\n", ""));
    assert_eq!(up.ask("get report"), "done\n");
    // Whoever goes on after it was given back comes too late.
    let late = up.workyard(["set", "report", "late", "--fenced"]);
    let exit = late.variable("WORKYARD_LOCK", "mail").variable("WORKYARD_LOCK_TOKEN", "7").run();
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(REFUSED), ""));
    assert!(exit.stderr.contains("Fenced: the lock \"mail\" is not held"), "{}", exit.stderr);
    assert_eq!(up.ask("get report"), "done\n");
    fails(&up, "set report late --fenced", USAGE, &["WORKYARD_LOCK_TOKEN"]);
    fails(&up, "incr reports --fenced", USAGE, &["WORKYARD_LOCK_TOKEN"]);
    assert_eq!(up.run("incr reports --fenced --at-most 3").code, Some(USAGE));
}

#[test]
fn every_kind_of_write_may_depend_on_a_lock() {
    let up = Up::start();
    let script = "set -x; workyard add a 1 --fenced && ! workyard add a 2 --fenced \
        && workyard cas a 3 --expect 1 --fenced && ! workyard cas a 4 --revision 7 --fenced \
        && ! workyard del a --expect 1 --fenced && workyard del a --expect 3 --fenced \
        && ! workyard del a --fenced";
    let path = workyard_tests::built("workyard").parent().expect("a folder").to_owned();
    let path = format!("{}:{}", path.display(), std::env::var("PATH").expect("a path"));
    let arguments = ["lock", "mail", "--", "sh", "-c", script];
    let exit = up.workyard(arguments).variable("PATH", path).run();
    assert_eq!(exit.code, Some(0), "{}", exit.stderr);
    assert_eq!(exit.stderr.matches("not as expected").count(), 2, "{}", exit.stderr);
    up.ask("set a old");
    for late in ["add b 1", "cas a new --expect old", "del a"] {
        let arguments: Vec<&str> = late.split(' ').chain(["--fenced"]).collect();
        let late = up.workyard(arguments);
        let late = late.variable("WORKYARD_LOCK", "mail").variable("WORKYARD_LOCK_TOKEN", "7");
        let exit = late.run();
        assert_eq!((exit.code, exit.stdout.as_str()), (Some(REFUSED), ""));
        assert!(exit.stderr.contains("Fenced: the lock \"mail\" is not held"), "{}", exit.stderr);
    }
    assert_eq!((up.ask("get a"), up.run("get b").code), ("old\n".to_owned(), Some(NO)));
}

/// One that says that all is well after that is not believed.
#[test]
fn a_lost_lock_is_no_success() {
    let mut up = Up::start();
    let script = "trap 'exit 0' TERM; echo ready; while :; do read line; done";
    let mut held = up.workyard(["lock", "mail", "--", "sh", "-c", script]).start();
    held.stdout().expect("ready");
    up.running().kill();
    assert_eq!(held.wait(), FAILED);
}

#[test]
fn a_signal_reaches_the_command_and_the_lock_is_given_back_when_it_has_ended() {
    let up = Up::start();
    let mut held = holder(&up, &["--ttl", "1h"]);
    held.signal(Signal::TERM);
    assert_eq!(held.wait(), 128 + 15);
    assert_eq!(up.ask("lock mail --wait 0s -- echo free"), "free\n");
}
