//! `workyard queue push|work|stats`: jobs on their way in and out.

use crate::support::{FAILED, USAGE, document, documents, fails};
use rustix::process::Signal;
use serde_json::{Value as Json, json};
use workyard_tests::{Program, Up, eventually};

/// Jobs that wait, and jobs that are held, in the queue of this name.
fn ready_and_leased(up: &Up, queue: &str) -> (u64, u64) {
    let all = documents(&up.ask("queue stats --json"));
    let stats = all.iter().find(|stats| stats["queue"] == queue);
    let count = |field: &str| stats.map_or(0, |stats: &Json| stats[field].as_u64().unwrap());
    (count("ready"), count("leased"))
}

#[test]
fn jobs_are_pushed_and_listed() {
    let up = Up::start();
    assert_eq!(up.ask("queue push mails a b"), "1\n2\n");
    assert_eq!(
        document(&up, "queue push mails c"),
        json!({ "queue": "mails", "job": 3, "duplicate": false })
    );
    let exit = up.workyard(["queue", "push", "other"]).input("x y\nz\n").run();
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(0), "4\n5\n"), "{exit:?}");
    let table = up.ask("queue stats");
    let rows: Vec<Vec<_>> =
        table.lines().map(|line| line.split_whitespace().take(4).collect()).collect();
    assert_eq!(rows[0], ["queue", "ready", "leased", "delayed"]);
    assert!(rows.contains(&vec!["mails", "3", "0", "0"]), "{table}");
    assert!(rows.contains(&vec!["other", "2", "0", "0"]), "{table}");
    let mut stats = document(&up, "queue stats mai");
    assert!(stats["oldest_ms"].take().is_u64());
    let expected = json!({
        "queue": "mails", "ready": 3, "leased": 0, "delayed": 0, "dead": 0, "consumers": 0,
        "oldest_ms": null,
    });
    assert_eq!(stats, expected);
}

#[test]
fn jobs_are_printed_in_their_order() {
    let up = Up::start();
    up.ask("queue push mails a 2 c d");
    assert_eq!(up.ask("queue work mails -n 2"), "a\n2\n");
    let exit = up.run("queue work mails -n 2 --prefetch 10 --json");
    let job = |job, value: &str| json!({ "job": job, "attempt": 1, "value": value });
    assert_eq!(documents(&exit.stdout), [job(3, "c"), job(4, "d")]);
    assert_eq!(up.ask("queue stats --json"), "", "a queue without anything is forgotten");
}

#[test]
fn flags_are_flags_wherever_they_stand() {
    let up = Up::start();
    assert_eq!(up.ask("queue push numbers -5 --as text -1.5"), "1\n2\n");
    let jobs = documents(&up.ask("queue work numbers -n 2 --json"));
    assert_eq!([&jobs[0]["value"], &jobs[1]["value"]], [&json!("-5"), &json!("-1.5")]);
    for line in ["queue push numbers x --jsn", "pub news --on", "set key --txt"] {
        let exit = up.run(line);
        assert_eq!(exit.code, Some(USAGE), "a slip is no value: {exit:?}");
    }
    assert_eq!(up.ask("queue push numbers -- --jsn"), "3\n");
    assert_eq!(up.ask("queue work numbers -n 1"), "--jsn\n");
}

#[test]
fn a_command_works_on_each_job() {
    let up = Up::start();
    up.ask("queue push mails a@example.org 42");
    let script = "echo \"to $(cat), $0\"";
    let work = ["queue", "work", "mails", "-n", "2", "--", "sh", "-c", script, "regards"];
    let exit = up.workyard(work).run();
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""));
    assert_eq!(exit.stdout, "to a@example.org, regards\nto 42, regards\n");
    assert_eq!(ready_and_leased(&up, "mails"), (0, 0));
}

#[test]
fn a_worker_waits_for_jobs() {
    let up = Up::start();
    let mut worker = up.workyard(["queue", "work", "mails"]).start();
    for job in ["one", "two"] {
        up.ask(&format!("queue push mails {job}"));
        worker.stdout().expect(job);
    }
    worker.signal(Signal::INT);
    assert_eq!(worker.wait(), 0);
    assert_eq!(worker.stderr().lines(), [""; 0]);
    eventually("its jobs are done", || ready_and_leased(&up, "mails") == (0, 0));
}

#[test]
fn a_job_whose_command_fails_goes_back() {
    let up = Up::start();
    up.ask("queue push mails first second");
    let exit = up.run("queue work mails -n 1 -- false");
    assert_eq!(exit.code, Some(FAILED), "{exit:?}");
    let [one, all] = exit.stderr.lines().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(one, "`false` failed for job 1, exit status: 1: it goes back");
    assert!(all.contains("`false` failed for 1 of 1 jobs"), "{all}");
    let exit = up.run("queue work mails -n 1 --json -- false");
    assert_eq!((exit.code, documents(&exit.stderr).len()), (Some(FAILED), 1), "{exit:?}");
    fails(&up, "queue work mails -- no-such-command", FAILED, &["cannot run \"no-such-command\""]);
    eventually("it is back", || ready_and_leased(&up, "mails") == (2, 0));
    let jobs = documents(&up.run("queue work mails -n 2 --json").stdout);
    assert_eq!(jobs[0], json!({ "job": 1, "attempt": 5, "value": "first" }), "before the younger");
    assert_eq!(jobs[1], json!({ "job": 2, "attempt": 1, "value": "second" }));
}

#[test]
fn a_worker_that_is_told_to_stop_finishes_its_job() {
    for signal in [Signal::TERM, Signal::INT] {
        let up = Up::start();
        up.ask("queue push mails first second");
        let script = "echo begun; cat; read line < \"$0\"; echo; echo done";
        let folder = tempfile::tempdir().unwrap();
        let gate = folder.path().join("gate");
        assert_eq!(Program::at("mkfifo").arguments([&gate]).run().code, Some(0));
        let work = ["queue", "work", "mails", "--", "sh", "-c", script, gate.to_str().unwrap()];
        let mut worker = up.workyard(work).start();
        worker.stdout().expect("begun");
        worker.signal(signal);
        std::fs::write(&gate, "go\n").unwrap();
        assert_eq!(worker.wait(), 0);
        worker.stdout().expect("done");
        assert_eq!(worker.stdout().lines(), ["begun", "first", "done"]);
        eventually("the other waits", || ready_and_leased(&up, "mails") == (1, 0));
    }
}

#[test]
fn workers_share_the_jobs() {
    let up = Up::start();
    let workers = [(); 3].map(|()| up.workyard(["queue", "work", "mails"]).start());
    let all_there = || document(&up, "queue stats")["consumers"] == 3;
    eventually("a queue is there", || !up.ask("queue stats --json").is_empty());
    eventually("all consume", all_there);
    let jobs: String = (0..60).map(|number| format!("job-{number}\n")).collect();
    let exit = up.workyard(["queue", "push", "mails"]).input(&jobs).run();
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let lines = || workers.iter().flat_map(|worker| worker.stdout().lines());
    eventually("all are done", || lines().count() >= 60);
    let mut done: Vec<_> = lines().collect();
    done.sort_unstable();
    let mut expected: Vec<_> = jobs.lines().collect();
    expected.sort_unstable();
    assert_eq!(done, expected);
    let idle = workers.iter().find(|worker| worker.stdout().lines().is_empty());
    assert!(idle.is_none(), "they take turns");
}
