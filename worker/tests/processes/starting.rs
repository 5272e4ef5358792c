//! Starting, and what keeps a service from it.

use crate::app::{App, eventually, is_alive, signal};
use rustix::process::Signal;
use std::net::TcpListener;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) fn a_terminal_sees_what_was_started() {
    let app = App::new();
    let mut here = app.start_here();
    let terminal = app.read("terminal");
    for text in [
        "workyard[app] start in DEBUG mode\n",
        " WORKYARD -",
        "event-loop  proto       user        worker      listen ",
        "Press Ctrl+C to stop. Start success.",
    ] {
        assert!(terminal.contains(text), "{text}: {terminal}");
    }
    assert_eq!(app.supervisor(), here.pid());
    let listed = std::fs::read(format!("/proc/{}/cmdline", app.pids()[0])).expect("it runs");
    let title = "workyard: worker process echo text://127.0.0.1:0\0start\0";
    assert_eq!(String::from_utf8_lossy(&listed), title);
    signal(here.pid(), Signal::INT);
    assert_eq!(here.end(), Some(0));
    assert!(app.read("terminal").ends_with("has been stopped\n"), "{}", app.read("terminal"));
    assert!(!app.path("app.pid").exists() && !app.path("app.pid.sock").exists());
}

pub(crate) fn nobody_has_to_read_what_is_printed() {
    let app = App::new();
    let mut command = app.command(&["start"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be run");
    drop((child.stdout.take(), child.stderr.take()));
    eventually("it serves", || app.run(&["status"]).code == Some(0) && app.pids().len() == 2);
    app.done(&["reload"]);
    assert_eq!(app.pids().len(), 2);
    app.done(&["stop"]);
    assert_eq!(child.wait().expect("it is ours").code(), Some(0));
}

pub(crate) fn without_a_terminal_there_are_files() {
    let app = App::new();
    let screen = app.done(&["start", "-d"]);
    assert!(screen.starts_with("workyard[app] start in DAEMON mode\n"), "{screen}");
    assert!(screen.ends_with("Input \"app stop\" to stop. Start success.\n\n"), "{screen}");
    let supervisor = app.supervisor();
    assert_eq!(app.status()["pid"], supervisor);
    // A session of its own: the terminal's end does not concern it.
    let stat = std::fs::read_to_string(format!("/proc/{supervisor}/stat")).expect("it runs");
    let after_name = stat.rsplit_once(") ").expect("a name in brackets").1;
    let session = after_name.split(' ').nth(3).expect("a session");
    assert_eq!(session, supervisor.to_string());
    app.done(&["reload"]);
    app.done(&["stop"]);
    assert!(!is_alive(supervisor));
    assert!(!app.path("app.pid").exists() && !app.path("app.pid.sock").exists());
    let printed = app.read("app.out");
    assert!(printed.starts_with("reloads\n") && printed.ends_with("stopped\n"), "{printed}");
    let log = app.read("app.log");
    for text in
        ["start in DAEMON mode", "reloading", "stopping", "has been stopped", "stop success"]
    {
        assert!(log.contains(&format!(" workyard[app] {text}\n")), "{text}: {log}");
    }
    let (time, rest) = log.split_at("2026-11-21 21:20:45".len());
    assert!(time.starts_with("20") && rest.starts_with(" pid:"), "{log}");
}

pub(crate) fn one_of_many_starts_wins() {
    let app = App::new();
    let starts = || {
        let child = app.command(&["start", "-d", "-q"]).output().expect("it can be run");
        (child.status.code(), String::from_utf8_lossy(&child.stderr).into_owned())
    };
    let ended = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(starts)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect::<Vec<_>>()
    });
    let (won, lost): (Vec<_>, Vec<_>) = ended.into_iter().partition(|(code, _)| *code == Some(0));
    assert_eq!(won.len(), 1, "{won:?} {lost:?}");
    for (code, text) in lost {
        assert_eq!((code, text.as_str()), (Some(1), "workyard[app] already running\n"));
    }
    assert_eq!(app.pids().len(), 2);
}

pub(crate) fn a_supervisor_that_was_killed_is_no_obstacle() {
    let app = App::new().start();
    let (supervisor, pids) = (app.supervisor(), app.pids());
    signal(supervisor, Signal::KILL);
    eventually("its workers end", || !pids.iter().any(|pid| is_alive(*pid)));
    assert_eq!(app.run(&["status"]).code, Some(3));
    assert_eq!(app.supervisor(), supervisor);
    let app = app.start();
    assert_ne!(app.supervisor(), supervisor);
    assert_eq!(app.connect().ask().length, app.connect().ask().length);
}

