//! SIGHUP: what may change does, and a file that is wrong changes nothing.

use std::fs;
use workyard_protocol::Reason;
use workyard_protocol::channel::Reply;
use workyard_tests::words::{channel, subscribe};
use workyard_tests::{ChannelWire, Daemon, Setup, eventually};

fn reload(daemon: &Daemon<ChannelWire>, text: &str) {
    fs::write(daemon.file_path(), text).expect("the folder takes files");
    daemon.hang_up();
}

#[test]
fn limits_and_log_change_while_everybody_is_served() {
    let setup = Setup::<ChannelWire>::new().file("sessions_max = 1\nlog = \"info\"\n");
    let daemon = setup.start();
    let mut peer = daemon.peer();
    daemon.stranger().expect_goodbye(Reason::TooManySessions);
    assert!(!daemon.log().has("\"DEBUG\""));
    reload(&daemon, "sessions_max = 3\nlog = \"debug\"\nheartbeat = \"7s\"\n");
    daemon.log().expect("settings reloaded");
    peer.ask(subscribe(channel("a")), Reply::Done);
    assert_eq!(daemon.stranger().hello().heartbeat_ms, 7000);
    daemon.log().expect("accepted");
}

#[test]
fn a_file_that_is_wrong_keeps_what_is_in_force() {
    let setup = Setup::<ChannelWire>::new().file("sessions_max = 1\n");
    let mut daemon = setup.start();
    let mut peer = daemon.peer();
    for wrong in ["sessions_max = 0\n", "sessions_max = 9\nlisen = 1\n", "log = \"a=b=c\"\n", "="] {
        let complaints = || count(&daemon, "the settings stay as they are");
        let before = complaints();
        reload(&daemon, wrong);
        eventually("the log says why", || complaints() > before);
    }
    fs::remove_file(daemon.file_path()).expect("it was there");
    daemon.hang_up();
    daemon.log().expect("cannot read the configuration file");
    daemon.stranger().expect_goodbye(Reason::TooManySessions);
    peer.expect_silence();
    assert!(daemon.is_running());
}

#[test]
fn flags_still_win_after_a_reload() {
    let setup = Setup::<ChannelWire>::new().file("heartbeat = \"7s\"\n");
    let daemon = setup.flag("--heartbeat", "8s").start();
    reload(&daemon, "heartbeat = \"9s\"\n");
    daemon.log().expect("settings reloaded");
    assert_eq!(daemon.stranger().hello().heartbeat_ms, 8000);
}

#[test]
fn what_needs_a_restart_is_said() {
    let setup = Setup::<ChannelWire>::new().file("frame_bytes_max = \"64KiB\"\n");
    let daemon = setup.start();
    reload(&daemon, "frame_bytes_max = \"32KiB\"\n");
    daemon.log().expect("settings reloaded");
    let line = daemon.log().expect("changes only with a restart");
    assert!(line.contains("frame_bytes_max"), "{line}");
    assert_eq!(daemon.stranger().hello().frame_bytes_max, 64 * 1024);
}

fn count(daemon: &Daemon<ChannelWire>, text: &str) -> usize {
    let lines = daemon.log().lines();
    lines.iter().filter(|line| line.contains(text)).count()
}
