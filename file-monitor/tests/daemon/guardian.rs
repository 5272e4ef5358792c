//! A daemon that is killed, or panics, leaves nothing behind that runs.

use crate::support::{Folder, free_port, runs, until};
use rustix::process::Signal;

#[test]
fn a_program_does_not_outlive_a_daemon_that_is_killed() {
    let folder = Folder::new();
    let port = free_port().to_string();
    folder.write("../code", &format!("php -S 127.0.0.1:{port} & echo $! >> ../servers; wait"));
    folder.write(
        "../command",
        "trap '' TERM HUP; echo $$ > ../stubborn; while :; do sleep 0.05; done",
    );
    for signal in [Signal::KILL, Signal::QUIT, Signal::ABORT] {
        let flags = ["--port", &port, "--run", "sh ../command", "--", "sh", "../code"];
        let mut daemon = folder.follow(&flags);
        daemon.expect("acted");
        folder.write("a", &format!("{signal:?}"));
        let command =
            until(|| Some(folder.read("../stubborn")).filter(|text| text.ends_with('\n')));
        // The guardian is told just after the start.
        std::thread::sleep(std::time::Duration::from_millis(500));
        daemon.signal(signal);
        assert_eq!(daemon.wait().code(), None);
        until(|| (!folder.read("../servers").lines().any(runs)).then_some(()));
        until(|| (!runs(&command)).then_some(()));
        std::fs::remove_file(folder.at("../stubborn")).unwrap();
    }
    assert_eq!(folder.read("../servers").lines().count(), 3);
}
