//! `workyard up`: it proves itself, serves, and stops when it is asked to.

use crate::support::{FAILED, USAGE, documents};
use rustix::process::Signal;
use serde_json::json;
use workyard_tests::{Program, Up};

#[test]
fn it_shows_that_both_daemons_work_and_stops_at_one_signal() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut up = Up::start_with(&[]);
        let expected = [
            format!("channel-server     listening on {}", up.channel()),
            format!("globaldata-server  listening on {}", up.globaldata()),
            "✓ a message published here arrived in 3 other processes".to_owned(),
            "✓ a counter incremented 1000 times by each of them came out at 3000".to_owned(),
            String::new(),
        ];
        assert_eq!(up.running().stdout().lines()[..5], expected);
        assert_eq!(up.ask("keys"), "", "the check leaves nothing behind");
        up.running().signal(signal);
        assert_eq!(up.running().wait(), 0);
        assert_eq!(up.running().stdout().lines().last().unwrap(), "stopped");
        assert_eq!(up.running().stderr().lines(), [""; 0]);
    }
}

#[test]
fn it_serves_its_clients_before_it_stops() {
    let mut up = Up::start();
    let mut subscriber = up.workyard(["sub", "news"]).start();
    up.ask_until("pub news hello", "1\n");
    subscriber.stdout().expect("hello");
    up.running().signal(Signal::TERM);
    assert_eq!(up.running().wait(), 0);
    assert_eq!(up.running().stdout().lines().last().unwrap(), "stopped");
    subscriber.signal(Signal::INT);
    assert_eq!(subscriber.wait(), 0, "it waits for the server, but not against its will");
}

#[test]
fn it_speaks_json() {
    let ports = ["--channel-listen", "127.0.0.1:0", "--globaldata-listen", "127.0.0.1:0"];
    let up = Program::built("workyard").arguments(["up", "--json"]).arguments(ports);
    let mut up = up.start();
    up.stdout().expect("ready");
    up.signal(Signal::INT);
    assert_eq!(up.wait(), 0);
    up.stdout().expect("stopped");
    let mut said = documents(&up.stdout().lines().join("\n"));
    for (server, document) in ["channel-server", "globaldata-server"].iter().zip(&mut said) {
        assert_eq!(document["server"], *server);
        let address = document["listening"].take();
        assert!(address.as_str().unwrap().starts_with("tcp://127.0.0.1:"), "{address}");
    }
    let expected = [
        json!({ "check": "publish", "processes": 3 }),
        json!({ "check": "increment", "processes": 3, "count": 3000 }),
        json!({ "ready": true }),
        json!({ "stopped": true, "drained": true }),
    ];
    assert_eq!(said[2..], expected);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let up = Up::start();
    for (flag, taken) in
        [("--channel-listen", up.channel()), ("--globaldata-listen", up.globaldata())]
    {
        let other =
            if flag == "--channel-listen" { "--globaldata-listen" } else { "--channel-listen" };
        let arguments = ["up", flag, taken, other, "127.0.0.1:0"];
        let exit = Program::built("workyard").arguments(arguments).run();
        assert_eq!(exit.code, Some(FAILED), "{exit:?}");
        let said = format!("error: cannot listen on {taken}: Address already in use");
        assert!(exit.stderr.starts_with(&said), "{exit:?}");
        assert!(exit.stderr.contains("--channel-listen and --globaldata-listen"), "{exit:?}");
        assert!(!exit.stdout.contains("listening on"), "{exit:?}");
    }
    up.ask("ping");
}

#[test]
fn an_address_that_is_none_is_refused() {
    let exit = Program::built("workyard").arguments(["up", "--channel-listen", "news"]).run();
    assert_eq!(exit.code, Some(USAGE), "{exit:?}");
    assert!(exit.stderr.contains("\"news\" is no address to listen on"), "{exit:?}");
}

#[test]
fn it_listens_wherever_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let channel = format!("unix://{}/channel.sock", folder.path().display());
    let listen = format!("{channel},127.0.0.1:0,[::1]:0");
    let arguments = ["up", "--channel-listen", &listen, "--globaldata-listen", "127.0.0.1:0"];
    let mut up = Program::built("workyard").arguments(arguments).start();
    up.stdout().expect("Ctrl-C stops both.");
    let lines = up.stdout().lines();
    let addresses =
        lines.iter().filter_map(|line| line.strip_prefix("channel-server     listening on "));
    let addresses: Vec<_> = addresses.collect();
    assert_eq!((addresses.len(), addresses[0]), (3, channel.as_str()));
    for address in addresses {
        let ping = ["ping", "channel", "--server", address];
        let exit = Program::built("workyard").arguments(ping).run();
        assert_eq!(exit.code, Some(0), "{exit:?}");
    }
    up.signal(Signal::TERM);
    assert_eq!(up.wait(), 0);
    assert!(!folder.path().join("channel.sock").exists());
}
