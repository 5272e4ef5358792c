//! Reloads because files have changed.

use crate::app::{Answer, App, PATIENCE, Peer, eventually};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often the service was reloaded by a change.
fn reloads(app: &App) -> usize {
    app.read("app.log").matches(" reloading").count()
}

/// Asks again and again, on connections that stay as long as the process does.
fn asking(address: &str, over: &AtomicBool, asked: &AtomicUsize) -> BTreeSet<Answer> {
    let mut answers = BTreeSet::new();
    while !over.load(Ordering::Relaxed) {
        answers.insert(Peer::connect(address).ask());
        asked.fetch_add(1, Ordering::Relaxed);
    }
    answers
}

/// Each connection asks once: a process that leaves still answers what it has accepted.
pub(crate) fn a_change_reloads_and_no_request_fails() {
    let app = App::new().with("COUNT", "2").with("RELOAD_ON_CHANGE", "templates");
    std::fs::create_dir(app.path("templates")).expect("the folder is ours");
    app.write("templates/page", "0");
    let service = app.start_here();
    let (address, over, asked) = (app.address(), AtomicBool::new(false), AtomicUsize::new(0));
    let answers = thread::scope(|scope| {
        let tasks: Vec<_> =
            (0..4).map(|_| scope.spawn(|| asking(&address, &over, &asked))).collect();
        for round in 1..=5 {
            let before = app.pids();
            let begin = Instant::now();
            // As editors save, and a touch, which is nothing.
            app.write("templates/page~", &round.to_string());
            std::fs::rename(app.path("templates/page~"), app.path("templates/page"))
                .expect("it is there");
            eventually("all are replaced", || {
                let pids = app.pids();
                pids.len() == 2 && pids.iter().all(|pid| !before.contains(pid))
            });
            assert!(begin.elapsed() < PATIENCE);
            app.write("templates/page", &round.to_string());
        }
        over.store(true, Ordering::Relaxed);
        tasks
            .into_iter()
            .flat_map(|task| task.join().expect("no request fails"))
            .collect::<Vec<_>>()
    });
    thread::sleep(Duration::from_millis(300));
    assert_eq!(reloads(&app), 5, "{}", app.read("app.log"));
    let processes: BTreeSet<u32> = answers.iter().map(|answer| answer.pid).collect();
    assert!(processes.len() >= 6 && asked.load(Ordering::Relaxed) > 100, "{processes:?}");
    drop(service);
}

pub(crate) fn a_new_program_is_reloaded_by_itself() {
    let app = App::new().with("RELOAD_ON_CHANGE", "templates");
    std::fs::create_dir(app.path("templates")).expect("the folder is ours");
    let service = app.start_here();
    let length = app.replace_program(9);
    eventually("the new program answers", || app.connect().ask().length == length);
    // What it logs beside itself is no change.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(reloads(&app), 1, "{}", app.read("app.log"));
    drop(service);
}

pub(crate) fn without_a_terminal_changes_are_left_alone() {
    let app = App::new().with("RELOAD_ON_CHANGE", "page");
    app.write("page", "0");
    let app = app.start();
    app.write("page", "1");
    thread::sleep(Duration::from_millis(700));
    assert_eq!(reloads(&app), 0);
    app.done(&["stop"]);
    let app = app.with("RELOAD_AS_DAEMON", "yes").start();
    app.write("page", "2");
    eventually("it is reloaded", || reloads(&app) == 1);
}

pub(crate) fn a_path_that_is_not_there_is_said() {
    let app = App::new().with("RELOAD_ON_CHANGE", "nowhere");
    let ended = app.run(&["start"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.output.contains("cannot follow") && ended.output.contains("nowhere"),
        "{}",
        ended.output
    );
}
