//! Callbacks and protocols that do the wrong thing, and peers that do: what it costs, and whom.

use crate::peer::{PATIENCE, Peer, until};
use bytes::{Bytes, BytesMut};
use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use workyard_worker::http::Response;
use workyard_worker::protocols::{Http, Tcp, Text, WebSocket};
use workyard_worker::{
    Connection, ConnectionState, Input, Payload, Protocol, ProtocolError, Sent, Worker,
    WorkerProcess, embedded::serve_while,
};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn an_error_that_is_answered_makes_no_further_error() {
    let calls = Rc::new(Cell::new(0));
    let count = Rc::clone(&calls);
    let worker = Worker::<Text>::bind("text://127.0.0.1:0").package_bytes_max(100).on_error(
        async move |connection, error| {
            count.set(count.get() + 1);
            connection.send(format!("error: {error}"))
        },
    );
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send(vec![b'x'; 200]).await;
        peer.rest().await;
        until(|| calls.get() > 0).await;
        sleep(ms(50)).await;
    });
    served.unwrap();
    assert_eq!(calls.get(), 1);
}

#[test]
fn a_peer_that_reads_gets_all_however_much_is_sent_at_once() {
    let refused = Rc::new(Cell::new(0));
    let count = Rc::clone(&refused);
    let worker =
        Worker::<Text>::bind("text://127.0.0.1:0").on_message(async move |connection, _| {
            let sent = connection.send(vec![b'y'; 99_999]);
            count.set(count.get() + u32::from(!sent.is_accepted()));
        });
    let served = serve_while(worker, async |address| {
        let address = address.endpoint.to_string();
        let reader = std::thread::spawn(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all("a\n".repeat(30).as_bytes()).unwrap();
            let mut all = vec![0; 3_000_000];
            stream.read_exact(&mut all).is_ok()
        });
        until(|| reader.is_finished() || refused.get() > 0).await;
        assert_eq!(refused.get(), 0);
        assert!(reader.join().unwrap());
    });
    served.unwrap();
}

/// A byte that says how long the rest is. It panics at `!`, whichever way.
struct Frail;

impl Protocol for Frail {
    const NAME: &'static str = "frail";
    type State = ();
    type Message = Bytes;
    type Reply = Payload;

    fn input((): &mut (), received: &[u8]) -> Result<Input, ProtocolError> {
        assert!(received[0] != b'!', "a bug in input");
        Ok(Input::Package(1 + usize::from(received[0])))
    }

    fn decode((): &mut (), package: Bytes) -> Result<Bytes, ProtocolError> {
        assert!(package[1] != b'!', "a bug in decode");
        Ok(package.slice(1..))
    }

    fn encode((): &mut (), reply: Payload, out: &mut BytesMut) -> Result<(), ProtocolError> {
        out.extend_from_slice(b"<");
        assert!(!reply.contains(&b'!'), "a bug in encode");
        out.extend_from_slice(&reply);
        out.extend_from_slice(b">");
        Ok(())
    }
}

#[test]
fn a_protocol_that_panics_costs_the_connection_and_half_sends_nothing() {
    let closed = Rc::new(Cell::new(0));
    let known: Rc<RefCell<Option<WorkerProcess<Frail>>>> = Rc::default();
    let (count, keep) = (Rc::clone(&closed), Rc::clone(&known));
    let worker = Worker::<Frail>::bind("frail://127.0.0.1:0")
        .on_worker_start(async move |process| *keep.borrow_mut() = Some(process))
        .on_close(async move |_| count.set(count.get() + 1))
        .on_message(async |connection, message| match &message[..] {
            b"all" => connection.worker().broadcast("!"),
            _ => usize::from(connection.send(message).is_accepted()),
        });
    let served = serve_while(worker, async |address| {
        let mut other = Peer::connect(&address).await;
        for (at, bad) in [&b"!"[..], b"\x01!"].into_iter().enumerate() {
            let mut peer = Peer::connect(&address).await;
            peer.send(bad).await;
            peer.ends().await;
            until(|| closed.get() == at + 1).await;
        }
        assert_eq!(known.borrow().as_ref().unwrap().connections().count(), 1);
        other.send("\x03all\x02ok").await;
        other.sees("<ok>").await;
    });
    served.unwrap();
}

