//! The generator's side of the sockets: one thread, edge-triggered readiness, one shared read
//! buffer, one write per batch.

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

const READ_BYTES: usize = 256 * 1024;
const EVENTS_AT_ONCE: usize = 1024;

/// All connections to one server, by index.
pub(crate) struct Connections {
    poll: Poll,
    events: Events,
    list: Vec<Connection>,
    read_buffer: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    /// Bytes to send, of which the first `sent` are gone.
    outbox: Vec<u8>,
    sent: usize,
    /// The start of a frame whose rest has not arrived.
    partial: Vec<u8>,
}

impl Connections {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_AT_ONCE),
            list: Vec::new(),
            read_buffer: vec![0; READ_BYTES],
        })
    }

    /// Adds a connection and returns its index. Blocks while the server's backlog is full.
    pub(crate) fn connect(&mut self, addr: SocketAddr) -> io::Result<usize> {
        let stream = std::net::TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let index = self.list.len();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(index), interest)?;
        self.list.push(Connection { stream, outbox: Vec::new(), sent: 0, partial: Vec::new() });
        Ok(index)
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Where to append bytes for connection `index`, to be sent by [`flush`](Self::flush).
    pub(crate) fn outbox(&mut self, index: usize) -> &mut Vec<u8> {
        &mut self.list[index].outbox
    }

    pub(crate) fn flush(&mut self, index: usize) -> io::Result<()> {
        self.list[index].flush()
    }

    /// Waits for readiness, resumes stalled writes, and fills `ready` with the connections to read.
    pub(crate) fn wait(&mut self, limit: Duration, ready: &mut Vec<usize>) -> io::Result<()> {
        ready.clear();
        match self.poll.poll(&mut self.events, Some(limit)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            outcome => outcome?,
        }
        for event in self.events.iter().filter(|event| event.is_writable()) {
            self.list[index_of(event)].flush()?;
        }
        let readable = self.events.iter().filter(|event| event.is_readable());
        ready.extend(readable.map(index_of));
        Ok(())
    }

    /// Reads all that connection `index` has. `consume` gets the unread bytes with every read, may
    /// append to the outbox, and returns how many bytes it took.
    pub(crate) fn read(
        &mut self,
        index: usize,
        mut consume: impl FnMut(&[u8], &mut Vec<u8>) -> io::Result<usize>,
    ) -> io::Result<()> {
        let connection = &mut self.list[index];
        loop {
            let held = connection.partial.len();
            if self.read_buffer.len() < held + READ_BYTES {
                self.read_buffer.resize(held + READ_BYTES, 0);
            }
            self.read_buffer[..held].copy_from_slice(&connection.partial);
            let room = &mut self.read_buffer[held..];
            let room_bytes = room.len();
            let count = match connection.stream.read(room) {
                Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "peer hung up")),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            let unread = &self.read_buffer[..held + count];
            let taken = consume(unread, &mut connection.outbox)?;
            connection.partial.clear();
            connection.partial.extend_from_slice(&unread[taken..]);
            if count < room_bytes {
                break;
            }
        }
        connection.flush()
    }
}

impl Connection {
    fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.outbox.len() {
            match self.stream.write(&self.outbox[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.outbox.clear();
        self.sent = 0;
        Ok(())
    }
}

fn index_of(event: &Event) -> usize {
    event.token().0
}
