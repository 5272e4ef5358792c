//! The end of the daemon, and of what it has started: asked for at any time, or not asked for at all.

use crate::support::{Daemon, Folder, free_port, runs, until};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// Says that it has begun and, when it is asked to end, that it was.
const POLITE: &str = "trap 'echo asked; echo asked > ../asked; exit 0' TERM; touch ../began; while :; do sleep 0.05; done";

fn polite(folder: &Folder) -> String {
    // Wherever it is run.
    let beside = folder.at("../");
    folder.write("../polite", &POLITE.replace("../", beside.to_str().unwrap()));
    format!("sh {}polite", beside.display())
}

fn ended_within(daemon: &mut Daemon, signal: Signal, time: Duration) -> Option<i32> {
    let begin = Instant::now();
    daemon.signal(signal);
    let code = daemon.wait().code();
    assert!(begin.elapsed() < time, "{:?}", begin.elapsed());
    code
}

#[test]
fn once_without_a_completed_set_ends_with_the_number_of_its_signal() {
    let folder = Folder::new();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut daemon = folder.follow(&["--once", "--run", &polite(&folder)]);
        daemon.signal(signal);
        assert_eq!(daemon.wait().code(), Some(code), "before a change");
        let mut daemon = folder.follow(&["--once", "--run", &polite(&folder)]);
        folder.write("a", &format!("{code}"));
        until(|| folder.at("../began").exists().then_some(()));
        daemon.signal(signal);
        assert_eq!(daemon.wait().code(), Some(code), "during an action");
        std::fs::remove_file(folder.at("../began")).unwrap();
    }
}

#[test]
fn a_command_under_way_is_asked_to_end_before_it_is_killed() {
    let folder = Folder::new();
    for flag in ["--run", "--check"] {
        let daemon = folder.follow(&[flag, &polite(&folder)]);
        folder.write("a", flag);
        until(|| folder.at("../began").exists().then_some(()));
        assert!(daemon.stop().success());
        assert_eq!(folder.read("../asked"), "asked\n", "{flag}");
        std::fs::remove_file(folder.at("../asked")).unwrap();
        std::fs::remove_file(folder.at("../began")).unwrap();
    }
}

#[test]
fn a_command_that_takes_too_long_is_asked_to_end_and_its_last_words_are_kept() {
    let folder = Folder::new();
    let run = polite(&folder);
    let settings = format!(
        "paths = [\"p\"]\n[[actions]]\nrun = {{ command = \"{run}\", timeout = \"300ms\" }}\n"
    );
    folder.write("../m.toml", &settings);
    let config = folder.at("../m.toml");
    let mut daemon = folder.follow(&["--config", config.to_str().unwrap()]);
    folder.write("a", "one");
    let failed = daemon.until("action-failed");
    assert!(failed["reason"].as_str().unwrap().ends_with("took longer than 300ms"), "{failed}");
    assert!(failed["output"].as_str().unwrap().contains("asked"), "{failed}");
}

#[test]
fn the_end_is_heard_while_a_program_comes_up() {
    let folder = Folder::new();
    let port = free_port().to_string();
    let script = "echo $$ > ../program; exec sleep 1000";
    let mut daemon = folder.follow(&["--port", &port, "--", "sh", "-c", script]);
    let program = until(|| Some(folder.read("../program")).filter(|text| text.ends_with('\n')));
    // A reload that is asked for before must not hide it.
    daemon.signal(Signal::HUP);
    daemon.until("settings-reloaded");
    assert_eq!(ended_within(&mut daemon, Signal::TERM, Duration::from_secs(5)), Some(0));
    assert!(!runs(&program));
}

#[test]
fn the_end_is_heard_while_a_program_is_started_again() {
    let folder = Folder::new();
    let port = free_port().to_string();
    folder.write(
        "../code",
        "echo $$ >> ../programs; test -e ../again && exec sleep 1000; touch ../again; exit 1",
    );
    let mut daemon = folder.follow(&["--port", &port, "--", "sh", "../code"]);
    daemon.expect("action-failed");
    until(|| (folder.read("../programs").lines().count() == 2).then_some(()));
    assert_eq!(ended_within(&mut daemon, Signal::INT, Duration::from_secs(5)), Some(0));
    assert!(!folder.read("../programs").lines().any(runs));
}

#[test]
fn the_end_is_heard_while_the_tree_is_taken_in() {
    let folder = Folder::new();
    // Nothing is stored of it, and it takes long to read.
    std::fs::File::create(folder.at("large")).unwrap().set_len(1 << 40).unwrap();
    let mut daemon = folder.start(&["--digest-bytes-max", "2000GiB"]);
    until(|| daemon.catches(Signal::TERM).then_some(()));
    assert_eq!(ended_within(&mut daemon, Signal::TERM, Duration::from_millis(1500)), Some(0));
}

#[test]
fn programs_that_do_not_stop_are_waited_for_together() {
    let folder = Folder::new();
    let program = "[[actions]]\nrestart = { command = { shell = \"trap '' TERM; while :; do sleep 0.05; done\" }, stop_timeout = \"3s\" }\n";
    folder.write("../m.toml", &format!("paths = [\"p\"]\n{}", program.repeat(3)));
    let config = folder.at("../m.toml");
    let mut daemon = folder.follow(&["--config", config.to_str().unwrap()]);
    for _ in 0..3 {
        daemon.expect("acted");
    }
    assert_eq!(ended_within(&mut daemon, Signal::TERM, Duration::from_secs(7)), Some(0));
}

#[test]
fn closing_the_terminal_ends_the_daemon_and_its_program() {
    let folder = Folder::new();
    let script = "echo $$ > ../program; trap '' HUP; while :; do sleep 0.05; done";
    let (terminal, mut daemon) = folder.start_at_a_terminal(&["--", "sh", "-c", script]);
    daemon.until("ready");
    daemon.until("acted");
    // As long as the terminal is there, somebody asks for the settings to be read again.
    daemon.signal(Signal::HUP);
    daemon.until("settings-reloaded");
    drop(terminal);
    daemon.signal(Signal::HUP);
    daemon.until("stopping");
    assert_eq!(daemon.wait().code(), Some(0));
    assert!(!runs(&folder.read("../program")));
}
