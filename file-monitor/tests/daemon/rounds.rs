//! What changes while something is done: during actions, between them, and just before a reload.

use crate::support::{Folder, free_port, names, until};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// In these settings, `^` is what lies beside the followed directory.
fn with_settings(folder: &Folder, settings: &str) -> String {
    let beside = folder.at("../");
    folder.write("../m.toml", &settings.replace('^', beside.to_str().unwrap()));
    folder.at("../m.toml").to_str().unwrap().to_owned()
}

#[test]
fn a_change_just_before_a_reload_is_acted_upon() {
    let folder = Folder::new();
    let settings = "paths = [\"p\"]\nsettle = \"500ms\"\n[[actions]]\nrun = { command = { shell = 'for name; do echo \"$name\" >> ^acted; done' } }\n";
    let config = with_settings(&folder, settings);
    let mut daemon = folder.follow(&["--config", &config]);
    folder.write("a", "one");
    daemon.signal(Signal::HUP);
    daemon.until("settings-reloaded");
    assert_eq!(names(&daemon.until("changed"), &folder.at("")), ["created a"]);
    daemon.expect("acted");
    assert_eq!(folder.read("../acted").lines().count(), 1);
    daemon.is_silent(Duration::from_millis(800));
}

#[test]
fn a_dry_run_starts_nothing_after_a_reload() {
    let folder = Folder::new();
    let settings = |program: &str| {
        format!("paths = [\"p\"]\n[[actions]]\nrestart = {{ command = \"touch {program}\" }}\n")
    };
    let config = with_settings(&folder, &settings("first"));
    let mut daemon = folder.follow(&["--dry-run", "--config", &config]);
    let second = folder.at("../second");
    folder.write("../m.toml", &settings(second.to_str().unwrap()));
    daemon.signal(Signal::HUP);
    daemon.until("ready");
    daemon.expect("settings-reloaded");
    daemon.is_silent(Duration::from_millis(500));
    assert!(daemon.stop().success());
    assert!(!second.exists());
}

#[test]
fn a_change_that_mends_a_program_is_not_kept_waiting_by_its_start() {
    let folder = Folder::new();
    let port = free_port().to_string();
    let good = format!("exec php -S 127.0.0.1:{port}");
    let starts = |count| until(|| (folder.read("../bad").len() == count).then_some(()));
    folder.write("code", "printf x >> ../bad; exec sleep 1000");
    let begin = Instant::now();
    let mut daemon = folder.follow(&["--port", &port, "--", "sh", "code"]);
    starts(1);
    folder.write("code", &good);
    daemon.expect("changed");
    let acted = daemon.expect("acted");
    assert!(acted["text"].as_str().unwrap().contains("listening on port"), "{acted}");
    // The same while it is restarted because of a change.
    folder.write("code", "printf x >> ../bad; exec sleep 2000");
    daemon.expect("changed");
    starts(2);
    folder.write("code", &format!("{good} "));
    let acted = daemon.until("acted");
    assert!(acted["text"].as_str().unwrap().contains("listening on port"), "{acted}");
    assert!(begin.elapsed() < Duration::from_secs(40), "{:?}", begin.elapsed());
    assert!(daemon.stop().success());
}

/// A change breaks off a start; what the check then refuses must not leave the program unwatched.
#[test]
fn a_start_that_was_broken_off_for_nothing_goes_on() {
    let folder = Folder::new();
    let port = free_port().to_string();
    folder.write(
        "code",
        &format!("until test -e ../go; do sleep 0.05; done; exec php -S 127.0.0.1:{port}"),
    );
    let check = "sh -c '! grep -l bad \"$@\"' sh {changed}";
    let mut daemon = folder.follow(&["--check", check, "--port", &port, "--", "sh", "code"]);
    folder.write("a", "bad");
    daemon.expect("changed");
    daemon.expect("check-failed");
    folder.write("../go", "");
    let acted = daemon.expect("acted");
    assert!(acted["text"].as_str().unwrap().contains("listening on port"), "{acted}");
    assert!(daemon.stop().success());
}

