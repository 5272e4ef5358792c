//! Python programs.

use crate::left::processes_in;
use workyard_testbed::PythonPeer;

const ECHO: &str = "
import sys, zmq
print('ready', zmq.zmq_version_info()[0], *sys.argv[1:])
for line in sys.stdin:
    print('heard', line.strip())
";

#[tokio::test]
async fn talk_by_lines_and_leave_nothing() {
    let mut peer = PythonPeer::start(ECHO, &["one", "two"]).await;
    let folder = peer.process.place().folder().to_owned();
    assert_eq!(peer.line().await, "ready 4 one two");
    assert_eq!(peer.ask("hello").await, "heard hello");
    peer.process.kill().await;
    peer.start_again().await;
    assert_eq!(peer.line().await, "ready 4 one two");
    assert_eq!(peer.ask("again").await, "heard again");
    assert_eq!(processes_in(&folder).len(), 1);
    drop(peer);
    assert!(processes_in(&folder).is_empty() && !folder.exists());
}

#[tokio::test]
#[should_panic(expected = "no such thing")]
async fn what_fails_says_why() {
    let mut peer = PythonPeer::start("raise Exception('no such thing')", &[]).await;
    peer.line().await;
}
