//! How a worker process comes to its end.

use crate::peer::{Peer, until};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use workyard_worker::protocols::Text;
use workyard_worker::{Worker, embedded::serve_while};

#[test]
fn what_is_under_way_is_finished_and_idle_connections_end() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0").on_message(async |connection, line| {
        tokio::time::sleep(Duration::from_millis(200)).await;
        connection.send(line)
    });
    let peers = serve_while(worker, async |address| {
        let mut busy = Peer::connect(&address).await;
        let mut half = Peer::connect(&address).await;
        let idle = Peer::connect(&address).await;
        busy.send("one\ntwo\n").await;
        half.send("half a li").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        (busy, half, idle)
    });
    let (busy, half, idle) = peers.unwrap();
    assert_eq!(busy.left(), b"one\ntwo\n");
    assert_eq!(half.left(), b"");
    assert_eq!(idle.left(), b"");
}

#[test]
fn a_process_that_has_had_enough_messages_stops() {
    let stopped = Rc::new(Cell::new(false));
    let is_stopped = Rc::clone(&stopped);
    let worker = Worker::<Text>::bind("text://127.0.0.1:0")
        .requests_max(3)
        .on_worker_stop(async move |_| is_stopped.set(true))
        .on_message(async |connection, line| connection.send(line));
    let begun = Instant::now();
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("1\n2\n3\n").await;
        assert_eq!(peer.rest().await, b"1\n2\n3\n");
        until(|| stopped.get()).await;
    });
    served.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
}