#[test]
fn what_changes_between_two_actions_is_checked_before_the_second() {
    let folder = Folder::new();
    let settings = "paths = [\"p\"]\ninterval = \"0s\"\n[check]\ncommand = { shell = '! grep bad \"$@\"' }\n[[actions]]\nrun = { command = { shell = 'touch ^began; until test -e ^go; do sleep 0.05; done' } }\n[[actions]]\nrun = { command = { shell = 'for name; do echo \"$name\" >> ^acted; done' } }\n";
    let config = with_settings(&folder, settings);
    let mut daemon = folder.follow(&["--config", &config]);
    folder.write("a", "good");
    until(|| folder.at("../began").exists().then_some(()));
    folder.write("b", "bad");
    folder.write("../go", "");
    daemon.until("acted");
    assert_eq!(names(&daemon.expect("changed-meanwhile"), &folder.at("")), ["created b"]);
    daemon.expect("check-failed");
    assert_eq!(folder.read("../acted"), "");
    folder.write("b", "good");
    daemon.until("acted");
    daemon.until("acted");
    assert_eq!(folder.read("../acted").lines().count(), 2);
    daemon.is_silent(Duration::from_millis(300));
}

#[test]
fn an_action_that_writes_into_the_tree_is_told_of_and_slowed_down() {
    let folder = Folder::new();
    let mut daemon = folder.follow(&["--run", "sh -c 'date +%N > built; echo >> ../built'"]);
    folder.write("a", "one");
    let told = daemon.until("restless");
    assert!(told["text"].as_str().unwrap().contains("exclude what"), "{told}");
    let before = folder.read("../built").lines().count();
    std::thread::sleep(Duration::from_secs(5));
    let after = folder.read("../built").lines().count();
    // After waits of one, two and four seconds.
    assert!(after - before <= 3, "{before}, then {after}");
    assert!(daemon.stop().success());
}

#[test]
fn an_action_before_the_last_that_writes_into_the_tree_is_told_of_too() {
    let folder = Folder::new();
    let settings = "paths = [\"p\"]\ninterval = \"0s\"\n[[actions]]\nrun = { command = { shell = 'date +%N > ^p/built; echo >> ^built' } }\n[[actions]]\nrun = { command = \"true\" }\n";
    let config = with_settings(&folder, settings);
    let mut daemon = folder.follow(&["--config", &config]);
    folder.write("a", "one");
    daemon.until("restless");
    let before = folder.read("../built").lines().count();
    std::thread::sleep(Duration::from_secs(5));
    let after = folder.read("../built").lines().count();
    assert!(after - before <= 3, "{before}, then {after}");
    // Nothing is lost: it is tried again, without another change.
    until(|| (folder.read("../built").lines().count() > before).then_some(()));
}

#[test]
fn changes_one_after_the_other_are_no_reason_to_slow_down() {
    let folder = Folder::new();
    let mut daemon = folder.follow(&["--run", "true"]);
    for round in 0..10 {
        folder.write("a", &round.to_string());
        daemon.expect("changed");
        daemon.expect("acted");
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(daemon.stop().success());
}

#[test]
fn the_removal_of_what_an_action_was_told_of_is_told_too() {
    let folder = Folder::new();
    let port = free_port();
    folder.write(
        "../router.php",
        "<?php file_put_contents('posted', file_get_contents('php://input'));",
    );
    let mut command = std::process::Command::new("php");
    command.args(["-S", &format!("127.0.0.1:{port}"), "router.php"]).current_dir(folder.at("../"));
    let mut server = command.spawn().unwrap();
    until(|| std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let settings = format!(
        "paths = [\"p\"]\nbackoff = \"1ms\"\n[[actions]]\npost = {{ url = \"http://127.0.0.1:{port}/\" }}\n[[actions]]\nrun = {{ command = \"false\" }}\n"
    );
    let config = with_settings(&folder, &settings);
    let mut daemon = folder.follow(&["--config", &config]);
    for kind in ["created", "removed"] {
        match kind {
            "created" => folder.write("new", "x"),
            _ => std::fs::remove_file(folder.at("new")).unwrap(),
        }
        daemon.expect("changed");
        daemon.expect("acted");
        daemon.expect("action-failed");
        let posted: serde_json::Value = serde_json::from_str(&folder.read("../posted")).unwrap();
        assert_eq!(names(&posted, &folder.at("")), [format!("{kind} new")]);
    }
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn nothing_is_done_for_what_was_refused_and_is_gone() {
    let folder = Folder::new();
    let check = "sh -c '! grep -l bad \"$@\"' sh {changed}";
    let mut daemon = folder.follow(&["--check", check, "--run", "touch ../acted"]);
    folder.write("new", "bad");
    daemon.until("check-failed");
    std::fs::remove_file(folder.at("new")).unwrap();
    daemon.expect("changed");
    daemon.is_silent(Duration::from_millis(500));
    assert!(!folder.at("../acted").exists());
    // It goes on as before.
    folder.write("other", "good");
    daemon.until("acted");
    assert!(daemon.stop().success());
}
