//! `workyard changes|wait`.

use crate::support::{NO, USAGE, documents, fails};
use serde_json::json;
use workyard_tests::Up;

#[test]
fn a_variable_is_told_as_it_stands_and_as_it_changes() {
    let up = Up::start();
    up.ask("set limit 7");
    let mut changes = up.workyard(["changes", "limit", "-n", "6"]).start();
    changes.stdout().expect("limit = 7");
    changes.stdout().expect("(that is how it stands)");
    up.ask("incr limit");
    changes.stdout().expect("limit = 8");
    up.ask("del limit");
    changes.stdout().expect("limit deleted");
    up.ask("set limit soon --ttl 1ms");
    changes.stdout().expect("limit = soon");
    changes.stdout().expect("limit expired");
    assert_eq!(changes.wait(), 0);
}

#[test]
fn changes_are_told_again_from_a_position_on() {
    let up = Up::start();
    up.ask("set user.1 tom");
    // Something has to be watched all the while, or the server keeps nothing to tell again.
    let all = up.workyard(["changes", "--prefix", "--no-values"]).start();
    all.stdout().expect("user.1 stored");
    let [one, caught_up] =
        documents(&up.ask("changes user. --prefix --json -n 2")).try_into().unwrap();
    assert_eq!(
        (&one["event"], &one["key"], &one["value"]),
        (&json!("stored"), &json!("user.1"), &json!("tom"))
    );
    assert_eq!((&one["position"], &caught_up["event"]), (&json!(null), &json!("caught_up")));
    let position = caught_up["position"].as_str().unwrap();
    up.ask("set user.2 ann");
    up.ask("set group.1 both");
    up.ask("del user.1");
    let said = up.ask(&format!("changes user. --prefix --json --after {position} -n 3"));
    let told: Vec<_> = documents(&said)
        .into_iter()
        .map(|told| (told["event"].clone(), told["key"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            (json!("stored"), json!("user.2")),
            (json!("deleted"), json!("user.1")),
            (json!("caught_up"), json!(null))
        ]
    );
    let said = up.ask("changes user. --prefix --after 0:1:1 -n 3");
    assert_eq!(
        said,
        "(some changes are not known: it begins anew)\nuser.2 = ann\n(that is how it stands)\n"
    );
    all.stdout().expect("user.1 deleted");
}

#[test]
fn a_wait_prints_what_has_changed() {
    let up = Up::start();
    assert_eq!(up.run("wait limit --absent --for 20ms").code, Some(NO));
    let mut wait = up.workyard(["wait", "limit", "--absent", "--json"]).start();
    up.ask("set limit 7");
    wait.stdout().expect("\"value\":7");
    assert_eq!(wait.wait(), 0);
    // It is not of that revision any more, or never was.
    assert_eq!(up.ask("wait limit --revision 1"), "7\n");
    let [entry] = documents(&up.ask("get limit --json")).try_into().unwrap();
    let revision = entry["revision"].to_string();
    let mut wait = up.workyard(["wait", "limit", "--revision", &revision]).start();
    up.ask("del limit");
    wait.stderr().expect("limit does not exist");
    assert_eq!(wait.wait(), 0);
    let waited = up.run("wait limit --for 20ms");
    assert_eq!((waited.code, waited.stderr.as_str()), (Some(NO), "limit has not changed\n"));
}

#[test]
fn mistakes_are_explained() {
    let up = Up::start();
    let mistaken = up.run("changes limit --after yesterday");
    assert_eq!(mistaken.code, Some(USAGE));
    assert!(mistaken.stderr.contains("SERVER:EPOCH:REVISION"), "{}", mistaken.stderr);
    fails(&up, "changes limit --after 5:1:1", USAGE, &["no position of a watch of this"]);
    assert_eq!(up.run("changes").code, Some(USAGE), "of what?");
}
