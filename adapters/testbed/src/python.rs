//! A Python program as a peer: told and asked by lines.

use crate::{PATIENCE, Process, Program};
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::thread;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// A Python program that runs.
#[derive(Debug)]
pub struct PythonPeer {
    /// The process of it. What it prints to standard error is in the log.
    pub process: Process,
    input: ChildStdin,
    lines: UnboundedReceiver<String>,
}

impl PythonPeer {
    /// Runs a program with these arguments in `sys.argv[1:]`. A port of its own is a
    /// [`Port`](crate::Port) that is given as one of them.
    ///
    /// # Panics
    /// When it cannot be run.
    pub async fn start(program: &str, arguments: &[&str]) -> Self {
        let mut process = Process::start(0, |place| {
            Program::new("/usr/bin/python3")
                .argument("-u")
                .argument(place.file("peer.py", program))
                .arguments(arguments)
                .talking()
        })
        .await;
        let (input, lines) = pipes(&mut process);
        Self { process, input, lines }
    }

    /// Has it read a line.
    ///
    /// # Panics
    /// When it has ended.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("the program reads");
    }

    /// The next line that it prints.
    ///
    /// # Panics
    /// When it has ended, or prints none within [`PATIENCE`].
    pub async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.lines.recv()).await;
        let line = line.unwrap_or_else(|_| panic!("no line within {PATIENCE:?}"));
        line.unwrap_or_else(|| panic!("the program has ended:\n{}", self.process.log()))
    }

    /// Has it read a line, and returns the next that it prints.
    ///
    /// # Panics
    /// As [`PythonPeer::tell`] and [`PythonPeer::line`].
    pub async fn ask(&mut self, line: &str) -> String {
        self.tell(line);
        self.line().await
    }

    /// Starts it again with the same arguments, once it was ended.
    ///
    /// # Panics
    /// When it runs.
    pub async fn start_again(&mut self) {
        self.process.start_again().await;
        (self.input, self.lines) = pipes(&mut self.process);
    }
}

fn pipes(process: &mut Process) -> (ChildStdin, UnboundedReceiver<String>) {
    let (input, output) = process.pipes().expect("a program that talks has pipes");
    (input, lines(output))
}

/// A thread reads, so that the program never waits for a test that does not.
fn lines(output: ChildStdout) -> UnboundedReceiver<String> {
    let (printed, lines) = unbounded_channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if printed.send(line).is_err() {
                break;
            }
        }
    });
    lines
}
