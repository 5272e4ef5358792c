//! Processes: started, killed, started again, paused, and gone in the end.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workyard_testbed::{Place, Process, Program, Ready, eventually_blocking};

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

#[tokio::test]
async fn a_server_ends_when_the_tests_are_killed() {
    if is_victim() {
        let _server = announced(Process::start(1, redis).await);
        return std::future::pending().await;
    }
    let mut victim = Victim::start("process::a_server_ends_when_the_tests_are_killed");
    victim.tests.kill().unwrap();
    assert!(!victim.leaves_nothing().success());
}

#[tokio::test]
async fn a_server_that_is_never_dropped_ends_with_the_tests() {
    if is_victim() {
        return std::mem::forget(announced(Process::start(1, redis).await));
    }
    let victim = Victim::start("process::a_server_that_is_never_dropped_ends_with_the_tests");
    assert!(victim.leaves_nothing().success());
}

/// Tests that run as a process of their own, with a server.
struct Victim {
    tests: Child,
    output: BufReader<ChildStdout>,
    server: u32,
    folder: PathBuf,
}

impl Victim {
    const MARK: &str = "WORKYARD_TESTBED_VICTIM";

    /// Runs this test, and waits until its server runs.
    fn start(test: &str) -> Self {
        let mut tests = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(Self::MARK, "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(tests.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("victim ") {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "it has ended");
        }
        let mut words = line.split_whitespace().skip(1);
        let server = words.next().unwrap().parse().unwrap();
        Self { tests, output, server, folder: words.next().unwrap().into() }
    }

    /// Waits for the end of all, and returns how the tests have ended.
    fn leaves_nothing(mut self) -> ExitStatus {
        self.output.read_to_end(&mut Vec::new()).unwrap();
        let status = self.tests.wait().unwrap();
        eventually_blocking("the server has ended", || !runs(self.server));
        let folder_of_all = self.folder.parent().unwrap();
        eventually_blocking("its folder is gone", || !folder_of_all.exists());
        status
    }
}

fn is_victim() -> bool {
    std::env::var_os(Victim::MARK).is_some()
}

#[expect(clippy::print_stdout, reason = "the test that started this one reads it")]
fn announced(server: Process) -> Process {
    println!("\nvictim {} {}", server.id(), server.place().folder().display());
    server
}

/// Its parent may be gone: what remains of it until somebody looks is a zombie.
fn runs(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, fields)| !fields.starts_with('Z'))
}
