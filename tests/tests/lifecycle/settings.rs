//! Where settings come from: flags over environment over file over defaults.

use workyard_tests::{ChannelWire, Endpoint, GlobalDataWire, Service, Setup};

/// What `--print-config` prints.
#[track_caller]
fn printed<W: Service>(setup: Setup<W>) -> String {
    let exit = setup.switch("--print-config").run();
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""));
    exit.stdout
}

/// What is printed is accepted as a file and printed the same.
#[track_caller]
fn check_round_trip<W: Service>(setup: Setup<W>) {
    let first = printed(setup);
    let second = printed(Setup::<W>::new().file(&first));
    assert_eq!(first, second);
}

#[test]
fn what_is_printed_is_a_file_that_prints_the_same() {
    check_round_trip(Setup::<ChannelWire>::new());
    check_round_trip(Setup::<GlobalDataWire>::new());
    let changed = Setup::<ChannelWire>::new()
        .flag("--listen", "tcp://[::1]:99,unix:///tmp/a.sock")
        .flag("--sessions-max", "7")
        .flag("--write-buffer-bytes-max", "64KiB")
        .flag("--slow-consumer", "disconnect")
        .flag("--heartbeat", "1m 30s")
        .flag("--drain-deadline", "1500ms")
        .flag("--log", "warn,workyard_daemon=trace")
        .flag("--log-format", "json")
        .flag("--queue-jobs-max", "12345")
        .flag("--history", "orders.>=1000,1MiB,1h;state.*=1,64KiB,1d");
    check_round_trip(changed);
}

#[test]
fn sizes_are_printed_exactly() {
    let setup = || {
        Setup::<GlobalDataWire>::new()
            .flag("--frame-bytes-max", "1234567")
            .flag("--write-buffer-bytes-max", "1000001")
    };
    check_round_trip(setup());
    let mut daemon = setup().start();
    assert_eq!(daemon.stranger().hello().frame_bytes_max, 1_234_567);
    daemon.terminate();
    assert_eq!(daemon.wait(), 0);
    let daemon = Setup::<GlobalDataWire>::new().file(&printed(setup()));
    let daemon = daemon.listen("127.0.0.1:0").start();
    assert_eq!(daemon.stranger().hello().frame_bytes_max, 1_234_567);
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = "sessions_max = 1\nheartbeat = \"1s\"\ndrain_deadline = \"1s\"\n\
                [limits]\nqueues_max = 1\npatterns_max = 1\nqueue_jobs_max = 1\n";
    let text = printed(
        Setup::<ChannelWire>::new()
            .file(file)
            .variable("CHANNEL_SERVER_SESSIONS_MAX", "2")
            .variable("CHANNEL_SERVER_HEARTBEAT", "2s")
            .variable("CHANNEL_SERVER_QUEUES_MAX", "2")
            .variable("CHANNEL_SERVER_PATTERNS_MAX", "2")
            .flag("--sessions-max", "3")
            .flag("--queues-max", "3"),
    );
    for line in [
        "sessions_max = 3",
        "heartbeat = \"2s\"",
        "drain_deadline = \"1s\"",
        "hello_timeout = \"10s\"",
        "queues_max = 3",
        "patterns_max = 2",
        "queue_jobs_max = 1",
    ] {
        assert!(text.lines().any(|printed| printed == line), "{line} is not in {text}");
    }
}

#[test]
fn the_environment_alone_is_enough() {
    let daemon = Setup::<GlobalDataWire>::new()
        .variable("GLOBALDATA_SERVER_LISTEN", "127.0.0.1:0,tcp://127.0.0.1:0")
        .variable("GLOBALDATA_SERVER_HEARTBEAT", "7s")
        .variable("CHANNEL_SERVER_HEARTBEAT", "8s")
        .listen_elsewhere()
        .start();
    assert_eq!(daemon.stranger().hello().heartbeat_ms, 7000);
}

#[test]
fn the_file_alone_is_enough() {
    let file = "listen = [\"127.0.0.1:0\"]\nheartbeat = \"9s\"\nframe_bytes_max = \"64KiB\"\n";
    let daemon = Setup::<ChannelWire>::new().file(file).listen_elsewhere().start();
    assert!(matches!(daemon.endpoint(), Endpoint::Tcp(address) if address.port() != 0));
    let welcomed = daemon.stranger().hello();
    assert_eq!(welcomed.heartbeat_ms, 9000);
    assert_eq!(welcomed.frame_bytes_max, 64 * 1024);
}

#[test]
fn help_and_version_are_told() {
    for (switch, text) in [("--help", "--listen"), ("--version", "channel-server")] {
        let exit = Setup::<ChannelWire>::new().switch(switch).run();
        assert_eq!(exit.code, Some(0));
        assert!(exit.stdout.contains(text), "{}", exit.stdout);
    }
}
