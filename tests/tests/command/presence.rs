//! `workyard presence`.

use crate::support::{USAGE, documents, fails};
use rustix::process::Signal;
use serde_json::{Value as Json, json};
use workyard_tests::{Running, Up, eventually};

/// A process that is in a channel, which has said so.
fn entered(up: &Up, channel: &str, identity: &str) -> Running {
    let running = up.workyard(["presence", channel, "--enter", identity]).start();
    running.stdout().expect(identity);
    running
}

fn names(up: &Up, channel: &str) -> Vec<String> {
    let all = documents(&up.ask(&format!("presence {channel} --json")));
    let name = |member: &Json| member["identity"].as_str().unwrap().to_owned();
    all[1..].iter().map(name).collect()
}

#[test]
fn who_enters_is_listed_until_it_is_stopped() {
    let up = Up::start();
    let nobody = "0 entered, 0 subscribe, 0 by patterns, 0 groups, 0 serve\n";
    assert_eq!(up.ask("presence room"), nobody);
    let mut tom = entered(&up, "room", "tom");
    let mut ann = entered(&up, "room", "ann");
    assert_eq!(names(&up, "room"), ["tom", "ann"]);
    tom.signal(Signal::INT);
    assert_eq!(tom.wait(), 0);
    assert_eq!(names(&up, "room"), ["ann"]);
    ann.signal(Signal::KILL);
    eventually("it is gone", || up.ask("presence room") == nobody);
    ann.kill();
}

#[test]
fn everybody_else_is_counted() {
    let up = Up::start();
    let arguments: [&[&str]; 4] = [
        &["sub", "room"],
        &["sub", "--pattern", "*"],
        &["sub", "room", "--group", "g"],
        &["serve", "room", "--", "true"],
    ];
    let _running = arguments.map(|arguments| up.workyard(arguments).start());
    let counts = "0 entered, 1 subscribe, 1 by patterns, 1 groups, 1 serve\n";
    eventually("all are counted", || up.ask("presence room") == counts);
    let [said] = documents(&up.ask("presence room --json")).try_into().unwrap();
    assert_eq!(said["group_list"], json!([{ "group": "g", "subscriptions": 1 }]));
}

#[test]
fn who_comes_and_goes_is_told() {
    let up = Up::start();
    let _tom = entered(&up, "room", "tom");
    let mut follower = up.workyard(["presence", "room", "--follow", "-n", "4"]).start();
    follower.stdout().expect("+ tom");
    follower.stdout().expect("= that is everybody");
    let mut ann = entered(&up, "room", "ann");
    follower.stdout().expect("+ ann");
    ann.kill();
    follower.stdout().expect("- ann");
    assert_eq!(follower.wait(), 0);
    let arguments = ["presence", "room", "--follow", "--enter", "bob", "-n", "3", "--json"];
    let said = documents(&up.workyard(arguments).run().stdout);
    let events: Vec<_> = said.iter().map(|event| (&event["event"], &event["identity"])).collect();
    assert!(events.contains(&(&json!("joined"), &json!("tom"))), "{said:?}");
    assert!(events.contains(&(&json!("joined"), &json!("bob"))), "{said:?}");
    assert!(events.contains(&(&json!("caught_up"), &Json::Null)), "{said:?}");
    assert_eq!(names(&up, "room"), ["tom"], "it has left");
}

#[test]
fn mistakes_are_explained() {
    let up = Up::start();
    let long = format!("presence room --enter {}", "x".repeat(1025));
    fails(&up, &long, USAGE, &["an identity of 1025 bytes is above 1024"]);
    assert_eq!(up.run("presence room -n 3").code, Some(USAGE), "without --follow");
}
