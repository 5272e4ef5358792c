//! Workers that end, and who takes their place; whom they run as.

use crate::app::{App, Peer, eventually, is_alive, number, signal};
use rustix::process::Signal;

pub(crate) fn a_killed_worker_is_replaced() {
    let app = App::new().start();
    let before = app.pids();
    signal(before[1], Signal::KILL);
    eventually("another has its place", || {
        let pids = app.pids();
        pids.len() == 2 && pids[0] == before[0] && pids[1] != before[1]
    });
    let exits = &app.status()["workers"][0]["exits"];
    assert_eq!(exits.to_string(), r#"[{"count":1,"status":"SIGKILL"}]"#);
    let ended = format!("echo 1 {} ended: signal: 9 (SIGKILL)\n", before[1]);
    assert_eq!(app.read("app.out"), ended);
    let logged = format!(" worker[echo:{}] exit with status SIGKILL\n", before[1]);
    assert!(app.read("app.log").contains(&logged), "{}", app.read("app.log"));
}

pub(crate) fn a_callback_that_panics_ends_nothing() {
    let app = App::new().with("PANICS", "1").start();
    let before = app.pids();
    signal(before[0], Signal::KILL);
    eventually("another has its place", || {
        let pids = app.pids();
        pids.len() == 2 && pids[0] != before[0]
    });
    let log = app.read("app.log");
    for text in ["a mistake of the program", "error: on_worker_exit panicked\n"] {
        assert!(log.contains(text), "{text}: {log}");
    }
}

pub(crate) fn a_long_log_is_put_aside() {
    let app = App::new();
    let line = "2026-11-21 21:20:45 pid:31700 of another time\n";
    app.write("app.log", &line.repeat(11 * 1024 * 1024 / line.len()));
    let app = app.start();
    let length = |name| std::fs::metadata(app.path(name)).map_or(0, |metadata| metadata.len());
    eventually("it is put aside", || length("app.log") < 1024 * 1024);
    assert!(length("app.log.1") > 10 * 1024 * 1024);
    // All processes have opened the file before, and go on writing to it.
    signal(app.pids()[0], Signal::KILL);
    eventually("it is logged", || app.read("app.log").contains("exit with status SIGKILL"));
    assert!(!app.read("app.log").contains("another time"));
}

pub(crate) fn a_program_that_is_gone_is_awaited() {
    let app = App::new().start();
    let before = app.pids();
    let (path, gone) = (app.path("app"), app.path("gone"));
    std::fs::rename(&path, &gone).expect("the folder is ours");
    signal(app.supervisor(), Signal::USR1);
    let missing = "the reload has ended: worker \"echo\" process 0 did not start: ";
    eventually("the reload fails", || app.read("app.log").contains(missing));
    signal(before[1], Signal::KILL);
    eventually("it is missed", || app.read("app.log").matches("No such file").count() > 5);
    std::fs::rename(&gone, &path).expect("the folder is ours");
    eventually("another has its place", || {
        let pids = app.pids();
        pids.len() == 2 && pids[0] == before[0] && pids[1] != before[1]
    });
}

pub(crate) fn a_worker_that_exits_is_replaced() {
    let app = App::new().with("COUNT", "1").start();
    let before = app.pids();
    app.connect().say("exit");
    eventually("another has its place", || {
        let pids = app.pids();
        pids.len() == 1 && pids != before
    });
    let screen = app.done(&["status"]);
    let line = "echo     epoll          3               1               \n";
    assert!(screen.contains(line), "{screen}");
    assert_eq!(u64::from(app.connect().ask().pid), app.pids()[0]);
}

pub(crate) fn a_signal_to_a_worker_concerns_it_alone() {
    let app = App::new().start();
    let before = app.pids();
    signal(before[0], Signal::USR1);
    eventually("it is reloaded", || {
        let pids = app.pids();
        pids.len() == 2 && pids[0] != before[0] && !is_alive(before[0])
    });
    assert_eq!(app.pids()[1], before[1]);
    for stops in [Signal::TERM, Signal::INT, Signal::QUIT] {
        let pid = app.pids()[1];
        signal(pid, stops);
        eventually("it is replaced", || {
            let pids = app.pids();
            pids.len() == 2 && pids[1] != pid
        });
    }
    let exits = &app.status()["workers"][0]["exits"];
    assert_eq!(exits.to_string(), r#"[{"count":3,"status":"0"}]"#);
}

pub(crate) fn who_leaves_by_itself_is_replaced_at_once() {
    let app = App::new().with("COUNT", "1").with("STOP_TIMEOUT", "400").start();
    let mut peer = app.connect();
    let answer = peer.ask();
    signal(answer.pid.into(), Signal::QUIT);
    let next = || Peer::connect(&app.address()).ask();
    eventually("another answers", || next().pid != answer.pid);
    std::thread::sleep(std::time::Duration::from_millis(900));
    assert_eq!(peer.ask(), answer);
    let states = app.status()["processes"].to_string();
    assert_eq!(states.matches(r#""state":"leaving""#).count(), 1, "{states}");
    assert_eq!(app.pids(), [u64::from(next().pid)]);
    drop(peer);
    eventually("it ends", || !is_alive(answer.pid.into()));
    assert_eq!(app.pids().len(), 1);
}

pub(crate) fn who_leaves_by_itself_and_hangs_is_killed() {
    let app = App::new().with("COUNT", "1").with("STOP_TIMEOUT", "1500");
    app.write("hang", "");
    let app = app.start();
    let before = app.pids()[0];
    signal(before, Signal::TERM);
    eventually("another has its place", || app.pids().first().is_some_and(|pid| *pid != before));
    assert_eq!(u64::from(app.connect().ask().pid), app.pids()[0]);
    eventually("it is killed", || !is_alive(before));
    std::fs::remove_file(app.path("hang")).expect("it is there");
    let killed = format!("warning: worker[echo:{before}] does not end and is killed\n");
    assert!(app.read("app.log").contains(&killed), "{}", app.read("app.log"));
}

pub(crate) fn workers_without_a_supervisor_end() {
    let app = App::new().with("STOP_TIMEOUT", "300").start();
    let pids = app.pids();
    app.connect().say("spin");
    signal(app.supervisor(), Signal::KILL);
    eventually("all end, also who does not come back", || !pids.iter().any(|pid| is_alive(*pid)));
}

pub(crate) fn workers_run_as_whom_they_are_to() {
    let app = App::new().with("RUN_AS", "nobody").start();
    let own = rustix::process::getuid();
    let answer = app.connect().ask();
    if own.is_root() {
        assert_eq!(answer.uid, 65_534);
        let status = std::fs::read_to_string(format!("/proc/{}/status", answer.pid));
        let status = status.expect("it runs");
        assert!(status.contains("Groups:\t65534 \n"), "{status}");
        assert!(status.contains("Gid:\t65534\t65534\t65534\t65534\n"), "{status}");
        app.done(&["reload"]);
        assert_eq!(app.connect().ask().uid, 65_534);
        assert_eq!(app.status()["workers"][0]["user"], "nobody");
    } else {
        assert_eq!(answer.uid, own.as_raw());
        let warned = app.read("app.log").contains("only root can run workers as nobody");
        assert_eq!(warned, own.as_raw() != 65_534);
    }
}

pub(crate) fn unknown_users_are_refused() {
    let app = App::new().with("RUN_AS", "nobody-of-that-name");
    let ended = app.run(&["start"]);
    assert_eq!(ended.code, Some(2));
    let text = "worker \"echo\": there is no user \"nobody-of-that-name\"\n";
    assert!(ended.output.ends_with(text), "{}", ended.output);
    assert_eq!(app.run(&["start", "-d"]).code, Some(2));
    assert_eq!(number(&serde_json::json!(app.run(&["status"]).code)), 3);
}
