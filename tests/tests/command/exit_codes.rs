//! Exit codes and what is said with them, so that scripts and people know what to do.

use crate::support::{REFUSED, TIMED_OUT, UNREACHABLE, USAGE, documents, fails};
use workyard_tests::{Program, Up};

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let up = Up::start();
    let hint = "Is it running? `workyard up` starts both servers";
    for line in [
        "get key --server 127.0.0.1:1",
        "set key 1 --server 127.0.0.1:1",
        "pub news hello --server 127.0.0.1:1",
        "sub news --server 127.0.0.1:1",
        "keys --server unix:///nowhere/globaldata.sock",
        "ping channel --server 127.0.0.1:1",
    ] {
        fails(&up, line, UNREACHABLE, &["cannot reach", hint]);
    }
}

#[test]
fn a_server_that_stands_still_does_not_answer_in_time() {
    let mut up = Up::start();
    // One that was reached before, and one that takes connections but never welcomes anybody.
    let push = ["queue", "push", "mails", "--timeout", "500ms"];
    let mut pusher = up.workyard(push).start();
    pusher.write("one\n");
    pusher.stdout().expect("1");
    up.running().pause();
    pusher.write("two\n");
    assert_eq!(pusher.wait(), TIMED_OUT);
    pusher.stderr().expect("no answer within 500ms");
    let hint = "--timeout gives it longer";
    for line in ["get key --timeout 300ms", "pub news hello --timeout 300ms"] {
        fails(&up, line, TIMED_OUT, &["no welcome within", hint]);
    }
    up.running().resume();
    up.ask("ping");
}

#[test]
fn what_the_server_refuses_is_said_by_its_name() {
    let up = Up::start();
    up.ask("set name tom");
    fails(&up, "incr name", REFUSED, &["NotANumber"]);
    let wrong = format!("get name --server {}", up.channel());
    fails(&up, &wrong, REFUSED, &["WrongService", "channel-server"]);
    let wrong = format!("pub news hello --server {}", up.globaldata());
    fails(&up, &wrong, REFUSED, &["WrongService", "globaldata-server"]);
}

#[test]
fn mistakes_of_who_types_are_explained() {
    let up = Up::start();
    for (line, text) in [
        ("get key --server localhost", "has no port"),
        ("get key --server http://localhost:1", "unknown scheme"),
        ("pub news hello --server 127.0.0.1:1,127.0.0.1:2", "channel-server has one address"),
        ("ping --server 127.0.0.1:1", "workyard ping channel"),
        ("get key --server 127.0.0.1:1,127.0.0.1:1", "was named twice"),
    ] {
        fails(&up, line, USAGE, &[text]);
    }
    let long = "x".repeat(4097);
    fails(&up, &format!("get {long}"), USAGE, &["4096"]);
    fails(&up, &format!("pub {long} hello"), USAGE, &["4096"]);
    for line in
        ["", "nonsense", "get", "set key", "incr key 1 2", "queue", "queue work mails --prefetch 0"]
    {
        let exit = up.run(line);
        assert_eq!((exit.code, exit.stdout.as_str()), (Some(USAGE), ""), "{line}: {exit:?}");
        assert!(exit.stderr.contains("--help") || exit.stderr.contains("Usage:"), "{exit:?}");
    }
}

#[test]
fn a_ping_tells_about_both_servers() {
    let up = Up::start();
    let one_away = up.workyard(["ping"]).variable("WORKYARD_CHANNEL", "127.0.0.1:1").run();
    assert_eq!(one_away.code, Some(UNREACHABLE), "{one_away:?}");
    assert!(one_away.stdout.starts_with("globaldata-server  answers in "), "{one_away:?}");
    assert!(one_away.stderr.contains("cannot reach tcp://127.0.0.1:1"), "{one_away:?}");
    let both_away = Program::built("workyard").arguments(["ping", "--json"]);
    let both_away = both_away
        .variable("WORKYARD_CHANNEL", "127.0.0.1:1")
        .variable("WORKYARD_GLOBALDATA", "127.0.0.1:1")
        .run();
    assert_eq!(both_away.code, Some(UNREACHABLE), "{both_away:?}");
    let errors = documents(&both_away.stderr);
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors.iter().all(|error| error["kind"] == "unreachable"));
}

#[test]
fn help_lists_the_codes_and_the_commands() {
    let help = Program::built("workyard").arguments(["--help"]).run();
    assert_eq!(help.code, Some(0));
    let text = help.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Exit codes: 0 done; 1 the answer is no"), "{text}");
    for command in [
        "up",
        "pub",
        "sub",
        "queue",
        "get",
        "set",
        "add",
        "cas",
        "incr",
        "del",
        "keys",
        "ping",
        "bench",
        "completions",
    ] {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command} is not listed");
        let own = Program::built("workyard").arguments([command, "--help"]).run();
        assert_eq!(own.code, Some(0), "{command}");
    }
    let version = Program::built("workyard").arguments(["--version"]).run();
    assert_eq!(version.stdout, format!("workyard {}\n", env!("CARGO_PKG_VERSION")));
}
