//! `workyard request|serve`.

use crate::support::{FAILED, NO, REFUSED, TIMED_OUT, USAGE, document, documents, fails};
use rustix::process::Signal;
use serde_json::json;
use workyard_tests::{Program, Running, Up, eventually};

/// A process that serves a channel by a script of the shell.
fn serving(up: &Up, channel: &str, script: &str) -> Running {
    let serve = ["serve", channel, "--json", "--", "sh", "-c", script];
    let running = up.workyard(serve).start();
    running.stdout().expect(channel);
    running
}

#[test]
fn a_command_answers() {
    let up = Up::start();
    let _server = serving(&up, "greet", "echo \"hello, $(cat)\"");
    assert_eq!(up.ask("request greet tom"), "hello, tom\n");
    let said = document(&up, "request greet 5");
    assert_eq!(said, json!({ "value": "hello, 5", "kind": "raw" }));
    let asked = up.workyard(["request", "greet"]).input("ann\nbob\n").run();
    assert_eq!((asked.code, asked.stdout.as_str()), (Some(0), "hello, ann\nhello, bob\n"));
}

#[test]
fn answers_are_of_the_kind_that_was_asked_for() {
    let up = Up::start();
    let serve = ["serve", "sum", "--as", "json", "-n", "1", "--json", "--", "cat"];
    let mut server = up.workyard(serve).start();
    server.stdout().expect("sum");
    let said = document(&up, r#"request sum {"a":[1]} --as json"#);
    assert_eq!(said, json!({ "value": { "a": [1] }, "kind": "json" }));
    assert_eq!(server.wait(), 0, "it was told to stop after one");
    let _server = serving(&up, "sum", "echo 42");
    assert_eq!(document(&up, "request sum x"), json!({ "value": 42, "kind": "int" }));
}

#[test]
fn nobody_there_is_said_at_once() {
    let up = Up::start();
    let texts = ["NoResponders", "nobody serves channel \"sum\"", "workyard serve"];
    fails(&up, "request sum 5 --timeout 1h", NO, &texts);
    let mut listener = up.workyard(["sub", "sum"]).start();
    up.ask_until("pub sum 5", "1\n");
    fails(&up, "request sum 5 --timeout 1h", NO, &["NoResponders"]);
    listener.kill();
}

#[test]
fn a_command_that_fails_declines() {
    let up = Up::start();
    let _server = serving(&up, "sum", "cat > /dev/null; exit 3");
    fails(&up, "request sum 5", NO, &["the responder declined", "exit status: 3"]);
    let _server = serving(&up, "bytes", r"printf '\377'");
    fails(&up, "request bytes 5", NO, &["printed what is no text"]);
}

#[test]
fn who_does_not_answer_in_time_is_not_waited_for() {
    let up = Up::start();
    let _server = serving(&up, "sum", "sleep 60");
    fails(&up, "request sum 5 --timeout 200ms", TIMED_OUT, &["no answer"]);
}

#[test]
fn who_is_killed_before_it_answers_is_not_waited_for_either() {
    let up = Up::start();
    let mut server = serving(&up, "sum", "echo begun >&2; exec sleep 60");
    let mut asker = up.workyard(["request", "sum", "5", "--timeout", "10m"]).start();
    server.stderr().expect("begun");
    server.signal(Signal::KILL);
    assert_eq!(asker.wait(), FAILED);
    asker.stderr().expect("the responder was gone before it answered");
    server.kill();
}

#[test]
fn a_repeatable_request_is_answered_by_another() {
    let up = Up::start();
    let mut first = serving(&up, "sum", "echo begun >&2; exec sleep 60");
    let mut asker =
        up.workyard(["request", "sum", "5", "--repeatable", "--timeout", "10m"]).start();
    first.stderr().expect("begun");
    let _second = serving(&up, "sum", "echo 10");
    first.signal(Signal::KILL);
    asker.stdout().expect("10");
    assert_eq!(asker.wait(), 0);
    first.kill();
}

#[test]
fn who_is_told_to_stop_answers_what_it_has() {
    let up = Up::start();
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    assert_eq!(Program::at("mkfifo").arguments([&gate]).run().code, Some(0));
    let script = format!("echo begun >&2; read line < {}; echo done", gate.display());
    let mut server = serving(&up, "sum", &script);
    let mut asker = up.workyard(["request", "sum", "5", "--timeout", "10m"]).start();
    server.stderr().expect("begun");
    server.signal(Signal::INT);
    eventually("it serves no more", || up.run("request sum 6").code == Some(NO));
    std::fs::write(&gate, "go\n").unwrap();
    assert_eq!((server.wait(), asker.wait()), (0, 0));
    assert_eq!(asker.stdout().lines(), ["done"]);
}

#[test]
fn several_commands_may_run_at_once() {
    let up = Up::start();
    let serve =
        ["serve", "sum", "--at-once", "2", "--json", "--", "sh", "-c", "echo begun >&2; sleep 60"];
    let server = up.workyard(serve).start();
    server.stdout().expect("sum");
    let _askers = ["1", "2", "3"]
        .map(|text| up.workyard(["request", "sum", text, "--timeout", "10m"]).start());
    eventually("two have begun", || server.stderr().lines().len() == 2);
}

#[test]
fn mistakes_are_explained() {
    let up = Up::start();
    fails(&up, "request sum 5 --timeout 2h", USAGE, &["above an hour"]);
    let exit = up.run("serve sum");
    assert_eq!(exit.code, Some(USAGE), "without a command: {exit:?}");
    let exit = up.run("request sum 5 --as int --server 127.0.0.1:1");
    assert_ne!(exit.code, Some(REFUSED), "{exit:?}");
}

#[test]
fn bench_asks() {
    let up = Up::start();
    let said = document(&up, "bench request --requests 500 --depth 4 --responders 2 --size 16");
    assert_eq!((&said["what"], &said["count"]), (&json!("requests"), &json!(500)));
    assert_eq!(documents(&up.ask("queue stats --json")).len(), 0);
}
