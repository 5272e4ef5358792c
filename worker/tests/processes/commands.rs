//! What commands tell.

use crate::app::{App, eventually};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

pub(crate) fn without_a_service_there_is_nothing_to_tell() {
    let app = App::new();
    for command in ["stop", "reload", "status", "connections"] {
        let ended = app.run(&[command]);
        assert_eq!(ended.code, Some(3), "{command}");
        let text = format!("workyard[app] {command}\nworkyard[app] not run\n");
        assert_eq!(ended.output, text);
    }
    assert_eq!(app.run(&["status", "--json"]).code, Some(3));
}

pub(crate) fn what_is_not_understood_is_said() {
    let app = App::new();
    let ended = app.run(&[]);
    assert_eq!(ended.code, Some(2));
    for command in ["start", "stop", "restart", "reload", "status", "connections", "doctor"] {
        assert!(ended.output.contains(&format!("\n  {command} ")), "{}", ended.output);
    }
    assert_eq!(app.run(&["begin"]).code, Some(2));
    assert_eq!(app.run(&["--help"]).code, Some(0));
}

pub(crate) fn a_busy_process_says_with_what() {
    let app = App::new().with("STOP_TIMEOUT", "200").start();
    let pids = app.pids();
    let mut spinning = app.connect();
    let pid = spinning.ask().pid;
    spinning.say("spin");
    let expected = "[busy] on_message of connection 1 for ";
    eventually("it is seen", || {
        let screen = app.done(&["status"]);
        let line = screen.lines().find(|line| line.starts_with(&pid.to_string()));
        line.is_some_and(|line| line.contains(expected) && line.contains(" N/A "))
    });
    let status = app.status();
    let processes = status["processes"].as_array().expect("there are processes");
    assert_eq!(processes.len(), pids.len());
    let busy = processes.iter().filter(|process| process["state"] == "busy").count();
    assert_eq!(busy, 1, "{status}");
    assert!(app.read("app.log").contains("busy: on_message of connection 1 for 1 s"));
}

pub(crate) fn a_status_is_shown_again_until_nobody_looks() {
    let app = App::new().start();
    let mut command = app.command(&["status", "-d"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it can be run");
    let mut screen = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    for _ in 0..2 {
        let ends =
            |line: std::io::Result<String>| line.is_ok_and(|line| line == "Press Ctrl+C to quit.");
        assert!(screen.any(ends));
    }
    drop(screen);
    assert_eq!(child.wait().expect("it is ours").code(), Some(0));
}

pub(crate) fn connections_are_listed() {
    let app = App::new().with("COUNT", "1").start();
    let mut peer = app.connect();
    let answer = peer.ask();
    let listed = app.done(&["connections", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("this is JSON");
    assert_eq!(listed[0]["pid"], answer.pid);
    let connection = &listed[0]["connections"][0];
    assert_eq!(connection["state"], "ESTABLISHED");
    assert_eq!(connection["bytes_read"], 4);
    assert_eq!(connection["local"], app.address());
    let screen = app.done(&["connections"]);
    let line = screen.lines().last().expect("it has lines");
    let begin = format!("{:<9}echo            1         tcp     ", answer.pid);
    assert!(line.starts_with(&begin), "{screen}");
    assert!(line.contains(&format!("ESTABLISHED    {} ", app.address())), "{screen}");
    let status = app.status();
    let worker = &status["processes"][0]["worker"];
    assert_eq!((&worker["connections"], &worker["total_request"]), (&1.into(), &1.into()));
}

pub(crate) fn a_doctor_finds_what_is_wrong() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("text://{}", taken.local_addr().expect("it is bound"));
    let app = App::new().with("LISTEN", &address).with("RUN_AS", "nobody-of-that-name");
    app.write("app.pid", "1");
    let ended = app.run(&["doctor"]);
    assert_eq!(ended.code, Some(1));
    for text in [
        "app.pid: it is left from a service that was killed",
        "       rm /",
        "wrong  user of \"echo\": worker \"echo\": there is no user \"nobody-of-that-name\"\n       useradd ",
        &format!(
            "wrong  address of \"echo\": {address}: Address already in use (os error 98)\n       ss "
        ),
        "ok     folder /",
    ] {
        assert!(ended.output.contains(text), "{text}: {}", ended.output);
    }
    drop(taken);
    let app = App::new();
    let found = app.run(&["doctor"]).output;
    for text in ["ok     user of", "ok     address of", "ok     pid file"] {
        assert!(found.contains(text), "{text}: {found}");
    }
}

pub(crate) fn a_unit_names_the_program() {
    let app = App::new().with("STOP_TIMEOUT", "7000");
    let unit = app.done(&["systemd"]);
    let path = app.path("app");
    for line in [
        "Type=notify",
        &format!("ExecStart={} start -q", path.display()),
        &format!("ExecReload={} reload", path.display()),
        "TimeoutStopSec=12",
        "LimitNOFILE=102400",
    ] {
        assert!(unit.lines().any(|it| it == line), "{line}: {unit}");
    }
}

/// A program of ours that a worker process of another one starts: it inherits a part that is not its own.
pub(crate) fn a_part_that_is_not_its_own_is_not_played() {
    let app = App::new();
    for part in ["worker:1", "supervisor:1", "worker:", "nonsense:1", "worker"] {
        let (_ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        let mut command = app.command(&["status"]);
        command.env("WORKYARD_PROCESS", part).stdin(OwnedFd::from(theirs));
        let output = command.output().expect("it can be run");
        assert_eq!(output.status.code(), Some(3), "{part}");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("not run"), "{part}: {said}");
    }
}
