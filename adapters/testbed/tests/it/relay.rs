//! The relay, between a client and a server of a few lines.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout};
use workyard_testbed::{Relay, eventually};

const MOMENT: Duration = Duration::from_millis(50);

/// Answers whatever it reads by the same, and tells what each connection said in all.
async fn echo() -> (SocketAddr, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (said, heard) = unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(stream, said.clone()));
        }
    });
    (address, heard)
}

async fn answer(mut stream: TcpStream, said: UnboundedSender<String>) {
    let mut all = String::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        all.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        let _ = stream.write_all(&buffer[..count]).await;
    }
    let _ = said.send(all);
}

async fn ask(stream: &mut TcpStream, text: &str) -> std::io::Result<String> {
    stream.write_all(text.as_bytes()).await?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await?;
    Ok(String::from_utf8(answer).unwrap())
}

async fn connect(relay: &Relay) -> TcpStream {
    TcpStream::connect(relay.address()).await.unwrap()
}

#[tokio::test]
async fn passes_and_counts() {
    let (server, mut heard) = echo().await;
    let relay = Relay::to(server).await;
    let mut client = connect(&relay).await;
    assert_eq!(ask(&mut client, "hello").await.unwrap(), "hello");
    assert_eq!((relay.connections(), relay.open(), relay.refused()), (1, 1, 0));
    assert_eq!((relay.bytes_of_clients(), relay.bytes_of_server()), (5, 5));
    client.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(heard.recv().await.unwrap(), "hello");
    eventually("the connection is gone", async || relay.open() == 0).await;
    assert_eq!(relay.connections(), 1);
}

#[tokio::test]
async fn stalls_until_it_may_pass() {
    let (server, mut heard) = echo().await;
    let relay = Relay::to(server).await;
    let mut client = connect(&relay).await;
    assert_eq!(ask(&mut client, "before").await.unwrap(), "before");
    relay.stall();
    let mut second = connect(&relay).await;
    for client in [&mut client, &mut second] {
        client.write_all(b"during").await.unwrap();
        assert!(timeout(MOMENT, client.read(&mut [0])).await.is_err());
    }
    assert!(heard.try_recv().is_err());
    relay.pass();
    for client in [&mut client, &mut second] {
        let mut answer = [0; 6];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"during");
    }
}

#[tokio::test]
async fn is_slow_both_ways() {
    let (server, _heard) = echo().await;
    let relay = Relay::to(server).await;
    let mut client = connect(&relay).await;
    relay.slow(MOMENT);
    let started = Instant::now();
    ask(&mut client, "slow").await.unwrap();
    assert!(started.elapsed() >= 2 * MOMENT);
    // A change is heard at once.
    relay.slow(Duration::from_secs(3600));
    client.write_all(b"late").await.unwrap();
    assert!(timeout(MOMENT, client.read(&mut [0])).await.is_err());
    relay.pass();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).await.unwrap();
}

#[tokio::test]
async fn cuts_what_there_is_and_takes_new_connections() {
    let (server, mut heard) = echo().await;
    let relay = Relay::to(server).await;
    let mut client = connect(&relay).await;
    ask(&mut client, "first").await.unwrap();
    relay.cut();
    let error = client.read(&mut [0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(heard.recv().await.unwrap(), "first");
    let mut client = connect(&relay).await;
    assert_eq!(ask(&mut client, "second").await.unwrap(), "second");
    assert_eq!((relay.connections(), relay.open()), (2, 1));
}

#[tokio::test]
async fn refuses_new_connections_only() {
    let (server, _heard) = echo().await;
    let relay = Relay::to(server).await;
    let mut first = connect(&relay).await;
    ask(&mut first, "first").await.unwrap();
    relay.refuse();
    // The reset may come while it is still connecting.
    if let Ok(mut second) = TcpStream::connect(relay.address()).await {
        let error = second.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    assert_eq!(ask(&mut first, "again").await.unwrap(), "again");
    assert_eq!((relay.connections(), relay.refused()), (1, 1));
}

#[tokio::test]
async fn cuts_in_the_midst_of_a_request() {
    let (server, mut heard) = echo().await;
    let relay = Relay::to(server).await;
    let (mut first, mut second) = (connect(&relay).await, connect(&relay).await);
    relay.cut_after_bytes(8);
    assert_eq!(ask(&mut first, "12345").await.unwrap(), "12345");
    assert!(relay.is_waiting_to_cut());
    let error = ask(&mut second, "67890").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof));
    assert_eq!(heard.recv().await.unwrap(), "678");
    assert!(!relay.is_waiting_to_cut());
    assert_eq!(ask(&mut first, "on").await.unwrap(), "on");
}

#[tokio::test]
async fn cuts_instead_of_answering() {
    let (server, mut heard) = echo().await;
    let relay = Relay::to(server).await;
    let (mut first, mut second) = (connect(&relay).await, connect(&relay).await);
    ask(&mut first, "one").await.unwrap();
    relay.cut_answer();
    let error = ask(&mut first, "two").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(heard.recv().await.unwrap(), "onetwo");
    relay.cut_answer_to("INCR");
    assert_eq!(ask(&mut second, "GET IN").await.unwrap(), "GET IN");
    // It began in what came before.
    let error = ask(&mut second, "CR x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(heard.recv().await.unwrap(), "GET INCR x");
}

#[tokio::test]
async fn a_server_that_is_not_there_resets() {
    let nowhere = workyard_testbed::Port::free();
    let relay = Relay::to(([127, 0, 0, 1], nowhere.number()).into()).await;
    if let Ok(mut client) = TcpStream::connect(relay.address()).await {
        assert!(client.read(&mut [0]).await.is_err());
    }
}