#[test]
fn what_a_callback_holds_is_free_when_on_close_runs() {
    let (lock, closed) = (Rc::new(Mutex::new(())), Rc::new(Cell::new(false)));
    let known: Rc<RefCell<Option<Connection<Text>>>> = Rc::default();
    let (held, wanted) = (Rc::clone(&lock), Rc::clone(&lock));
    let (keep, is_closed) = (Rc::clone(&known), Rc::clone(&closed));
    let worker = Worker::<Text>::bind("text://127.0.0.1:0")
        .on_message(async move |connection, _| {
            let _guard = held.lock().await;
            *keep.borrow_mut() = Some(connection);
            sleep(PATIENCE).await;
        })
        .on_close(async move |_| {
            let _guard = wanted.lock().await;
            is_closed.set(true);
        });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("a\n").await;
        until(|| known.borrow().is_some()).await;
        known.borrow().as_ref().unwrap().destroy();
        until(|| closed.get()).await;
    });
    served.unwrap();
}

/// How long it takes to stop a worker whose one connection is as `begin` has made it.
fn stopping(worker: Worker<Text>, begin: impl AsyncFnOnce(&mut Peer)) -> Duration {
    let stopped = serve_while(worker.stop_timeout(ms(1000)), async |address| {
        let mut peer = Peer::connect(&address).await;
        begin(&mut peer).await;
        (peer, Instant::now())
    });
    stopped.unwrap().1.elapsed()
}

#[test]
fn neither_a_callback_nor_a_peer_can_keep_a_process_from_stopping() {
    let hangs = Worker::<Text>::bind("text://127.0.0.1:0")
        .on_message(async |_, _| std::future::pending::<()>().await);
    let taken = stopping(hangs, async |peer| peer.send("a\n").await);
    assert!(taken < ms(3000), "{taken:?}");
    let floods = Worker::<Text>::bind("text://127.0.0.1:0")
        .on_message(async |connection, _| connection.send(vec![b'x'; 50_000_000]));
    let taken = stopping(floods, async |peer| {
        peer.send("a\n").await;
        sleep(ms(200)).await;
    });
    assert!(taken < ms(3000), "{taken:?}");
    let forever = Worker::<Text>::bind("text://127.0.0.1:0").stop_timeout(Duration::MAX);
    serve_while(forever, async |_| ()).unwrap();
}

#[test]
fn a_peer_that_has_gone_is_noticed_by_who_sends_to_it() {
    let known: Rc<RefCell<Option<Connection<Tcp>>>> = Rc::default();
    let closed = Rc::new(Cell::new(false));
    let (keep, is_closed) = (Rc::clone(&known), Rc::clone(&closed));
    let worker = Worker::<Tcp>::bind("tcp://127.0.0.1:0")
        .on_connect(async move |connection| {
            connection.pause();
            *keep.borrow_mut() = Some(connection);
        })
        .on_close(async move |_| is_closed.set(true));
    let served = serve_while(worker, async |address| {
        drop(Peer::connect(&address).await);
        until(|| known.borrow().is_some()).await;
        let connection = known.borrow().clone().unwrap();
        let sends = async {
            while connection.send("x").is_accepted() {
                sleep(ms(10)).await;
            }
        };
        timeout(PATIENCE, sends).await.unwrap();
        assert_eq!(connection.state(), ConnectionState::Closed);
        until(|| closed.get()).await;
    });
    served.unwrap();
}

#[test]
fn datagrams_are_bounded_and_finished_before_the_end() {
    let (now, most, done) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (under_way, peak, finished) = (Rc::clone(&now), Rc::clone(&most), Rc::clone(&done));
    let worker = Worker::<Text>::bind("udp://127.0.0.1:0").connections_max(10).on_message(
        async move |connection, line| {
            under_way.set(under_way.get() + 1);
            peak.set(peak.get().max(under_way.get()));
            sleep(ms(300)).await;
            under_way.set(under_way.get() - 1);
            finished.set(finished.get() + 1);
            connection.send(line)
        },
    );
    let served = serve_while(worker, async |address| {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for _ in 0..100 {
            socket.send_to(b"a\n", address.endpoint.to_string()).await.unwrap();
        }
        until(|| now.get() == 10).await;
    });
    served.unwrap();
    assert_eq!(most.get(), 10);
    assert!(done.get() >= 10);
}

