//! Nothing is done before the check has passed, and what it refused is not forgotten.

use crate::support::{Folder, names};
use std::time::Duration;

/// Fails as long as a file says `bad`, and writes down what it was asked about.
const CHECK: &str = "sh -c 'echo \"$@\" >> ../checked; ! grep -n bad \"$@\"' sh {changed}";
const ACT: &str = "sh -c 'echo \"$@\" >> ../acted' sh {changed}";

fn lines(text: &str) -> Vec<Vec<&str>> {
    let name = |path: &str| path.rfind('/').map_or(0, |slash| slash + 1);
    text.lines().map(|line| line.split(' ').map(|path| &path[name(path)..]).collect()).collect()
}

#[test]
fn what_does_not_pass_is_not_acted_upon_until_it_does() {
    let folder = Folder::new();
    folder.write("a", "good");
    folder.write("b", "good");
    let mut daemon = folder.follow(&["--check", CHECK, "--run", ACT]);
    folder.write("a", "bad");
    assert_eq!(names(&daemon.expect("changed"), &folder.at("")), ["modified a"]);
    let failed = daemon.expect("check-failed");
    assert_eq!(failed["output"], "1:bad");
    // Another file that is right does not let the wrong one through.
    folder.write("b", "better");
    daemon.expect("changed");
    daemon.expect("check-failed");
    assert_eq!(folder.read("../acted"), "");
    folder.write("a", "better");
    daemon.expect("changed");
    daemon.expect("check-passed");
    daemon.expect("acted");
    assert_eq!(lines(&folder.read("../acted")), [["a", "b"]]);
    // Only what is new is checked now.
    folder.write("b", "best");
    daemon.until("acted");
    assert_eq!(lines(&folder.read("../checked")).last().unwrap(), &["b"]);
    assert!(daemon.stop().success());
}

#[test]
fn what_changes_during_the_check_is_checked_too() {
    let folder = Folder::new();
    folder.write("a", "one");
    // The first check takes its time; while it runs, another file changes.
    let check = "sh -c 'echo \"$@\" >> ../checked; test -e ../slow || { touch ../slow; sleep 0.5; }' sh {changed}";
    let mut daemon = folder.follow(&["--check", check, "--run", ACT]);
    folder.write("a", "two");
    daemon.expect("changed");
    crate::support::until(|| folder.at("../slow").exists().then_some(()));
    folder.write("b", "two");
    assert_eq!(names(&daemon.expect("changed-meanwhile"), &folder.at("")), ["created b"]);
    daemon.expect("check-passed");
    daemon.expect("acted");
    assert_eq!(lines(&folder.read("../checked")), [vec!["a"], vec!["a", "b"]]);
    assert_eq!(lines(&folder.read("../acted")), [["a", "b"]]);
    daemon.is_silent(Duration::from_millis(200));
}

#[test]
fn a_check_that_writes_into_the_tree_is_told_of() {
    let folder = Folder::new();
    folder.write("a", "one");
    let check = "sh -c 'date +%N > output' sh";
    let mut daemon = folder.follow(&["--check", check, "--run", ACT]);
    folder.write("a", "two");
    let failed = daemon.until("check-failed");
    assert!(
        failed["reason"].as_str().unwrap().contains("exclude what the check writes"),
        "{failed}"
    );
    assert_eq!(folder.read("../acted"), "");
}

#[test]
fn a_check_that_hangs_is_ended_with_all_that_it_started() {
    let folder = Folder::new();
    folder.write("a", "one");
    let settings = "paths = [\"p\"]\n[check]\ncommand = { shell = \"sleep 1000 & echo $! > sleeper; wait\" }\ntimeout = \"300ms\"\n";
    folder.write("../m.toml", settings);
    let config = folder.at("../m.toml");
    let mut daemon = folder.follow(&["--config", config.to_str().unwrap()]);
    folder.write("a", "two");
    let failed = daemon.until("check-failed");
    assert!(failed["reason"].as_str().unwrap().ends_with("took longer than 300ms"), "{failed}");
    let sleeper = folder.read("../sleeper");
    crate::support::until(|| (!crate::support::runs(&sleeper)).then_some(()));
}

#[test]
fn php_is_asked_about_each_file() {
    let folder = Folder::new();
    folder.write("a.php", "<?php echo 1;");
    let flags = ["-e", "php", "--check", "php -l {changed}", "--check-each", "--run", ACT];
    let mut daemon = folder.follow(&flags);
    folder.write("a.php", "<?php echo 2;");
    folder.write("b.php", "<?php echo");
    folder.write("c.txt", "<?php echo");
    assert_eq!(
        names(&daemon.expect("changed"), &folder.at("")),
        ["modified a.php", "created b.php"]
    );
    let failed = daemon.expect("check-failed");
    assert!(failed["output"].as_str().unwrap().contains("b.php"), "{failed}");
    folder.write("b.php", "<?php echo 3;");
    daemon.until("acted");
    assert_eq!(lines(&folder.read("../acted")), [["a.php", "b.php"]]);
}
