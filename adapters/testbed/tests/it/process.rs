//! Processes: started, killed, started again, paused, and gone in the end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workyard_testbed::{Place, Process, Program, Ready, eventually, eventually_blocking};

fn redis(place: &Place) -> Program {
    Program::new("redis-server")
        .arguments(["--bind", "127.0.0.1", "--save", "", "--port"])
        .argument(place.port(0).to_string())
        .ready(Ready::Answers(place.address(0), "PING\r\n", "+PONG"))
}

async fn ping(stream: &mut TcpStream) -> std::io::Result<[u8; 7]> {
    let mut answer = [0; 7];
    stream.write_all(b"PING\r\n").await?;
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

async fn connect(server: &Process) -> std::io::Result<TcpStream> {
    TcpStream::connect(server.place().address(0)).await
}

fn is_there(id: u32) -> bool {
    Path::new(&format!("/proc/{id}")).exists()
}

#[tokio::test]
async fn starts_again_where_it_was() {
    let mut server = Process::start(1, redis).await;
    assert!(server.log().contains("Ready to accept connections"));
    let mut client = connect(&server).await.unwrap();
    assert_eq!(&ping(&mut client).await.unwrap(), b"+PONG\r\n");
    let (first, address) = (server.id(), server.place().address(0));

    server.kill().await;
    assert!(!server.is_running() && !is_there(first));
    assert!(ping(&mut client).await.is_err());
    assert!(connect(&server).await.is_err());

    server.start_again().await;
    assert!(server.id() != first && server.place().address(0) == address);
    assert_eq!(&ping(&mut connect(&server).await.unwrap()).await.unwrap(), b"+PONG\r\n");

    server.restart().await;
    assert_eq!(&ping(&mut connect(&server).await.unwrap()).await.unwrap(), b"+PONG\r\n");
    assert_eq!(server.log().matches("Ready to accept connections").count(), 1);
}

#[tokio::test]
async fn a_pause_holds_answers_back() {
    let server = Process::start(1, redis).await;
    let mut client = connect(&server).await.unwrap();
    ping(&mut client).await.unwrap();
    server.pause().await;
    client.write_all(b"PING\r\n").await.unwrap();
    let mut answer = [0; 7];
    let wait = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(wait, client.read_exact(&mut answer)).await.is_err());
    server.resume();
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
}

#[tokio::test]
async fn nothing_is_left_of_what_is_dropped() {
    let server = Process::start(1, redis).await;
    let (id, folder) = (server.id(), server.place().folder().to_owned());
    assert!(is_there(id) && folder.is_dir());
    // One that stands still is no exception.
    server.pause().await;
    drop(server);
    assert!(!is_there(id) && !folder.exists());
}

#[tokio::test]
async fn another_port_is_tried_when_one_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let attempts = std::cell::Cell::new(0);
    let server = Process::start(1, |place| {
        attempts.set(attempts.get() + 1);
        let taken = taken.local_addr().unwrap().port();
        let port = if attempts.get() == 1 { taken } else { place.port(0) };
        redis(place).arguments(["--port".to_owned(), port.to_string()])
    });
    let server = server.await;
    assert_eq!(attempts.get(), 2);
    assert!(connect(&server).await.is_ok());
}

#[tokio::test]
#[should_panic(expected = "Bad directive or wrong number of arguments")]
async fn what_does_not_start_says_why() {
    let wrong = |place: &Place| redis(place).argument("--no-such-option");
    let _ = Process::start(1, wrong).await;
}

/// It runs itself as a process of tests that is killed in the midst of one.
#[tokio::test]
async fn a_server_ends_with_the_process_of_the_tests() {
    const VICTIM: &str = "WORKYARD_TESTBED_VICTIM";
    if std::env::var_os(VICTIM).is_some() {
        let server = Process::start(1, redis).await;
        println!("\nvictim {} {}", server.id(), server.place().folder().display());
        return std::future::pending().await;
    }
    let mut tests = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::a_server_ends_with_the_process_of_the_tests", "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(tests.stdout.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("victim ")).unwrap();
    let mut words = line.split(' ').skip(1);
    let id: u32 = words.next().unwrap().parse().unwrap();
    let folder = Path::new(words.next().unwrap()).to_owned();
    assert!(is_there(id) && folder.is_dir());
    tests.kill().unwrap();
    tests.wait().unwrap();
    // Its parent is gone: what remains of it until somebody looks is a zombie.
    let is_dead = || !runs(id);
    eventually_blocking("the server has ended", is_dead);
    // The folder of all folders.
    let root = folder.parent().unwrap();
    eventually("its folder is gone", async || !root.exists()).await;
}

fn runs(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, fields)| !fields.starts_with('Z'))
}
