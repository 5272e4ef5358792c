//! An example that is a service of worker processes, as its user starts it, and who asks it by HTTP.

use crate::{PATIENCE, Place, Process, Program, Ready};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{env, fs, io};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A service that runs, with its files in a private folder.
#[derive(Debug)]
pub struct Service(Process);

/// What a request was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Service {
    /// Starts an example of the crate whose test this is, with `LISTEN` set to an address of its own
    /// (`http://127.0.0.1:PORT`) and further variables.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(example: &str, environment: &[(&str, &str)]) -> Self {
        let built = built(example);
        let process = Process::start(1, |place| {
            let path = own(&built, place);
            let listen = format!("http://{}", place.address(0));
            let program = Program::new(&path.display().to_string()).argument("start");
            let program = program.variable("LISTEN", listen).ready(Ready::Prints("Start success"));
            environment.iter().fold(program, |program, (name, value)| program.variable(name, value))
        });
        Self(process.await)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.place().address(0)
    }

    /// What it has printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// What a GET is answered with.
    ///
    /// # Panics
    /// When it is not answered in time.
    pub async fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, "").await
    }

    /// What a POST is answered with.
    ///
    /// # Panics
    /// When it is not answered in time.
    pub async fn post(&self, target: &str, body: &str) -> Answer {
        self.ask("POST", target, body).await
    }

    /// Stops it as its user would.
    ///
    /// # Panics
    /// When it does not stop.
    pub async fn stop(mut self) {
        self.0.stop().await;
    }

    async fn ask(&self, method: &str, target: &str, body: &str) -> Answer {
        let (address, length) = (self.address(), body.len());
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        let answer = timeout(PATIENCE, exchange(address, &request)).await;
        let answer = answer.unwrap_or_else(|_| panic!("{method} {target} has no answer in time"));
        let answer = answer.unwrap_or_else(|error| panic!("{method} {target}: {error}"));
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head ends with an empty line");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer { status: status.expect("a head begins with a status"), body: body.to_owned() }
    }
}

async fn exchange(address: SocketAddr, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Where cargo builds the examples when it builds tests: beside the folder of the tests.
fn built(example: &str) -> PathBuf {
    let test = env::current_exe().expect("a test is a file");
    let folder = test.ancestors().nth(2).expect("a test is in target/PROFILE/deps");
    let path = folder.join("examples").join(example);
    assert!(path.is_file(), "there is no {}; `cargo build --examples` makes it", path.display());
    path
}

/// The file for this service alone: where a program lies is where it puts its files.
fn own(built: &Path, place: &Place) -> PathBuf {
    let name = built.file_name().expect("it was found by its name");
    let path = place.folder().join(name);
    // Not a symbolic link: it would show the way back.
    if fs::hard_link(built, &path).is_err() {
        fs::copy(built, &path).expect("the folder is ours");
    }
    path
}