pub(crate) fn a_port_in_use_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("text://{}", taken.local_addr().expect("it is bound"));
    let app = App::new().with("LISTEN", &address);
    for arguments in [&["start"][..], &["start", "-d"]] {
        let ended = app.run(arguments);
        assert_eq!(ended.code, Some(1));
        let text =
            format!("workyard[app] start fail: {address}: Address already in use (os error 98)\n");
        assert!(ended.output.ends_with(&text), "{}", ended.output);
        assert!(!app.path("app.pid").exists() && !app.path("app.pid.sock").exists());
    }
}

pub(crate) fn what_does_not_start_leaves_nothing() {
    let app = App::new();
    app.write("fail", "");
    let ended = app.run(&["start", "-d"]);
    assert_eq!(ended.code, Some(1));
    let text = "start fail: worker \"echo\" process 0 did not start: on_worker_start: there is no database\n";
    let other = text.replace("process 0", "process 1");
    assert!(ended.output.ends_with(text) || ended.output.ends_with(&other), "{}", ended.output);
    assert!(!app.path("app.pid").exists() && !app.path("app.pid.sock").exists());

    // Somebody who looks on sees it tried again.
    let mut here = quiet(app.command(&["start"])).spawn().expect("it can be run");
    eventually("it is tried", || app.read("app.log").matches("did not start").count() > 4);
    std::fs::remove_file(app.path("fail")).expect("it is there");
    eventually("it serves", || app.run(&["status"]).code == Some(0) && app.pids().len() == 2);
    signal(here.id().into(), Signal::TERM);
    assert_eq!(here.wait().expect("it is ours").code(), Some(0));
}

pub(crate) fn what_does_not_start_is_said_soon() {
    for (count, failing) in [("1", ""), ("2", ""), ("3", "1")] {
        let app = App::new().with("COUNT", count).with("STOP_TIMEOUT", "15000");
        app.write("fail", failing);
        let begun = Instant::now();
        assert_eq!(app.run(&["start", "-d"]).code, Some(1), "{}", app.read("app.log"));
        // The next look at the log would wake it otherwise.
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
        let log = app.read("app.log");
        assert!(!log.contains("is killed"), "{log}");
        let healthy = if failing.is_empty() { 0 } else { 2 };
        assert_eq!(log.matches("hears that it stops").count(), healthy, "{log}");
    }
}

pub(crate) fn a_mistake_in_the_program_is_said() {
    let app = App::new().with("LISTEN", "text://127.0.0.1");
    let ended = app.run(&["start"]);
    assert_eq!(ended.code, Some(2));
    let text = "workyard[app] worker \"echo\": \"127.0.0.1\" has no port; write it as text://127.0.0.1:2347\n";
    assert!(ended.output.ends_with(text), "{}", ended.output);
}

pub(crate) fn files_that_cannot_be_made_are_named() {
    let long = "x".repeat(100);
    for (name, expected) in [
        (long.as_str(), "start fail: cannot listen at "),
        ("no-folder/app", "start fail: cannot open "),
    ] {
        let app = App::new().with("PID_FILE", &format!("{name}.pid"));
        for arguments in [&["start"][..], &["start", "-d"]] {
            let ended = app.run(arguments);
            assert_eq!(ended.code, Some(1));
            assert!(ended.output.contains(expected), "{}", ended.output);
            assert!(ended.output.contains(name), "{}", ended.output);
            assert!(!app.path(&format!("{name}.pid")).exists());
        }
    }
    let ended = App::new().with("NO_WORKER", "1").run(&["start"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.output.contains("there is no worker"), "{}", ended.output);
}

pub(crate) fn systemd_is_told() {
    let app = App::new();
    let systemd = UnixDatagram::bind(app.path("notify")).expect("the folder is ours");
    systemd.set_read_timeout(Some(crate::app::PATIENCE)).expect("it is open");
    let told = || {
        let mut text = [0; 256];
        let count = systemd.recv(&mut text).expect("it is told");
        String::from_utf8_lossy(&text[..count]).into_owned()
    };
    let mut command = quiet(app.command(&["start", "-q"]));
    let mut child =
        command.env("NOTIFY_SOCKET", app.path("notify")).spawn().expect("it can be run");
    assert_eq!(told(), "READY=1\n");
    app.done(&["reload"]);
    let reloading = told();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(told(), "READY=1\n");
    app.done(&["stop"]);
    assert_eq!(told(), "STOPPING=1\n");
    assert_eq!(child.wait().expect("it is ours").code(), Some(0));
}

pub(crate) fn a_path_can_be_listened_at() {
    let app = App::new();
    let path = app.path("echo.unix");
    let listen = format!("unix://{}", path.display());
    let app = app.with("LISTEN", &listen).start();
    let stream = UnixStream::connect(&path).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("it is open");
    assert_eq!(app.status()["workers"][0]["listen"], listen);
    app.done(&["stop"]);
    assert!(!path.exists());
}

/// The test's own output is not the service's.
fn quiet(mut command: Command) -> Command {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}
