//! WebSocket connections from the first message to the last.

use crate::peer::{PATIENCE, Peer, until};
use crate::websocket_peer::{BINARY, CLOSE, FIN, PING, PONG, TEXT, code, masked, open, plain};
use futures_util::future::join_all;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use workyard_worker::websocket::{Close, CloseCode, Reply};
use workyard_worker::{
    Connection, Refused, Sent, Worker, embedded::serve_while, protocols::WebSocket,
};

type Known = Rc<RefCell<Option<Connection<WebSocket>>>>;

/// A server that echoes what it is no order to close, and the connection that has come last.
fn server() -> (Worker<WebSocket>, Known) {
    let known = Known::default();
    let keep = Rc::clone(&known);
    let worker = Worker::<WebSocket>::bind("websocket://127.0.0.1:0")
        .on_websocket_connect(async move |connection, _| {
            *keep.borrow_mut() = Some(connection);
        })
        .on_message(async |connection, message| {
            match message.as_text() {
                Some("close") => connection.close(),
                Some("bye") => drop(connection.close_with("bye")),
                Some("policy") => connection.close_because(CloseCode::POLICY, "too loud"),
                Some("long") => connection.close_because(CloseCode::RESTART, &"ä".repeat(100)),
                Some("error") => return Err("an error"),
                _ => drop(connection.send(message)),
            }
            Ok(())
        });
    (worker, known)
}

#[test]
fn a_server_that_closes_says_why_and_waits_for_the_peer() {
    let (worker, known) = server();
    let served = serve_while(worker, async |address| {
        for (order, last, said) in [
            ("close", None, code(1000, "")),
            ("bye", Some("bye"), code(1000, "")),
            ("policy", None, code(1008, "too loud")),
            ("long", None, code(1012, &"ä".repeat(61))),
            ("error", None, code(1011, "")),
        ] {
            let mut peer = open(&address).await;
            let connection = known.borrow().clone().unwrap();
            peer.send(masked(FIN | TEXT, order)).await;
            if let Some(last) = last {
                peer.sees(plain(FIN | TEXT, last)).await;
            }
            peer.sees(plain(FIN | CLOSE, said)).await;
            assert_eq!(connection.send("late"), Sent::Refused(Refused::Closed));
            peer.send(masked(FIN | TEXT, "crossing")).await;
            assert_eq!(connection.closed_by_peer(), None);
            peer.send(masked(FIN | CLOSE, code(1000, "fine"))).await;
            peer.ends().await;
            let close = Close { code: Some(1000), reason: "fine".to_owned() };
            assert_eq!(connection.closed_by_peer(), Some(close));
        }
    });
    served.unwrap();
}

#[test]
fn a_peer_that_does_not_close_too_is_not_waited_for_long() {
    let (worker, _) = server();
    let served = serve_while(worker, async |address| {
        let mut peer = open(&address).await;
        peer.send(masked(FIN | TEXT, "close")).await;
        peer.sees(plain(FIN | CLOSE, code(1000, ""))).await;
        let begun = Instant::now();
        peer.ends().await;
        let waited = begun.elapsed();
        assert!(
            waited > Duration::from_millis(500) && waited < Duration::from_secs(5),
            "{waited:?}"
        );
    });
    served.unwrap();
}

#[test]
fn what_a_peer_says_when_it_closes_is_known() {
    let told = Rc::new(RefCell::new(Vec::new()));
    let tell = Rc::clone(&told);
    let worker = Worker::<WebSocket>::bind("websocket://127.0.0.1:0")
        .on_close(async move |connection| tell.borrow_mut().push(connection.closed_by_peer()));
    let served = serve_while(worker, async |address| {
        for close in [code(4001, "left"), Vec::new()] {
            let mut peer = open(&address).await;
            peer.send(masked(FIN | CLOSE, &close)).await;
            peer.sees(plain(FIN | CLOSE, &close[..close.len().min(2)])).await;
            peer.ends().await;
        }
        drop(open(&address).await);
        until(|| told.borrow().len() == 3).await;
    });
    served.unwrap();
    let close = |code, reason: &str| Some(Close { code, reason: reason.to_owned() });
    assert_eq!(*told.borrow(), [close(Some(4001), "left"), close(None, ""), None]);
}

#[test]
fn a_process_that_stops_answers_what_has_arrived_and_is_going_away() {
    let worker = Worker::<WebSocket>::bind("websocket://127.0.0.1:0").on_message(
        async |connection, message| {
            tokio::time::sleep(Duration::from_millis(20)).await;
            connection.send(message)
        },
    );
    let served = serve_while(worker, async |address| {
        let (idle, mut busy) = (open(&address).await, open(&address).await);
        busy.send(masked(FIN | TEXT, "message").repeat(5)).await;
        busy.sees(plain(FIN | TEXT, "message")).await;
        let waiting = Peer::connect(&address).await;
        (idle, busy, waiting)
    });
    let (idle, busy, waiting) = served.unwrap();
    let close = plain(FIN | CLOSE, code(1001, ""));
    assert_eq!(idle.left(), close);
    assert_eq!(busy.left(), [plain(FIN | TEXT, "message").repeat(4), close].concat());
    assert_eq!(waiting.left(), b"");
}

