//! A program that is kept running, and restarted with all that it started.

use crate::support::{Folder, free_port, runs, until};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn get(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(b"GET /code.php HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().last().unwrap_or_default().to_owned()
}

/// The server is not the program itself but what a shell started, as with `npm start`.
#[test]
fn a_program_that_holds_a_port_is_restarted_fifty_times() {
    let folder = Folder::new();
    let port = free_port();
    folder.write("code.php", "<?php echo 'round 0';");
    let script = format!("php -S 127.0.0.1:{port} & echo $! >> ../servers; wait");
    let port_flag = port.to_string();
    let flags = ["-e", "php", "--port", &port_flag, "--", "sh", "-c", &script];
    let mut daemon = folder.follow(&flags);
    daemon.expect("acted");
    for round in 1..=50 {
        // What follows at once would look as if the program itself had written it.
        std::thread::sleep(Duration::from_millis(60));
        folder.write("code.php", &format!("<?php echo 'round {round}';"));
        daemon.expect("changed");
        let acted = daemon.expect("acted");
        assert!(acted["text"].as_str().unwrap().contains("listening on port"), "{acted}");
        assert_eq!(get(port), format!("round {round}"));
    }
    let said = daemon.errors().join("\n");
    assert!(!said.contains("in use") && said.contains("Development Server"), "{said}");
    assert!(daemon.stop().success());
    let servers = folder.read("../servers");
    assert_eq!(servers.lines().count(), 51);
    assert!(!servers.lines().any(runs), "{servers}");
}

#[test]
fn a_program_that_does_not_stop_is_killed_with_its_children() {
    let folder = Folder::new();
    let script = "trap '' TERM; sleep 1000 & echo $! > ../sleeper; while :; do sleep 0.05; done";
    let mut daemon = folder.follow(&["--stop-timeout", "200ms", "--", "sh", "-c", script]);
    daemon.expect("acted");
    let sleeper = until(|| Some(folder.read("../sleeper")).filter(|text| text.ends_with('\n')));
    folder.write("a", "one");
    daemon.expect("changed");
    let acted = daemon.expect("acted");
    assert!(acted["text"].as_str().unwrap().ends_with("the old one had to be killed"), "{acted}");
    assert!(!runs(&sleeper));
    let sleeper = until(|| Some(folder.read("../sleeper")).filter(|text| text.ends_with('\n')));
    assert!(daemon.stop().success());
    assert!(!runs(&sleeper));
}

#[test]
fn a_program_that_dies_at_its_start_is_started_later_each_time_and_at_once_after_a_change() {
    let folder = Folder::new();
    folder.write("code", "exit 3");
    let begin = std::time::Instant::now();
    let mut daemon = folder.follow(&["--backoff", "1ms", "--", "sh", "code"]);
    let failed = daemon.expect("action-failed");
    assert!(failed["reason"].as_str().unwrap().ends_with("exit status: 3"), "{failed}");
    daemon.expect("action-failed");
    daemon.expect("action-failed");
    assert!(begin.elapsed() >= Duration::from_millis(500 + 1000), "{:?}", begin.elapsed());
    // By itself it would come two seconds later, without a change before it.
    folder.write("code", "exec sleep 1000");
    daemon.expect("changed");
    daemon.expect("acted");
    assert!(daemon.stop().success());
}

#[test]
fn a_program_that_ends_by_itself_waits_for_a_change_or_is_started_again() {
    let folder = Folder::new();
    folder.write("code", "sleep 2; exit 0");
    let mut daemon = folder.follow(&["--", "sh", "code"]);
    daemon.expect("acted");
    assert!(daemon.expect("program-ended")["again_ms"].is_null());
    daemon.is_silent(Duration::from_millis(800));
    folder.write("code", "sleep 2; kill -9 $$");
    daemon.expect("changed");
    daemon.expect("acted");
    assert_eq!(daemon.expect("program-ended")["again_ms"], 500);
    daemon.expect("acted");
}

#[test]
fn a_program_that_ends_well_at_once_waits_for_a_change() {
    let folder = Folder::new();
    folder.write("code", "echo >> ../runs");
    let mut daemon = folder.follow(&["--", "sh", "code"]);
    assert!(daemon.expect("program-ended")["again_ms"].is_null());
    daemon.is_silent(Duration::from_millis(1500));
    folder.write("code", "echo >> ../runs; exit 0");
    daemon.expect("changed");
    let acted = daemon.expect("acted");
    assert!(acted["text"].as_str().unwrap().ends_with("waiting for a change"), "{acted}");
    daemon.is_silent(Duration::from_millis(1500));
    assert_eq!(folder.read("../runs").lines().count(), 2);
    assert!(daemon.stop().success());
}

#[test]
fn a_port_that_another_holds_is_told() {
    let folder = Folder::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut daemon = folder.follow(&["--port", &port, "--", "touch", "../started"]);
    let failed = daemon.expect("action-failed");
    assert!(
        failed["reason"].as_str().unwrap().contains("another program listens there"),
        "{failed}"
    );
    assert!(!folder.at("../started").exists());
}

#[test]
fn a_port_that_connections_of_the_last_run_hold_is_told() {
    let folder = Folder::new();
    let port = free_port();
    let script = "import socket, sys, time\n\
        listener = socket.socket()\n\
        listener.bind(('127.0.0.1', int(sys.argv[1])))\n\
        listener.listen()\n\
        listener.accept()[0].close()\n\
        time.sleep(1000)\n";
    folder.write("../server.py", script);
    let text = port.to_string();
    let mut daemon = folder.follow(&["--port", &text, "--", "python3", "../server.py", &text]);
    daemon.expect("acted");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    drop(stream);
    folder.write("a", "one");
    let failed = daemon.until("action-failed");
    assert!(failed["reason"].as_str().unwrap().contains("(TIME_WAIT)"), "{failed}");
}
