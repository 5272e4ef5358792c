//! Connections that a worker process makes itself.

use crate::peer::{PATIENCE, Peer, until};
use std::cell::RefCell;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener};
use tokio::time::timeout;
use workyard_worker::protocols::{Frame, Text};
use workyard_worker::{
    Backoff, Client, ConnectionError, ConnectionState, Refused, Sent, Worker, WorkerStatus,
    embedded::serve_while,
};

type Log = Rc<RefCell<Vec<String>>>;

/// Runs something within a worker process that echoes lines at an address.
fn within<F: Future<Output = ()>>(main: impl FnOnce(String) -> F) {
    let echo =
        Worker::<Text>::bind("text://127.0.0.1:0").on_message(async |connection, line| match line
            .as_str()
        {
            "close" => connection.close(),
            _ => drop(connection.send(line)),
        });
    serve_while(echo, async |address| main(address.to_string()).await).unwrap();
}

/// An address that nobody listens at.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("text://{}", listener.local_addr().unwrap())
}

#[test]
fn a_client_sends_before_it_is_connected_and_hears_the_answers() {
    within(async |address| {
        let log = Log::default();
        let note = |what: &'static str| {
            let log = Rc::clone(&log);
            move |text: &str| log.borrow_mut().push(format!("{what} {text}"))
        };
        let (connect, message, close) = (note("connect"), note("message"), note("close"));
        let client = Client::<Text>::to(&address)
            .on_connect(async move |client| {
                connect(&format!("{}", client.state()));
                client.send("second")
            })
            .on_message(async move |client, line| {
                message(&line);
                if line == "second" {
                    client.close();
                }
            })
            .on_close(async move |client| close(&format!("{}", client.state())))
            .connect()
            .unwrap();
        assert_eq!(client.state(), ConnectionState::Connecting);
        assert_eq!(client.send("first"), Sent::Queued);
        assert_eq!(client.traffic().send_queue, 6);
        until(|| log.borrow().len() == 4).await;
        let expected = ["connect ESTABLISHED", "message first", "message second", "close CLOSED"];
        assert_eq!(*log.borrow(), expected);
        assert_eq!(client.remote().map(|it| format!("text://{it}")), Some(address));
        assert_eq!(client.send("late"), Sent::Refused(Refused::Closed));
    });
}

#[test]
fn what_waits_for_a_connection_is_bounded() {
    within(async |address| {
        let client = Client::<Text>::to(&address).send_buffer_bytes_max(100).connect().unwrap();
        assert!(client.send("*".repeat(99)).is_accepted());
        assert_eq!(client.send("more"), Sent::Refused(Refused::Full(100)));
    });
}

#[test]
fn a_client_that_cannot_connect_is_told_and_closed() {
    within(async |_| {
        let log = Log::default();
        let (connect, error, close) = (Rc::clone(&log), Rc::clone(&log), Rc::clone(&log));
        let address = nowhere().await;
        Client::<Text>::to(&address)
            .on_connect(async move |_| connect.borrow_mut().push("connected".to_owned()))
            .on_error(async move |_, failed: ConnectionError| {
                tokio::time::sleep(Duration::from_millis(10)).await;
                error.borrow_mut().push(failed.to_string());
            })
            .on_close(async move |_| close.borrow_mut().push("closed".to_owned()))
            .connect()
            .unwrap();
        until(|| log.borrow().len() == 2).await;
        let log = log.borrow();
        assert!(log[0].starts_with(&format!("cannot connect to {address}: ")), "{log:?}");
        assert!(log[0].contains("refused"), "{log:?}");
        assert_eq!(log[1], "closed");
    });
}

#[test]
fn connecting_takes_no_longer_than_allowed() {
    within(async |_| {
        let full = Full::new().await;
        let log = Log::default();
        let error = Rc::clone(&log);
        let begun = Instant::now();
        Client::<Text>::to(&format!("tcp://{}", full.address))
            .connect_timeout(Duration::from_millis(100))
            .on_error(async move |_, failed| error.borrow_mut().push(failed.to_string()))
            .connect()
            .unwrap();
        until(|| !log.borrow().is_empty()).await;
        assert!(log.borrow()[0].ends_with("timed out"), "{:?}", log.borrow());
        assert!(begun.elapsed() < Duration::from_secs(5));
    });
}

/// A listener whose queue is full, so that nobody more is answered.
struct Full {
    address: SocketAddr,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Full {
    async fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        let a_moment = Duration::from_millis(200);
        while let Ok(stream) = timeout(a_moment, TcpStream::connect(address)).await {
            waiting.push(stream.unwrap());
        }
        Self { address, _listener: listener, _waiting: waiting }
    }
}

#[test]
fn a_client_reconnects_when_it_is_told_to() {
    within(async |address| {
        let log = Log::default();
        let (connect, close) = (Rc::clone(&log), Rc::clone(&log));
        let client = Client::<Text>::to(&address)
            .data::<u32>()
            .on_connect(async move |client| {
                *client.data_mut() += 1;
                connect.borrow_mut().push(format!("connect {}", client.data()));
                client.send("close")
            })
            .on_close(async move |client| {
                close.borrow_mut().push("close".to_owned());
                if *client.data() < 3 {
                    client.reconnect(Duration::from_millis(1));
                }
            })
            .connect()
            .unwrap();
        let times = ["connect 1", "close", "connect 2", "close", "connect 3", "close"];
        until(|| log.borrow().len() == times.len()).await;
        assert_eq!(*log.borrow(), times);
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(client.state(), ConnectionState::Closed);
        client.reconnect(Duration::ZERO);
        client.send("queued meanwhile");
        until(|| log.borrow().len() == times.len() + 2).await;
    });
}

