//! The ways in which the daemon is used besides following without end.

use crate::support::{Folder, names, until};
use rustix::process::Signal;
use std::process::Command;
use std::time::Duration;

fn output(folder: &Folder, flags: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_file-monitor"));
    let output = command.current_dir(folder.at("")).args(flags).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn once_ends_with_the_first_change_and_says_how_it_went() {
    let folder = Folder::new();
    for (command, code) in [("true", 0), ("false", 1)] {
        let mut daemon = folder.follow(&["--once", "--run", command]);
        folder.write("a", command);
        assert_eq!(daemon.wait().code(), Some(code), "{command}");
        let mut daemon = folder.follow(&["--once", "--check", command, "--run", "true"]);
        folder.write("a", &format!("{command} again"));
        assert_eq!(daemon.wait().code(), Some(code), "{command}");
    }
}

#[test]
fn a_dry_run_says_what_it_would_do() {
    let folder = Folder::new();
    let flags =
        ["--dry-run", "--check", "false", "--run", "touch ../acted", "--", "touch", "../started"];
    let mut daemon = folder.follow(&flags);
    folder.write("a", "one");
    assert_eq!(names(&daemon.expect("changed"), &folder.at("")), ["created a"]);
    for action in ["check by false", "run touch ../acted", "restart touch ../started"] {
        assert_eq!(daemon.expect("would-act")["action"], action);
    }
    assert!(daemon.stop().success());
    assert!(!folder.at("../acted").exists() && !folder.at("../started").exists());
}

#[test]
fn init_writes_settings_that_are_found_and_right() {
    let folder = Folder::new();
    folder.write("composer.json", "{}");
    let (code, said, _) = output(&folder, &["init"]);
    assert_eq!(code, Some(0));
    assert_eq!(said, "./file-monitor.toml is written, for a project of PHP\n");
    let (code, said, _) = output(&folder, &["--check-config"]);
    assert_eq!((code, said.as_str()), (Some(0), "the configuration is right\n"));
    let (_, said, _) = output(&folder, &["--print-config"]);
    assert!(said.contains("command = [\"php\", \"-l\", \"{changed}\"]"), "{said}");
    let (code, _, error) = output(&folder, &["init"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("is there already"), "{error}");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_done() {
    let folder = Folder::new();
    folder.write("file-monitor.toml", "paths = [\".\"]\nsetle = \"1s\"\n");
    let (code, _, error) = output(&folder, &[]);
    assert_eq!(code, Some(2));
    assert!(error.contains("line 2") && error.contains("unknown field `setle`"), "{error}");
    folder.write("file-monitor.toml", "");
    let (code, _, error) = output(&folder, &["/no/such/place"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("cannot follow /no/such/place"), "{error}");
    let (code, said, error) = output(&folder, &["--check-config", "/no/such/place"]);
    assert_eq!((code, said.as_str()), (Some(1), ""));
    assert!(error.contains("cannot follow /no/such/place"), "{error}");
    for (flag, value) in [("--settle", "6s"), ("--exclude", "a{"), ("--run", "a x={changed}")] {
        for more in [&["--check-config"][..], &[]] {
            let (code, _, _) = output(&folder, &[&[flag, value], more].concat());
            assert_eq!(code, Some(2), "{flag} {more:?}");
        }
    }
}

#[test]
fn settings_are_read_again_on_sighup_and_wrong_ones_are_not_taken() {
    let folder = Folder::new();
    let settings = |name: &str| format!("paths = [\"p\"]\nextensions = [\"{name}\"]\n");
    folder.write("../m.toml", &settings("one"));
    let config = folder.at("../m.toml");
    let mut daemon = folder.follow(&["--config", config.to_str().unwrap()]);
    folder.write("../m.toml", "extensions = 5");
    daemon.signal(Signal::HUP);
    daemon.expect("settings-wrong");
    folder.write("a.two", "x");
    folder.write("a.one", "x");
    assert_eq!(names(&daemon.expect("changed"), &folder.at("")), ["created a.one"]);
    folder.write("../m.toml", &settings("two"));
    daemon.signal(Signal::HUP);
    daemon.until("settings-reloaded");
    folder.write("a.one", "y");
    folder.write("a.two", "y");
    assert_eq!(names(&daemon.expect("changed"), &folder.at("")), ["modified a.two"]);
    assert!(daemon.stop().success());
}

#[test]
fn without_a_terminal_and_json_there_is_a_log() {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_file-monitor"));
    let log = std::fs::File::create(folder.at("../log")).unwrap();
    let mut child = command.current_dir(folder.at("")).stderr(log).spawn().unwrap();
    until(|| folder.read("../log").contains("following 0 files in .").then_some(()));
    folder.write("a", "one");
    until(|| folder.read("../log").contains("1 file: created ").then_some(()));
    std::thread::sleep(Duration::from_millis(100));
    rustix::process::kill_process(crate::support::pid(&child), Signal::INT).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn who_asks_for_events_and_does_not_read_them_holds_up_nothing() {
    let folder = Folder::new();
    let flags = ["--json", "--interval", "0s", "--run", "sh -c 'echo >> ../acted'"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_file-monitor"));
    let command = command.current_dir(folder.at("")).args(flags);
    // A pipe takes 64 KiB, and each of the sets is more.
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    for round in 1..=5 {
        for number in 0..1000 {
            folder.write(&format!("a file with a long name {number}"), &round.to_string());
        }
        until(|| (folder.read("../acted").lines().count() >= round).then_some(()));
    }
    rustix::process::kill_process(crate::support::pid(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
}

#[test]
fn systemd_is_told() {
    let folder = Folder::new();
    let path = folder.at("../notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
    let told = || {
        let mut text = [0; 1000];
        let length = socket.recv(&mut text).unwrap();
        String::from_utf8(text[..length].to_vec()).unwrap()
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_file-monitor"));
    let command = command.current_dir(folder.at("")).env("NOTIFY_SOCKET", &path);
    let mut child =
        command.args(["--run", "true"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    assert_eq!(told().trim(), "READY=1");
    folder.write("a", "one");
    assert_eq!(told().trim(), "STATUS=the last change was acted upon");
    rustix::process::kill_process(crate::support::pid(&child), Signal::TERM).unwrap();
    assert_eq!(told().trim(), "STOPPING=1");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_file_name_forges_no_line_and_sets_no_colour() {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_file-monitor"));
    let log = std::fs::File::create(folder.at("../log")).unwrap();
    let flags =
        ["--check", "sh -c 'printf \"%b\" \"\\\\033[31m$1\\\\007\\nmore\\r\"; false' sh {changed}"];
    let command = command.current_dir(folder.at("")).args(flags);
    let mut child = command.stderr(log).spawn().unwrap();
    until(|| folder.read("../log").contains("following").then_some(()));
    folder.write("a\n2026-01-01 INFO all is well\u{1b}[2J\u{202e}", "one");
    until(|| folder.read("../log").contains("more").then_some(()));
    rustix::process::kill_process(crate::support::pid(&child), Signal::INT).unwrap();
    assert!(child.wait().unwrap().success());
    let log = folder.read("../log");
    assert!(
        log.contains("created ")
            && log.contains("a\\n2026-01-01 INFO all is well\\u{1b}[2J\\u{202e}"),
        "{log}"
    );
    assert!(log.contains("\n    more"), "{log}");
    assert!(!log.lines().any(|line| line.starts_with("2026-01-01")), "{log}");
    assert!(!log.contains(['\u{1b}', '\u{7}', '\r', '\u{202e}']), "{log}");
}

#[test]
fn what_a_file_names_begins_at_its_folder() {
    let folder = Folder::new();
    for name in ["s", "s/there"] {
        std::fs::create_dir(folder.at(&format!("../{name}"))).unwrap();
    }
    let settings = "paths = [\"../p\"]\n\
        [check]\ncommand = \"sh act.sh\"\n\
        [[actions]]\nrun = { command = \"sh ../act.sh\", directory = \"there\" }\n\
        [[actions]]\nrun = { command = { shell = \"./act.sh\" } }\n\
        [[actions]]\nrestart = { command = \"./act.sh\", alive = \"1ms\" }\n";
    folder.write("../s/m.toml", settings);
    let script = folder.at("../s/act.sh");
    folder.write("../s/act.sh", "#!/bin/sh\npwd >> said");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut daemon = folder.follow(&["--config", "../s/m.toml"]);
    folder.write("a", "one");
    daemon.until("changed");
    let at =
        |name: &str| format!("{}\n", std::fs::canonicalize(folder.at(name)).unwrap().display());
    until(|| (folder.read("../s/said").lines().count() >= 3).then_some(()));
    assert_eq!(folder.read("../s/there/said"), at("../s/there"));
    assert!(folder.read("../s/said").lines().all(|line| format!("{line}\n") == at("../s")));
    folder.write("../s/m.toml", "[check]\ncommand = \"a\"\ndirectory = \"nowhere\"\n");
    let (code, _, error) = output(&folder, &["--config", "../s/m.toml", "--check-config"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("../s/nowhere is no directory"), "{error}");
}

#[test]
fn what_a_run_says_is_shown_and_a_removal_names_no_file() {
    let folder = Folder::new();
    let mut daemon =
        folder.follow(&["--run", "sh -c 'echo \"$#\" files; echo so >&2' sh {changed}"]);
    folder.write("a", "one");
    let acted = daemon.until("acted");
    assert_eq!(acted["text"], "done");
    let mut said: Vec<_> = acted["output"].as_str().unwrap().lines().collect();
    said.sort_unstable();
    assert_eq!(said, ["1 files", "so"]);
    std::fs::remove_file(folder.at("a")).unwrap();
    let acted = daemon.until("acted");
    assert_eq!(
        (acted["text"].as_str(), acted["output"].as_str()),
        (Some("not run, as no file is left to name"), Some(""))
    );
}
