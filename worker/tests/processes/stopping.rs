//! Stopping: by signals and by commands, in time and with patience.

use crate::app::{App, eventually, is_alive, signal};
use rustix::process::Signal;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn signals_stop() {
    for (stops, name) in [
        (Signal::TERM, "SIGTERM"),
        (Signal::INT, "SIGINT"),
        (Signal::HUP, "SIGHUP"),
        (Signal::TSTP, "SIGTSTP"),
        (Signal::QUIT, "SIGQUIT"),
    ] {
        let app = App::new();
        let mut here = app.start_here();
        let pids = app.pids();
        signal(here.pid(), stops);
        assert_eq!(here.end(), Some(0), "{name}");
        assert!(!pids.iter().any(|pid| is_alive(*pid)), "{name}");
        let log = app.read("app.log");
        let text = format!("workyard[app] received signal {name}\n");
        assert!(log.contains(&text), "{text}: {log}");
        assert!(!log.contains("exit with status"), "{log}");
    }
}

pub(crate) fn a_connection_can_take_its_time_and_be_hurried() {
    let app = App::new().with("STOP_TIMEOUT", "300").start();
    let mut peer = app.connect();
    let answer = peer.ask();
    thread::scope(|scope| {
        let stop = scope.spawn(|| app.done(&["stop", "-g"]));
        eventually("it leaves", || {
            app.status()["processes"].as_array().is_some_and(|all| all.len() == 1)
        });
        thread::sleep(Duration::from_millis(700));
        assert_eq!(peer.ask(), answer);
        assert!(!stop.is_finished());
        let hurried = scope.spawn(|| app.done(&["stop"]));
        peer.wait_for_end();
        drop(peer);
        hurried.join().expect("it ends");
        let said = stop.join().expect("it ends");
        assert!(said.contains("is gracefully stopping ...\n"), "{said}");
    });
    assert!(!app.read("app.log").contains("is killed"), "{}", app.read("app.log"));
}

pub(crate) fn who_does_not_come_back_is_killed() {
    let app = App::new().with("STOP_TIMEOUT", "600").start();
    let mut spinning = app.connect();
    let pid = spinning.ask().pid;
    spinning.say("spin");
    let begun = Instant::now();
    app.done(&["stop"]);
    assert!(begun.elapsed() >= Duration::from_millis(600), "{:?}", begun.elapsed());
    assert!(!is_alive(pid.into()));
    let killed = format!("warning: worker[echo:{pid}] does not end and is killed\n");
    assert!(app.read("app.log").contains(&killed), "{}", app.read("app.log"));
}

pub(crate) fn a_second_signal_means_now() {
    let app = App::new().with("STOP_TIMEOUT", "60000");
    let mut here = app.start_here();
    app.connect().say("spin");
    eventually("it spins", || app.pids().len() == 1);
    signal(here.pid(), Signal::INT);
    eventually("it stops", || app.read("app.log").contains("stopping"));
    thread::sleep(Duration::from_millis(500));
    signal(here.pid(), Signal::INT);
    assert_eq!(here.end(), Some(0));
}

pub(crate) fn whoever_stops_what_stops_does_not_kill() {
    let app = App::new().with("COUNT", "1").with("STOP_TIMEOUT", "2500");
    app.write("slow", "1500");
    let mut here = app.start_here();
    let begun = Instant::now();
    // Two of a kind that come together, as of a terminal and of a script, are one.
    signal(here.pid(), Signal::TERM);
    signal(here.pid(), Signal::INT);
    eventually("it stops", || app.read("app.log").contains("stopping"));
    thread::sleep(Duration::from_millis(600));
    signal(here.pid(), Signal::HUP);
    signal(here.pid(), Signal::TSTP);
    app.done(&["stop"]);
    assert_eq!(here.end(), Some(0));
    assert!(begun.elapsed() >= Duration::from_millis(1500), "{:?}", begun.elapsed());
    let log = app.read("app.log");
    assert!(log.contains("has stopped in order") && !log.contains("is killed"), "{log}");
}

pub(crate) fn who_is_starting_is_not_waited_for() {
    let app = App::new().with("COUNT", "1").with("STOP_TIMEOUT", "400");
    app.write("hang in start", "");
    let mut here = app.start_in_vain();
    eventually("it starts", || app.read("app.log").contains("process 0 starts"));
    app.done(&["stop", "-g"]);
    assert_eq!(here.end(), Some(0));

    let app = App::new().with("COUNT", "1").with("STOP_TIMEOUT", "400").start();
    let first = app.pids()[0];
    app.write("hang in start", "");
    signal(first, Signal::KILL);
    eventually("the next starts", || app.read("app.log").matches("0 starts").count() == 2);
    std::fs::remove_file(app.path("hang in start")).expect("it is there");
    app.done(&["reload", "-g"]);
    assert_eq!(app.status()["processes"].as_array().map(Vec::len), Some(1));
    assert_eq!(app.pids().len(), 1);
}

pub(crate) fn what_does_not_come_up_can_be_stopped() {
    let app = App::new().with("COUNT", "1");
    let restart = ["restart", "-d", "-q"];
    for command in [&["stop"][..], &["stop", "-g"], &restart].repeat(5) {
        app.write("fail", "");
        std::fs::remove_file(app.path("app.log")).unwrap_or_default();
        let mut here = app.start_in_vain();
        // There is no process to be waited for, until the next is tried.
        eventually("it fails again", || app.read("app.log").matches("did not start").count() == 3);
        std::fs::remove_file(app.path("fail")).expect("it is there");
        let said = app.done(command);
        assert_eq!(here.end(), Some(0), "{command:?}");
        assert!(said.contains("stop success"), "{said}");
        if command == restart {
            assert_eq!(app.pids().len(), 1);
            app.done(&["stop"]);
        }
    }
}

pub(crate) fn a_restart_has_new_processes() {
    let app = App::new();
    app.done(&["restart", "-d"]);
    let (supervisor, pids) = (app.supervisor(), app.pids());
    app.done(&["restart", "-d", "-q"]);
    assert_ne!(app.supervisor(), supervisor);
    assert!(!is_alive(supervisor) && !pids.iter().any(|pid| is_alive(*pid)));
    assert_eq!(app.pids().len(), 2);
}
