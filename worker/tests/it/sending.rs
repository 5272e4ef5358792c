//! What becomes of what is sent.

use crate::peer::{Peer, until};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use workyard_worker::protocols::{Tcp, Text};
use workyard_worker::{Connection, ConnectionError, Refused, Sent, Worker, embedded::serve_while};

#[test]
fn everybody_hears_a_broadcast() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0").on_message(async |connection, line| {
        let heard = connection.worker().broadcast(format!("all: {line}"));
        connection.send(heard.to_string())
    });
    let served = serve_while(worker, async |address| {
        let mut peers = Vec::new();
        for _ in 0..5 {
            let mut peer = Peer::connect(&address).await;
            peer.send("here\n").await;
            peers.push(peer);
            for peer in &mut peers {
                peer.sees("all: here\n").await;
            }
            let count = format!("{}\n", peers.len());
            peers.last_mut().unwrap().sees(count).await;
        }
    });
    served.unwrap();
}

#[test]
fn what_waits_is_bounded_and_told() {
    let known: Rc<RefCell<Option<Connection<Tcp>>>> = Rc::default();
    let events: Rc<RefCell<Vec<String>>> = Rc::default();
    let (keep, full) = (Rc::clone(&known), Rc::clone(&events));
    let (drain, errors) = (Rc::clone(&events), Rc::clone(&events));
    let worker = Worker::<Tcp>::bind("tcp://127.0.0.1:0")
        .send_buffer_bytes_max(100_000)
        .on_connect(async move |connection| *keep.borrow_mut() = Some(connection))
        .on_buffer_full(async move |_| full.borrow_mut().push("full".to_owned()))
        .on_buffer_drain(async move |_| drain.borrow_mut().push("drain".to_owned()))
        .on_error(async move |_, error| {
            let is_full = matches!(error, ConnectionError::Send(Refused::Full(_)));
            errors.borrow_mut().push(format!("refused {is_full}"));
        });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        until(|| known.borrow().is_some()).await;
        let connection = known.borrow().clone().unwrap();
        assert_eq!(connection.send("x"), Sent::Written);
        peer.sees("x").await;
        let (mut sent, mut refused) = (0, 0);
        while refused < 3 {
            match connection.send(vec![b'y'; 50_000]) {
                Sent::Refused(Refused::Full(waiting)) => {
                    assert!((100_000..150_000).contains(&waiting), "{waiting}");
                    refused += 1;
                }
                Sent::Refused(other) => panic!("{other}"),
                Sent::Written | Sent::Queued => sent += 1,
            }
        }
        peer.sees(vec![b'y'; sent * 50_000]).await;
        until(|| events.borrow().last().is_some_and(|last| last == "drain")).await;
        let refused = "refused true".to_owned();
        let expected =
            ["full".to_owned(), refused.clone(), refused.clone(), refused, "drain".to_owned()];
        assert_eq!(*events.borrow(), expected);
        assert_eq!(connection.worker().status().send_fail, 3);
        connection.close_with("the end");
        assert_eq!(peer.rest().await, b"the end");
    });
    served.unwrap();
}

#[test]
fn a_closed_connection_has_sent_all_and_a_destroyed_one_ends_at_once() {
    let worker =
        Worker::<Text>::bind("text://127.0.0.1:0").on_message(async |connection, line| match line
            .as_str()
        {
            "close" => {
                connection.send("x".repeat(3_000_000));
                connection.close_with("bye");
                assert_eq!(connection.send("late"), Sent::Refused(Refused::Closed));
            }
            "destroy" => {
                connection.send("never seen");
                connection.destroy();
            }
            _ => {
                connection.send(line);
            }
        });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("close\nnot handled\n").await;
        let seen = peer.rest().await;
        assert_eq!(seen.len(), 3_000_000 + 1 + 4);
        assert!(seen.ends_with(b"x\nbye\n"));
        let mut peer = Peer::connect(&address).await;
        peer.send("destroy\n").await;
        peer.ends().await;
    });
    served.unwrap();
}

#[test]
fn a_paused_connection_is_not_read() {
    let (known, seen) = (Rc::new(RefCell::new(None)), Rc::new(Cell::new(0)));
    let (keep, count) = (Rc::clone(&known), Rc::clone(&seen));
    let worker = Worker::<Text>::bind("text://127.0.0.1:0")
        .on_connect(async move |connection| *keep.borrow_mut() = Some(connection))
        .on_message(async move |connection, line| {
            count.set(count.get() + 1);
            if line == "pause" {
                connection.pause();
            }
            connection.send(line)
        });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("pause\none\ntwo\n").await;
        peer.sees("pause\n").await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert_eq!(seen.get(), 1);
        known.borrow().as_ref().unwrap().resume();
        peer.sees("one\ntwo\n").await;
    });
    served.unwrap();
}
