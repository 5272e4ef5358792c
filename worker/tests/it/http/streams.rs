//! Responses that come piece by piece.

use super::http;
use super::reply::Reply;
use crate::peer::{Peer, until};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use workyard_worker::embedded::serve_while;
use workyard_worker::http::{BodySender, Event, EventSender, Response, StreamError};

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

type Senders = Rc<RefCell<Vec<EventSender>>>;

/// A worker whose event streams are kept, and those.
fn listening() -> (workyard_worker::Worker<workyard_worker::protocols::Http>, Senders) {
    let senders = Senders::default();
    let kept = Rc::clone(&senders);
    let worker = http().on_message(async move |connection, _| {
        let (response, events) = Response::events();
        kept.borrow_mut().push(events);
        connection.send(response)
    });
    (worker, senders)
}

#[test]
fn events_are_seen_one_by_one_until_the_peer_goes() {
    let (worker, senders) = listening();
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send(GET).await;
        let head = Reply::head(&mut peer).await;
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
        assert_eq!(head.header("cache-control"), Some("no-cache"));
        let events = senders.borrow_mut().pop().unwrap();
        for (event, seen) in [
            (Event::new("one"), "B\r\ndata: one\n\n\r\n"),
            (Event::new("a\nb").id("7"), "17\r\nid: 7\ndata: a\ndata: b\n\n\r\n"),
            (Event::comment("."), "5\r\n: .\n\n\r\n"),
        ] {
            events.send(event).await.unwrap();
            peer.sees(seen).await;
        }
        assert!(!events.is_closed());
        drop(peer);
        events.closed().await;
        assert_eq!(events.send("late").await, Err(StreamError::Gone));
        assert_eq!(events.try_send("late"), Err(StreamError::Gone));
    });
    served.unwrap();
}

#[test]
fn events_end_when_nobody_sends_them_and_the_connection_goes_on() {
    let (worker, senders) = listening();
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        for _ in 0..2 {
            peer.send(GET).await;
            Reply::head(&mut peer).await;
            let events = senders.borrow_mut().pop().unwrap();
            events.try_send("last").unwrap();
            drop(events);
            peer.sees("C\r\ndata: last\n\n\r\n0\r\n\r\n").await;
        }
    });
    served.unwrap();
}

#[test]
fn events_end_when_the_process_leaves() {
    let (worker, senders) = listening();
    let served = serve_while(worker.requests_max(2), async |address| {
        let mut peers = Vec::new();
        for _ in 0..2 {
            let mut peer = Peer::connect(&address).await;
            peer.send(GET).await;
            Reply::head(&mut peer).await;
            peers.push(peer);
        }
        // This is before anything is closed because it takes too long.
        let begun = Instant::now();
        until(|| senders.borrow().iter().all(EventSender::is_closed)).await;
        assert!(begun.elapsed() < Duration::from_millis(900));
        for peer in &mut peers {
            assert_eq!(peer.rest().await, b"0\r\n\r\n");
        }
    });
    served.unwrap();
}

#[test]
fn a_peer_that_does_not_read_stops_who_sends() {
    let (worker, senders) = listening();
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send(GET).await;
        Reply::head(&mut peer).await;
        let events = senders.borrow_mut().pop().unwrap();
        let text = "x".repeat(10_000);
        let mut sent = 0;
        loop {
            match events.try_send(text.as_str()) {
                Ok(()) => sent += 1,
                Err(StreamError::Full(waiting)) => {
                    assert!((262_144..280_000).contains(&waiting), "{waiting}");
                    // It may be that the wire has only not been asked.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    if events.try_send(text.as_str()).is_err() {
                        break;
                    }
                    sent += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        // Who waits goes on when the peer reads.
        let waiting = async { events.send(text.as_str()).await.unwrap() };
        let reading = async {
            for _ in 0..=sent {
                peer.sees(format!("2718\r\ndata: {text}\n\n\r\n")).await;
            }
        };
        tokio::join!(waiting, reading);
    });
    served.unwrap();
}

/// What becomes of a stream, by the path.
async fn act(path: &str, body: BodySender, is_told: Rc<Cell<bool>>) -> Result<(), StreamError> {
    match path {
        "/cut" => body.send("beginning").await,
        "/long" => {
            for _ in 0..1000 {
                body.send(vec![b'x'; 10_000]).await?;
            }
            body.finish();
            Ok(())
        }
        "/wait" => {
            body.send("beginning").await?;
            body.closed().await;
            is_told.set(true);
            Ok(())
        }
        _ => {
            body.send("one").await?;
            body.send("").await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
            body.send("two").await?;
            body.finish();
            Ok(())
        }
    }
}

#[test]
fn streams_are_chunked_and_only_whole_if_they_say_so() {
    let is_told = Rc::new(Cell::new(false));
    let told = Rc::clone(&is_told);
    let worker = http().on_message(async move |connection, request| {
        let (response, body) = Response::stream();
        connection.send(response);
        act(request.path(), body, Rc::clone(&told)).await
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        for _ in 0..2 {
            peer.send(GET).await;
            let head = Reply::head(&mut peer).await;
            assert_eq!(head.header("transfer-encoding"), Some("chunked"));
            peer.sees("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n").await;
        }
        peer.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
        assert_eq!(Reply::head(&mut peer).await.header("transfer-encoding"), None);
        assert_eq!(peer.rest().await, b"onetwo");

        let mut peer = Peer::connect(&address).await;
        peer.send("GET /long HTTP/1.0\r\n\r\n").await;
        Reply::head(&mut peer).await;
        assert_eq!(peer.rest().await.len(), 10_000_000);

        let mut peer = Peer::connect(&address).await;
        peer.send("GET /cut HTTP/1.1\r\nHost: x\r\n\r\n").await;
        Reply::head(&mut peer).await;
        assert_eq!(peer.rest().await, b"9\r\nbeginning\r\n");

        let mut peer = Peer::connect(&address).await;
        peer.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await;
        Reply::head(&mut peer).await;
        peer.sees("9\r\nbeginning\r\n").await;
        drop(peer);
        until(|| is_told.get()).await;
    });
    served.unwrap();
}

#[test]
fn a_head_alone_is_wanted_of_a_stream() {
    let (worker, senders) = listening();
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        Reply::head(&mut peer).await;
        until(|| senders.borrow()[0].is_closed()).await;
    });
    served.unwrap();
}

#[test]
fn a_closed_connection_ends_its_stream() {
    let worker = http().on_message(async move |connection, _| {
        let (response, body) = Response::stream();
        connection.send(response);
        body.send("beginning").await?;
        connection.close();
        body.closed().await;
        Ok::<_, StreamError>(())
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send(GET).await;
        Reply::head(&mut peer).await;
        assert_eq!(peer.rest().await, b"9\r\nbeginning\r\n");
    });
    served.unwrap();
}
