//! A peer that sends and reads lines.

use crate::program::PATIENCE;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

pub(crate) struct LinePeer {
    stream: BufReader<TcpStream>,
}

impl LinePeer {
    pub(crate) fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::new(stream)
    }

    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn send(&mut self, line: &str) {
        writeln!(self.stream.get_mut(), "{line}").unwrap();
    }

    /// The next line; empty at the end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    #[track_caller]
    pub(crate) fn sees(&mut self, expected: &[&str]) {
        for expected in expected {
            assert_eq!(self.line(), *expected);
        }
    }

    #[track_caller]
    pub(crate) fn ends(&mut self) {
        assert_eq!(self.line(), "");
    }
}
