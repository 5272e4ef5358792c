//! Reloads: one process after the other, without a connection that is refused.

use crate::app::{Answer, App, Peer, eventually, is_alive};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Connects again and again while something is done, and collects who has answered.
fn connecting<T>(address: &str, while_doing: impl FnOnce() -> T) -> (T, BTreeSet<Answer>) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let connects = scope.spawn(|| {
            let mut answers = BTreeSet::new();
            while !over.load(Ordering::Relaxed) {
                // A process that leaves may close a connection, but never refuses one.
                answers.extend(Peer::connect(address).try_ask());
            }
            answers
        });
        let done = while_doing();
        over.store(true, Ordering::Relaxed);
        (done, connects.join().expect("no connection is refused"))
    })
}

pub(crate) fn each_process_is_replaced_and_no_connection_refused() {
    let app = App::new().with("COUNT", "3").start();
    let address = app.address();
    for _ in 0..3 {
        let before = app.pids();
        let (_, answers) = connecting(&address, || app.done(&["reload"]));
        let after = app.pids();
        assert_eq!(after.len(), 3);
        assert!(before.iter().all(|pid| !after.contains(pid) && !is_alive(*pid)));
        let known = |answer: &Answer| {
            let id = answer.id as usize;
            [before[id], after[id]].contains(&answer.pid.into())
        };
        assert!(
            !answers.is_empty() && answers.iter().all(known),
            "{before:?} {after:?} {answers:?}"
        );
    }
    assert_eq!(app.status()["workers"][0]["exits"].to_string(), "[]");
}

pub(crate) fn sockets_of_their_own_are_kept() {
    let app = App::new().with("COUNT", "3").with("REUSE_PORT", "1").start();
    let address = app.address();
    let (_, answers) = connecting(&address, || app.done(&["reload"]));
    assert!(!answers.is_empty());
    eventually("each process is connected to", || {
        let answers: BTreeSet<u32> = (0..20).map(|_| Peer::connect(&address).ask().pid).collect();
        answers.len() == 3
    });
}

pub(crate) fn the_new_program_answers() {
    let app = App::new().start();
    let before = app.connect().ask().length;
    let length = app.replace_program(9);
    assert_eq!(length, before + 9);
    assert_eq!(app.connect().ask().length, before);
    app.done(&["reload"]);
    assert_eq!(app.connect().ask().length, length);
    assert_eq!(app.connect().ask().length, length);
}

pub(crate) fn a_program_that_does_not_start_changes_nothing() {
    let app = App::new().start();
    let before = app.pids();
    app.write("fail", "");
    let ended = app.run(&["reload"]);
    assert_eq!(ended.code, Some(1));
    let text = "workyard[app] reload fail: worker \"echo\" process 0 did not start: \
                on_worker_start: there is no database\n";
    assert!(ended.output.ends_with(text), "{}", ended.output);
    assert_eq!(app.pids(), before);
    std::fs::remove_file(app.path("fail")).expect("it is there");
    app.done(&["reload"]);
    assert!(app.pids().iter().all(|pid| !before.contains(pid)));
}

pub(crate) fn other_workers_need_a_restart() {
    let app = App::new().start();
    let before = app.pids();
    app.write("worker", "another");
    let ended = app.run(&["reload"]);
    assert_eq!(ended.code, Some(1));
    let text = "the program's worker is \"another\" and no longer \"echo\": it needs a restart, not a reload\n";
    assert!(ended.output.ends_with(text), "{}", ended.output);
    assert_eq!(app.pids(), before);
    app.done(&["restart", "-d"]);
    assert_eq!(app.status()["workers"][0]["name"], "another");
}

pub(crate) fn who_is_not_reloadable_only_hears_of_it() {
    let app = App::new().with("RELOADABLE", "no").start();
    let before = app.pids();
    app.done(&["reload"]);
    assert_eq!(app.pids(), before);
    eventually("both hear of it", || app.read("app.log").matches("heard of a reload").count() == 2);
}

pub(crate) fn a_connection_can_take_its_time() {
    let app = App::new().with("COUNT", "1").with("STOP_TIMEOUT", "400").start();
    let before = app.pids();
    let mut peer = app.connect();
    let answer = peer.ask();
    thread::scope(|scope| {
        let reload = scope.spawn(|| app.done(&["reload", "-g"]));
        eventually("another serves", || app.pids().first().is_some_and(|pid| *pid != before[0]));
        thread::sleep(std::time::Duration::from_millis(900));
        assert_eq!(peer.ask(), answer);
        assert!(!reload.is_finished());
        drop(peer);
        reload.join().expect("it ends");
    });
    assert!(!is_alive(before[0]));
}