#[test]
fn what_waits_for_a_peer_that_does_not_read_is_bounded() {
    let (worker, known) = server();
    let served = serve_while(worker.send_buffer_bytes_max(100_000), async |address| {
        let mut peer = open(&address).await;
        let connection = known.borrow().clone().unwrap();
        let mut sent = 0;
        let waiting = loop {
            match connection.send(vec![b'x'; 50_000]) {
                Sent::Refused(Refused::Full(waiting)) => break waiting,
                Sent::Refused(other) => panic!("{other}"),
                Sent::Written | Sent::Queued => sent += 1,
            }
        };
        assert!((100_000..150_100).contains(&waiting), "{waiting}");
        assert_eq!(connection.traffic().send_queue, waiting);
        peer.sees(plain(FIN | BINARY, vec![b'x'; 50_000]).repeat(sent)).await;
        until(|| connection.traffic().send_queue == 0).await;
        assert!(connection.send("again").is_accepted());
        peer.sees(plain(FIN | TEXT, "again")).await;
    });
    served.unwrap();
}

#[test]
fn a_peer_that_sends_pings_has_to_read_the_pongs() {
    const PINGS: usize = 100_000;
    let (worker, known) = server();
    let served = serve_while(worker, async |address| {
        let mut peer = open(&address).await;
        let connection = known.borrow().clone().unwrap();
        let pings = masked(FIN | PING, [b'p'; 125]).repeat(PINGS);
        let mut begun = 0;
        while begun < pings.len() {
            let sent = timeout(Duration::from_millis(500), peer.send_some(&pings[begun..])).await;
            let Ok(sent) = sent else { break };
            begun += sent;
        }
        assert!(begun < pings.len(), "the peer has to wait");
        let waiting = connection.traffic().send_queue;
        assert!(waiting < 100_000, "{waiting}");
        let read = begun / (125 + 6);
        let seen = timeout(PATIENCE, peer.sees(plain(FIN | PONG, [b'p'; 125]).repeat(read))).await;
        seen.expect("all are answered");
    });
    served.unwrap();
}

#[test]
fn a_server_may_ping() {
    let (worker, known) = server();
    let served = serve_while(worker, async |address| {
        let mut peer = open(&address).await;
        let connection = known.borrow().clone().unwrap();
        assert!(connection.send(Reply::ping("are you there?")).is_accepted());
        peer.sees(plain(FIN | PING, "are you there?")).await;
        peer.send(masked(FIN | PONG, "are you there?")).await;
        let refused = connection.send(Reply::ping(vec![0; 126]));
        assert!(matches!(refused, Sent::Refused(Refused::Protocol(_))), "{refused:?}");
        peer.send(masked(FIN | TEXT, "yes")).await;
        peer.sees(plain(FIN | TEXT, "yes")).await;
    });
    served.unwrap();
}

#[test]
fn two_hundred_peers_hear_a_broadcast() {
    let worker = Worker::<WebSocket>::bind("websocket://127.0.0.1:0").on_message(
        async |connection, message| {
            assert_eq!(connection.worker().broadcast(message), 200);
        },
    );
    let served = serve_while(worker, async |address| {
        let mut peers = join_all((0..200).map(|_| open(&address))).await;
        for (at, frame) in [(0, (FIN | TEXT, "to all")), (199, (FIN | BINARY, "bytes"))] {
            let (first, held) = frame;
            peers[at].send(masked(first, held)).await;
            join_all(peers.iter_mut().map(|peer| peer.sees(plain(first, held)))).await;
        }
    });
    served.unwrap();
}

#[test]
fn a_connection_knows_its_traffic() {
    let (worker, known) = server();
    let served = serve_while(worker, async |address| {
        let mut peer = open(&address).await;
        let connection = known.borrow().clone().unwrap();
        let before = connection.traffic();
        assert_eq!((before.receive_queue, before.send_queue), (0, 0));
        peer.send(&masked(FIN | TEXT, "message")[..8]).await;
        until(|| connection.traffic().receive_queue == 8).await;
        peer.send(&masked(FIN | TEXT, "message")[8..]).await;
        peer.sees(plain(FIN | TEXT, "message")).await;
        let after = connection.traffic();
        assert_eq!((after.read - before.read, after.receive_queue), (13, 0));
        assert_eq!(after.written - before.written, 9);
    });
    served.unwrap();
}
