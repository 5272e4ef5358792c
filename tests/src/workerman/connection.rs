//! A connection that keeps what comes until somebody looks at it.

use super::{Failure, shown};
use crate::{Endpoint, PATIENCE};
use socket2::Socket;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

const READ_BYTES: usize = 64 * 1024;

/// One connection to a server that speaks the Workerman wire.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    received: Vec<u8>,
    ended: bool,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn open(endpoint: &Endpoint) -> Result<Self, Failure> {
        let socket = endpoint.connect(None);
        let socket = socket.map_err(|error| Failure::new(format!("cannot connect: {error}")))?;
        Ok(Self { socket, received: Vec::new(), ended: false })
    }

    /// Connects with a receive buffer that is full soon.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn open_narrow(endpoint: &Endpoint) -> Result<Self, Failure> {
        const RECEIVE_BUFFER_BYTES: usize = 4096;
        let socket = endpoint.connect(Some(RECEIVE_BUFFER_BYTES));
        let socket = socket.map_err(|error| Failure::new(format!("cannot connect: {error}")))?;
        Ok(Self { socket, received: Vec::new(), ended: false })
    }

    /// Gives a narrow connection an ordinary receive buffer, so that reading all of it takes no time.
    pub fn widen(&mut self) {
        const RECEIVE_BUFFER_BYTES: usize = 1024 * 1024;
        let _ = self.socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
    }

    /// Sends; that the server has hung up is found out by reading.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = (&self.socket).write_all(bytes);
    }

    /// Sends nothing more.
    pub fn finish_sending(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// What has come and was not used.
    #[must_use]
    pub fn received(&self) -> &[u8] {
        &self.received
    }

    /// Whether the server has hung up.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Reads until `enough` is content with what has come, the server hangs up, or time is up.
    pub fn wait(&mut self, patience: Duration, enough: impl Fn(&[u8]) -> bool) {
        let deadline = Instant::now() + patience;
        while !self.ended && !enough(&self.received) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return };
            self.read(left.max(Duration::from_millis(1)));
        }
    }

    /// Uses these bytes if they are what came next, or are coming.
    ///
    /// # Errors
    /// When something else comes, or nothing.
    pub fn expect(&mut self, expected: &[u8]) -> Result<(), Failure> {
        self.expect_one(&[expected]).map(drop)
    }

    /// Uses the first of these that is what came next, and says which.
    ///
    /// # Errors
    /// When something else comes, or nothing.
    pub fn expect_one(&mut self, alternatives: &[&[u8]]) -> Result<usize, Failure> {
        self.expect_within(PATIENCE, alternatives)
    }

    pub(super) fn expect_within(
        &mut self,
        patience: Duration,
        alternatives: &[&[u8]],
    ) -> Result<usize, Failure> {
        let there = |received: &[u8]| alternatives.iter().position(|it| received.starts_with(it));
        let possible = |received: &[u8]| alternatives.iter().any(|it| it.starts_with(received));
        self.wait(patience, |received| there(received).is_some() || !possible(received));
        if let Some(index) = there(&self.received) {
            self.received.drain(..alternatives[index].len());
            return Ok(index);
        }
        let expected: Vec<String> = alternatives.iter().map(|it| shown(it)).collect();
        Err(Failure::differing(&expected.join("\n        or "), &self.found(alternatives[0])))
    }

    /// Uses the next whole frame.
    ///
    /// # Errors
    /// When there is none.
    pub fn frame(&mut self) -> Result<Vec<u8>, Failure> {
        let length = |received: &[u8]| {
            let length: [u8; 4] = received.get(..4)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(length)).ok()
        };
        let whole =
            |received: &[u8]| length(received).filter(|length| received.len() >= (*length).max(4));
        self.wait(PATIENCE, |received| whole(received).is_some());
        let Some(length) = whole(&self.received) else {
            return Err(Failure::differing("a frame", &self.found(&[])));
        };
        Ok(self.received.drain(..length).skip(4).collect())
    }

    /// Expects the server to hang up without another byte.
    ///
    /// # Errors
    /// When something comes instead, or nothing.
    pub fn expect_end(&mut self) -> Result<(), Failure> {
        self.wait(PATIENCE, |received| !received.is_empty());
        if self.ended && self.received.is_empty() {
            return Ok(());
        }
        Err(Failure::differing("the end", &self.found(&[])))
    }

    /// Forgets what has come.
    pub fn forget(&mut self) {
        self.received.clear();
    }

    /// What has come instead of what was expected, for people.
    pub(super) fn found(&self, expected: &[u8]) -> String {
        let end = if self.ended { ", then the end" } else { ", and no more" };
        let same = expected.iter().zip(&self.received).take_while(|(one, other)| one == other);
        let place = match same.count() {
            0 => String::new(),
            same => format!(" (the same up to byte {same})"),
        };
        format!("{}{end}{place}", shown(&self.received))
    }

    fn read(&mut self, patience: Duration) {
        let filled = self.received.len();
        self.received.resize(filled + READ_BYTES, 0);
        let outcome = self
            .socket
            .set_read_timeout(Some(patience))
            .and_then(|()| (&self.socket).read(&mut self.received[filled..]));
        self.received.truncate(filled + *outcome.as_ref().unwrap_or(&0));
        match outcome {
            Ok(count) => self.ended = count == 0,
            Err(error) => self.ended = !is_only_late(&error),
        }
    }
}

fn is_only_late(error: &io::Error) -> bool {
    [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Interrupted].contains(&error.kind())
}
