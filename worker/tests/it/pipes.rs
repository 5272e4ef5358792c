//! Connections that are joined.

use crate::peer::{PATIENCE, Peer, until};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use workyard_worker::protocols::{Frame, Tcp, Text};
use workyard_worker::{Client, Connection, ConnectionState, Pipe, Worker, embedded::serve_while};

/// How much may wait in each direction.
const BYTES_MAX: usize = 100_000;

/// The two connections of the last pipe.
type Known = Rc<RefCell<Option<(Connection<Tcp>, Client<Tcp>)>>>;

/// A proxy to an address.
fn proxy(target: String) -> (Worker<Tcp>, Known) {
    let known = Known::default();
    let keep = Rc::clone(&known);
    let worker = Worker::<Tcp>::bind("tcp://127.0.0.1:0")
        .send_buffer_bytes_max(BYTES_MAX)
        .on_connect(async move |connection| {
            let client = Client::to(&target).send_buffer_bytes_max(BYTES_MAX).connect()?;
            connection.pipe(&client);
            *keep.borrow_mut() = Some((connection, client));
            Ok::<_, std::io::Error>(())
        });
    (worker, known)
}

fn some(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// Runs a proxy to a listener.
fn through(main: impl AsyncFnOnce(Peer, TcpStream, Known)) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let (worker, known) = proxy(format!("tcp://{}", listener.local_addr().unwrap()));
    let served = serve_while(worker, async |address| {
        let listener = TcpListener::from_std(listener).unwrap();
        let peer = Peer::connect(&address).await;
        let (target, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        main(peer, target, known).await;
    });
    served.unwrap();
}

#[test]
fn what_is_sent_on_either_side_comes_out_on_the_other() {
    through(async |mut peer, mut target, _| {
        peer.send("question").await;
        let mut question = [0; 8];
        target.read_exact(&mut question).await.unwrap();
        assert_eq!(&question, b"question");
        target.write_all(b"answer").await.unwrap();
        peer.sees("answer").await;
        target.write_all(b"the end").await.unwrap();
        drop(target);
        assert_eq!(peer.rest().await, b"the end");
    });
}

#[test]
fn an_end_on_one_side_ends_the_other() {
    through(async |peer, mut target, known| {
        drop(peer);
        let mut rest = Vec::new();
        timeout(PATIENCE, target.read_to_end(&mut rest)).await.unwrap().unwrap();
        let (connection, client) = known.borrow().clone().unwrap();
        until(|| connection.state() == ConnectionState::Closed).await;
        until(|| client.state() == ConnectionState::Closed).await;
    });
}

#[test]
fn a_target_that_does_not_read_makes_the_peer_wait_and_nothing_is_lost() {
    const BYTES: usize = 30_000_000;
    through(async |mut peer, mut target, known| {
        let (connection, client) = known.borrow().clone().unwrap();
        let sent = some(BYTES);
        let sending = tokio::task::spawn_local({
            let sent = sent.clone();
            async move {
                peer.send(sent).await;
                peer
            }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!sending.is_finished(), "the peer has to wait");
        let waiting = client.traffic().send_queue;
        assert!((BYTES_MAX..2 * BYTES_MAX).contains(&waiting), "{waiting}");
        let mut seen = vec![0; BYTES];
        let read = timeout(PATIENCE, target.read_exact(&mut seen)).await;
        read.expect("it comes in time").unwrap();
        assert!(seen == sent, "nothing is lost or changed");
        assert_eq!(connection.worker().status().send_fail, 0);
        let peer = timeout(PATIENCE, sending).await.unwrap();
        drop(peer);
    });
}

#[test]
fn who_is_joined_to_nobody_is_ended() {
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (worker, _) = proxy(format!("tcp://{nowhere}"));
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.ends().await;
    });
    served.unwrap();
}

#[test]
fn protocols_may_differ() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let target = format!("frame://{}", listener.local_addr().unwrap());
    let worker =
        Worker::<Text>::bind("text://127.0.0.1:0").on_message(async move |connection, line| {
            assert_eq!(line, "join");
            let client = Client::<Frame>::to(&target).connect()?;
            client.send("first");
            connection.pipe(&client);
            Ok::<_, std::io::Error>(())
        });
    let served = serve_while(worker, async |address| {
        let listener = TcpListener::from_std(listener).unwrap();
        let mut peer = Peer::connect(&address).await;
        peer.send("join\nsecond\n").await;
        let (mut target, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        let mut seen = [0; 19];
        target.read_exact(&mut seen).await.unwrap();
        assert_eq!(&seen, b"\0\0\0\x09first\0\0\0\x0asecond");
        target.write_all(b"\0\0\0\x07abc").await.unwrap();
        peer.sees("abc\n").await;
    });
    served.unwrap();
}
