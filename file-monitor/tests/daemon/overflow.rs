//! The kernel's queue overflows while the daemon is held up, its limits are reached, or it tells nothing.

use crate::support::{Folder, names};
use rustix::process::Signal;
use std::time::Duration;

/// More than `fs.inotify.max_queued_events` on any machine that has not raised it, which is 16 384.
const FILES: usize = 100_000;

#[test]
fn a_burst_that_overflows_the_queue_is_one_set_and_loses_nothing() {
    let folder = Folder::new();
    folder.write("kept", "one");
    folder.write("removed", "one");
    for number in 0..FILES / 1000 {
        std::fs::create_dir(folder.at(&number.to_string())).unwrap();
    }
    // A busy machine may take longer than usual to hear of so much.
    let mut daemon = folder.follow(&["--settle-max", "60s"]);
    daemon.signal(Signal::STOP);
    for number in 0..FILES {
        folder.write(&format!("{}/f{number}", number / 1000), "x");
    }
    std::fs::remove_file(folder.at("removed")).unwrap();
    std::fs::create_dir(folder.at("new")).unwrap();
    folder.write("new/a", "one");
    daemon.signal(Signal::CONT);
    assert_eq!(daemon.expect("notice")["name"], "overflow");
    assert_eq!(daemon.expect("changed")["count"], FILES + 2);
    // What was made while nothing was told is followed.
    folder.write("new/a", "two");
    folder.write("kept", "two");
    assert_eq!(daemon.expect("changed")["count"], 2);
    daemon.is_silent(Duration::from_millis(300));
    assert!(daemon.stop().success());
}

#[test]
fn at_the_limit_of_directories_the_others_are_polled() {
    let folder = Folder::new();
    for number in 0..10 {
        std::fs::create_dir(folder.at(&number.to_string())).unwrap();
        folder.write(&format!("{number}/a"), "one");
    }
    let mut daemon = folder.start_within("max_inotify_watches", 4, &["--poll-interval", "50ms"]);
    let notice = daemon.expect("notice");
    assert_eq!(notice["name"], "limit");
    assert!(notice["text"].as_str().unwrap().contains("fs.inotify.max_user_watches"), "{notice}");
    daemon.expect("ready");
    for number in 0..10 {
        folder.write(&format!("{number}/a"), "two");
        let changed = daemon.expect("changed");
        assert_eq!(names(&changed, &folder.at("")), [format!("modified {number}/a")]);
        folder.write(&format!("{number}/a"), "two");
    }
    daemon.is_silent(Duration::from_millis(300));
    assert!(daemon.stop().success());
}

#[test]
fn without_inotify_everything_is_polled() {
    let folder = Folder::new();
    folder.write("a", "one");
    let mut daemon = folder.start_within("max_inotify_instances", 0, &["--poll-interval", "50ms"]);
    let notice = daemon.expect("notice");
    assert_eq!(notice["name"], "polled");
    assert!(notice["text"].as_str().unwrap().contains("fs.inotify.max_user_instances"), "{notice}");
    daemon.expect("ready");
    folder.write("a", "two");
    assert_eq!(names(&daemon.expect("changed"), &folder.at("")), ["modified a"]);
    assert!(daemon.stop().success());
}

/// What is written below an overlay shows in it, and nobody is told: as in a container whose files are
/// changed from outside.
#[test]
fn what_an_overlay_does_not_tell_is_found() {
    let folder = Folder::new();
    for name in ["below", "above", "work", "p/merged"] {
        std::fs::create_dir(folder.at(&format!("../{name}"))).unwrap();
    }
    folder.write("../below/a", "one");
    let mount = "mount -t overlay overlay -o \
                 lowerdir=../below,upperdir=../above,workdir=../work,userxattr merged";
    let mut daemon = folder.start_after(mount, &["merged", "--poll-interval", "50ms"]);
    let notice = daemon.expect("notice");
    assert_eq!(notice["name"], "polled");
    daemon.expect("ready");
    folder.write("../below/a", "twofold");
    assert_eq!(names(&daemon.expect("changed"), &folder.at("merged")), ["modified a"]);
    daemon.is_silent(Duration::from_millis(300));
    assert!(daemon.stop().success());
}
