//! `workyard queue push --delay|--priority|--id`, `configure`, `dead`, `redrive`, `remove`.

use crate::support::{FAILED, NO, REFUSED, USAGE, document, documents, fails};
use serde_json::json;
use workyard_tests::{Up, eventually};

#[test]
fn jobs_are_put_off_preferred_and_stored_once() {
    let up = Up::start();
    up.ask("queue push mails --delay 1h late");
    up.ask("queue push mails plain");
    up.ask("queue push mails --priority 9 first");
    assert_eq!(up.ask("queue push mails --id order-17 once"), "4\n");
    let again = document(&up, "queue push mails --id order-17 twice");
    assert_eq!(again, json!({ "queue": "mails", "job": 4, "duplicate": true }));
    let stats = document(&up, "queue stats");
    assert_eq!([&stats["ready"], &stats["delayed"]], [3, 1]);
    assert_eq!(up.ask("queue work mails -n 3"), "first\nplain\nonce\n");
    up.ask("queue push mails --delay 100ms soon");
    assert_eq!(up.ask("queue work mails -n 1"), "soon\n");
    fails(&up, "queue push mails --id x a b", USAGE, &["--id is what one job is known by"]);
    fails(&up, "queue push mails --id x", USAGE, &["--id is what one job is known by"]);
    fails(&up, "queue push mails --delay 20years a", USAGE, &["above the limit", "ten years"]);
    assert_eq!(up.run("queue push mails --priority 256 a").code, Some(USAGE));
}

#[test]
fn a_queue_is_configured_piece_by_piece_and_reset() {
    let up = Up::start();
    let first = document(&up, "queue configure mails --lease 1m --backoff 1s..10m");
    let own = json!({
        "lease_ms": 60_000, "attempts_max": null, "backoff": { "first_ms": 1000, "max_ms": 600_000 },
        "dedup_window_ms": null, "jobs_max": null, "bytes_max": null,
    });
    assert_eq!(first["own"], own);
    assert_eq!(first["in_force"]["attempts_max"], 10);
    let then = document(&up, "queue configure mails --attempts-max 3 --backoff none");
    let own = json!({
        "lease_ms": 60_000, "attempts_max": 3, "backoff": "none",
        "dedup_window_ms": null, "jobs_max": null, "bytes_max": null,
    });
    assert_eq!(then["own"], own);
    let table = up.ask("queue configure mails --reset --jobs-max 1 --backoff 5s");
    let rows: Vec<Vec<_>> =
        table.lines().map(|line| line.split_whitespace().take(3).collect()).collect();
    assert_eq!(rows[0], ["setting", "value", "whose"]);
    assert!(rows.contains(&vec!["lease", "30s", "the"]), "{table}");
    assert!(rows.contains(&vec!["backoff", "5s", "its"]), "{table}");
    assert!(rows.contains(&vec!["jobs-max", "1", "its"]), "{table}");
    up.ask("queue push mails a");
    fails(&up, "queue push mails b", REFUSED, &["LimitReached", "jobs_max of 1"]);
    up.ask("queue configure mails --reset");
    up.ask("queue push mails b");
    for wrong in ["--backoff 10m..1s", "--backoff soon", "--jobs-max 0", "--bytes-max 0"] {
        assert_eq!(up.run(&format!("queue configure mails {wrong}")).code, Some(USAGE), "{wrong}");
    }
    fails(&up, "queue configure mails --lease 50days", USAGE, &["above the limit", "49 days"]);
}

#[test]
fn jobs_that_fail_too_often_are_listed_with_the_reason_and_redriven() {
    let up = Up::start();
    up.ask("queue configure mails --attempts-max 2");
    up.ask("queue push mails bad good");
    let work = ["queue", "work", "mails", "-n", "3", "--", "grep", "-q", "good"];
    assert_eq!(up.workyard(work).run().code, Some(FAILED));
    let mut dead = document(&up, "queue dead mails");
    assert!(dead["age_ms"].take().is_u64());
    let expected = json!({
        "job": 1, "attempts": 2, "cause": "nack", "reason": "exit status: 1", "age_ms": null,
        "size": 3,
    });
    assert_eq!(dead, expected);
    let table = up.ask("queue dead mails");
    assert!(table.contains("nack") && table.contains("exit status: 1"), "{table}");
    assert_eq!(document(&up, "queue stats mails.dead")["ready"], 1);
    assert_eq!(document(&up, "queue redrive mails"), json!({ "queue": "mails", "jobs": 1 }));
    assert_eq!(up.ask("queue redrive mails"), "0\n");
    let jobs = documents(&up.run("queue work mails -n 1 --json").stdout);
    assert_eq!(jobs, [json!({ "job": 1, "attempt": 1, "value": "bad" })]);
}

#[test]
fn jobs_are_removed_by_their_numbers_unless_somebody_has_them() {
    let up = Up::start();
    up.ask("queue push mails a b");
    up.ask("queue push mails --delay 1h c");
    assert_eq!(up.ask("queue remove mails 2 3"), "");
    let exit = up.run("queue remove mails 2");
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(NO), "there is no job 2 in mails\n"));
    let exit = up.run("queue remove mails 2 --json");
    assert_eq!(exit.code, Some(NO));
    let expected = json!({ "queue": "mails", "job": 2, "removed": false });
    assert_eq!(documents(&exit.stdout), [expected]);
    let mut worker = up.workyard(["queue", "work", "mails", "--", "sleep", "60"]).start();
    eventually("it is held", || document(&up, "queue stats")["leased"] == 1);
    fails(&up, "queue remove mails 1", REFUSED, &["JobLeased", "job 1"]);
    worker.kill();
    eventually("it is back", || document(&up, "queue stats")["ready"] == 1);
    assert_eq!(up.ask("queue remove mails 1"), "");
    assert_eq!(up.ask("queue stats --json"), "");
}