#[test]
fn a_client_comes_back_by_itself_until_it_is_ended() {
    within(async |_| {
        let address = nowhere().await;
        let log = Log::default();
        let (message, error) = (Rc::clone(&log), Rc::clone(&log));
        let client = Client::<Text>::to(&address)
            .reconnect(Backoff::new(Duration::from_millis(10), Duration::from_millis(50)))
            .on_error(async move |_, _| error.borrow_mut().push("error".to_owned()))
            .on_connect(async |client| client.send("hello"))
            .on_message(async move |_, line| message.borrow_mut().push(line))
            .connect()
            .unwrap();
        until(|| log.borrow().len() >= 2).await;
        let listener = TcpListener::bind(address.trim_start_matches("text://")).await.unwrap();
        for _ in 0..2 {
            let accepted = timeout(PATIENCE, listener.accept()).await.unwrap();
            let (mut peer, _) = accepted.unwrap();
            let mut hello = [0; 6];
            peer.read_exact(&mut hello).await.unwrap();
            peer.write_all(b"bye\n").await.unwrap();
        }
        until(|| log.borrow().iter().filter(|it| *it == "bye").count() == 2).await;
        let (mut last, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        until(|| client.state() == ConnectionState::Established).await;
        client.close();
        let mut rest = Vec::new();
        timeout(PATIENCE, last.read_to_end(&mut rest)).await.unwrap().unwrap();
        assert_eq!(rest, b"hello\n");
        drop(last);
        let again = timeout(Duration::from_millis(200), listener.accept()).await;
        assert!(again.is_err(), "it was ended");
    });
}

#[test]
fn a_destroyed_client_closes_its_socket_though_it_is_held() {
    within(async |_| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = Client::<Frame>::to(&format!("frame://{address}")).connect().unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        until(|| client.state() == ConnectionState::Established).await;
        client.destroy();
        let mut rest = Vec::new();
        let end = timeout(PATIENCE, peer.read_to_end(&mut rest)).await;
        let _ = end.expect("it ends");
        assert_eq!(rest, b"");
    });
}

#[test]
fn a_client_connects_to_a_socket_of_the_file_system() {
    let folder = tempfile::tempdir().unwrap();
    within(async |_| {
        let path = folder.path().join("peer.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let client = Client::<Frame>::to(&format!("unix://{}", path.display())).connect().unwrap();
        client.send("abc");
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut frame = [0; 7];
        peer.read_exact(&mut frame).await.unwrap();
        assert_eq!(&frame, b"\0\0\0\x07abc");
    });
}

#[test]
fn clients_count_as_connections_of_their_process() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0").on_message(async |connection, _| {
        let status = connection.worker().status();
        let WorkerStatus { connections, send_fail, total_request, .. } = status;
        connection.send(format!("{connections} {send_fail} {total_request}"))
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("status\n").await;
        peer.sees("1 0 1\n").await;
        let client = Client::<Text>::to(&address.to_string()).connect().unwrap();
        client.send("status");
        // Both ends of it are here; the answer comes after it was asked for.
        until(|| client.traffic().read == 6).await;
        assert_ne!(client.id(), 1);
        client.close();
        client.send("late");
        until(|| client.state() == ConnectionState::Closed).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        peer.send("status\n").await;
        peer.sees("1 1 4\n").await;
    });
    served.unwrap();
}

#[test]
fn what_is_no_address_for_a_client_is_refused() {
    within(async |_| {
        for (address, expected) in [
            ("127.0.0.1:1", "has no scheme"),
            ("frame://127.0.0.1:1", "does not go with the protocol text"),
            ("udp://127.0.0.1:1", "datagrams need UdpClient"),
        ] {
            let error = Client::<Text>::to(address).connect().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    });
}

#[test]
fn clients_send_what_they_have_when_the_process_stops_and_do_not_come_back() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let log = Log::default();
    let close = Rc::clone(&log);
    let worker = Worker::<Text>::bind("text://127.0.0.1:0").on_worker_start(async move |_| {
        let close = Rc::clone(&close);
        let client = Client::<Text>::to(&format!("text://{address}"))
            .reconnect(Backoff::new(Duration::ZERO, Duration::ZERO))
            .on_close(async move |client| {
                close.borrow_mut().push("close".to_owned());
                client.reconnect(Duration::ZERO);
            })
            .connect()?;
        while client.state() != ConnectionState::Established {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        client.send("*".repeat(1_000_000));
        Ok::<_, std::io::Error>(())
    });
    let reading = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut seen = Vec::new();
        std::io::Read::read_to_end(&mut peer, &mut seen).unwrap();
        seen.len()
    });
    let served = serve_while(worker, async |address| drop(Peer::connect(&address).await));
    served.unwrap();
    assert_eq!(reading.join().unwrap(), 1_000_001);
    assert_eq!(*log.borrow(), ["close"]);
}
