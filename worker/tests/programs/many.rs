//! Ten thousand connections at once.

use crate::program::{PATIENCE, Program, free_port};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{Read, Write};
use std::net::TcpStream;

const CONNECTIONS: u64 = 10_000;

/// Beyond the connections.
const SPARE_DESCRIPTORS: u64 = 200;

#[test]
fn ten_thousand_connections_are_served_by_one_process() {
    let wanted = Some(CONNECTIONS + SPARE_DESCRIPTORS);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // What is started inherits it. Root may raise the upper limit too.
    let maximum = maximum.max(wanted);
    if current.is_some() && current < wanted {
        setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum }).unwrap();
    }
    let port = free_port();
    let listen = format!("text://127.0.0.1:{port}");
    let program = Program::new("async-task").with("LISTEN", listen).start();
    let mut peers = Vec::new();
    for _ in 0..CONNECTIONS {
        let peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        peers.push(peer);
    }
    for _ in 0..2 {
        for peer in &mut peers {
            peer.write_all(b"ping\n").unwrap();
        }
        for peer in &mut peers {
            let mut answer = [0; 5];
            peer.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"pong\n");
        }
    }
    let status = program.run(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    let process = &status["processes"][0];
    assert_eq!(process["worker"]["connections"], CONNECTIONS);
    assert_eq!(process["worker"]["total_request"], 2 * CONNECTIONS);
    // An idle connection holds no buffer.
    let memory = process["memory_bytes"].as_u64().unwrap();
    assert!(memory < 100 * 1024 * 1024, "{memory} bytes");
    drop(peers);
}
