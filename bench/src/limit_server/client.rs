//! One connection of a limit server.

use mio::net::TcpStream;
use std::io::Write;

pub(super) struct Client {
    pub(super) stream: TcpStream,
    /// Known from the first byte on.
    pub(super) is_subscriber: Option<bool>,
    /// The start of a frame whose rest has not arrived.
    pub(super) partial: Vec<u8>,
    /// What the socket did not take.
    backlog: Vec<u8>,
}

impl Client {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, is_subscriber: None, partial: Vec::new(), backlog: Vec::new() }
    }

    /// Writes what the socket takes and keeps the rest. A broken connection shows when it is read.
    pub(super) fn send(&mut self, mut bytes: &[u8]) {
        if self.backlog.is_empty() {
            while !bytes.is_empty() {
                match self.stream.write(bytes) {
                    Ok(count) => bytes = &bytes[count..],
                    Err(_) => break,
                }
            }
        }
        self.backlog.extend_from_slice(bytes);
    }

    /// Goes on with what the socket did not take before.
    pub(super) fn resume(&mut self) {
        if !self.backlog.is_empty() {
            let backlog = std::mem::take(&mut self.backlog);
            self.send(&backlog);
        }
    }
}