#[test]
fn a_peer_that_floods_leaves_others_their_time() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0").on_message(async |_, _| {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_micros(200) {
            std::hint::spin_loop();
        }
    });
    let served = serve_while(worker, async |address| {
        let mut stream = std::net::TcpStream::connect(address.endpoint.to_string()).unwrap();
        let flood = std::thread::spawn(move || {
            stream.set_write_timeout(Some(ms(300))).unwrap();
            let _ = stream.write_all("a\n".repeat(200_000).as_bytes());
            stream
        });
        let (mut worst, begun) = (Duration::ZERO, Instant::now());
        while begun.elapsed() < ms(1500) {
            let before = Instant::now();
            sleep(ms(5)).await;
            worst = worst.max(before.elapsed());
        }
        // 64 messages take 13 ms; with the machine busy, some turns.
        assert!(worst < ms(400), "{worst:?}");
        drop(flood.join());
    });
    served.unwrap();
}

thread_local! {
    static ALIVE: Cell<i32> = const { Cell::new(0) };
}

struct Counted;

impl Default for Counted {
    fn default() -> Self {
        ALIVE.set(ALIVE.get() + 1);
        assert!(ALIVE.get() != 1, "the first one fails");
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

#[test]
fn data_that_panics_costs_one_connection_and_goes_with_the_others() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0")
        .data::<Counted>()
        .authenticate_within(Duration::from_secs(60))
        .on_message(async |connection, line| -> Sent {
            connection.set_user("somebody");
            connection.send(line)
        });
    let served = serve_while(worker, async |address| {
        Peer::connect(&address).await.ends().await;
        for _ in 0..20 {
            let mut peer = Peer::connect(&address).await;
            peer.send("a\n").await;
            peer.sees("a\n").await;
        }
        // The one that failed has been counted.
        until(|| ALIVE.get() == 1).await;
    });
    served.unwrap();
}

#[test]
fn what_is_asked_is_answered_as_long_as_there_is_time() {
    let slow = Worker::<Http>::bind("http://127.0.0.1:0").stop_timeout(ms(2000)).on_message(
        async |connection, _| {
            sleep(ms(1300)).await;
            connection.send("late, but not too late")
        },
    );
    let peer = serve_while(slow, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
        sleep(ms(100)).await;
        peer
    });
    let answer = String::from_utf8(peer.unwrap().left()).unwrap();
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("late, but not too late"), "{answer}");
}

#[test]
fn a_websocket_that_is_about_to_be_opened_is_waited_for() {
    const ASKING: &str = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let echo = Worker::<WebSocket>::bind("websocket://127.0.0.1:0")
        .on_message(async |connection, message| connection.send(message));
    let served = serve_while(echo, async |address| {
        let mut stream = std::net::TcpStream::connect(address.endpoint.to_string()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        sleep(ms(100)).await;
        // It asks when the process has been told to stop.
        std::thread::spawn(move || {
            std::thread::sleep(ms(150));
            stream.write_all(ASKING.as_bytes()).unwrap();
            let mut seen = vec![0; 13];
            stream.read_exact(&mut seen).map(|()| seen)
        })
    });
    assert_eq!(served.unwrap().join().unwrap().unwrap(), b"HTTP/1.1 101 ");
}

#[test]
fn a_stream_hears_that_its_connection_is_destroyed_and_that_its_peer_has_gone() {
    let streams = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&streams);
    let worker =
        Worker::<Http>::bind("http://127.0.0.1:0").on_message(async move |connection, _| {
            let (response, events) = Response::events();
            connection.send(response);
            keep.borrow_mut().push((connection, events));
        });
    let served = serve_while(worker, async |address| {
        let ask = async || {
            let mut peer = Peer::connect(&address).await;
            peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
            peer.sees("HTTP/1.1 200 OK\r\n").await;
            peer
        };
        let _destroyed = ask().await;
        streams.borrow()[0].0.destroy();
        until(|| streams.borrow()[0].1.is_closed()).await;
        let mut ahead = ask().await;
        ahead.send("G").await;
        sleep(ms(50)).await;
        assert!(!streams.borrow()[1].1.is_closed());
        drop(ahead);
        until(|| streams.borrow()[1].1.is_closed()).await;
    });
    served.unwrap();
}
