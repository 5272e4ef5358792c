//! What scripts see: exit codes, and the words beside them.

use std::fs;
use std::net::TcpListener;
use workyard_tests::{ChannelWire, Exit, GlobalDataWire, Service, Setup};

/// It ends with 2 before anything is listened on, and says all of this.
#[track_caller]
fn check_refused(exit: &Exit, texts: &[&str]) {
    assert_eq!(exit.code, Some(2), "{exit:?}");
    for text in texts {
        assert!(exit.stderr.contains(text), "{text:?} is not in {}", exit.stderr);
    }
}

#[test]
fn flags_that_are_wrong_are_refused() {
    let setup = Setup::<ChannelWire>::new;
    check_refused(&setup().flag("--lisen", "1").run(), &["--lisen"]);
    check_refused(&setup().flag("--listen", "here").run(), &["here", "tcp://"]);
    check_refused(&setup().flag("--sessions-max", "many").run(), &["many"]);
    check_refused(&setup().flag("--sessions-max", "0").run(), &["sessions_max"]);
    check_refused(&setup().flag("--heartbeat", "10").run(), &["--heartbeat"]);
    check_refused(&setup().flag("--heartbeat", "99ms").run(), &["heartbeat", "100ms"]);
    check_refused(&setup().flag("--heartbeat", "61m").run(), &["heartbeat", "1h"]);
    check_refused(&setup().flag("--frame-bytes-max", "16KB").run(), &["frame_bytes_max"]);
    check_refused(&setup().flag("--frame-bytes-max", "2GiB").run(), &["frame_bytes_max"]);
    check_refused(&setup().flag("--write-buffer-bytes-max", "1KiB").run(), &["4KiB"]);
    check_refused(&setup().flag("--write-buffers-bytes-max", "1KiB").run(), &["write_buffers"]);
    check_refused(&setup().flag("--slow-consumer", "wait").run(), &["drop-newest"]);
    check_refused(&setup().flag("--log", "a=b=c").run(), &["log"]);
    check_refused(&setup().flag("--keys-max", "1").run(), &["--keys-max"]);
    check_refused(&setup().flag("--config", "/nowhere/a.toml").run(), &["/nowhere/a.toml"]);
}

#[test]
fn variables_that_are_wrong_are_refused() {
    let setup = Setup::<GlobalDataWire>::new().variable("GLOBALDATA_SERVER_HEARTBEAT", "soon");
    check_refused(&setup.run(), &["soon"]);
}

#[test]
fn a_key_that_is_unknown_is_shown_with_its_line() {
    let text = "sessions_max = 10\nsesions_max = 10\n";
    let exit = Setup::<ChannelWire>::new().file(text).run();
    check_refused(&exit, &["daemon.toml", "sesions_max = 10", "line 2"]);
    let text = "[limits]\nqueues_max = 1\nqueue_max = 2\n";
    let exit = Setup::<ChannelWire>::new().file(text).run();
    check_refused(&exit, &["daemon.toml", "queue_max", "queues_max"]);
    let text = "heartbeat = \"soon\"\n";
    let exit = Setup::<ChannelWire>::new().file(text).run();
    check_refused(&exit, &["heartbeat = \"soon\"", "line 1"]);
}

#[test]
fn a_configuration_is_checked_without_starting_anything() {
    // The port is taken, and that does not matter.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let setup = || Setup::<ChannelWire>::new().flag("--listen", &address).switch("--check-config");
    let exit = setup().file("heartbeat = \"1s\"\n").run();
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""));
    check_refused(&setup().file("heartbeat = 1\n").run(), &["heartbeat = 1"]);
}

#[test]
fn an_address_that_is_taken_ends_it_with_3() {
    check_taken::<ChannelWire>();
    check_taken::<GlobalDataWire>();
}

fn check_taken<W: Service>() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let exit = Setup::<W>::new().flag("--listen", &address).run();
    assert_eq!(exit.code, Some(3), "{exit:?}");
    assert!(exit.stderr.contains(&address), "{}", exit.stderr);
}

#[test]
fn a_socket_file_without_its_folder_ends_it_with_3() {
    let exit = Setup::<ChannelWire>::new().unix_socket("missing/a.sock").run();
    assert_eq!(exit.code, Some(3), "{exit:?}");
    assert!(exit.stderr.contains("missing/a.sock"), "{}", exit.stderr);
}

#[test]
fn a_file_that_is_no_socket_is_not_removed_to_make_room_for_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("precious.txt");
    fs::write(&path, "precious").expect("the folder takes files");
    let address = format!("unix://{}", path.display());
    let exit = Setup::<ChannelWire>::new().flag("--listen", address).run();
    assert_eq!(exit.code, Some(3), "{exit:?}");
    assert_eq!(fs::read_to_string(&path).expect("it is still there"), "precious");
}
