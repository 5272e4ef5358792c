//! All connections of a limit server.

use super::Service;
use super::client::Client;
use crate::wire::{SUBSCRIBER, length_prefixed};
use mio::net::TcpListener;
use mio::{Interest, Poll, Token};
use std::io::{self, ErrorKind, Read};

const READ_BYTES: usize = 64 * 1024;

pub(super) struct Clients {
    service: Service,
    list: Vec<Option<Client>>,
    free: Vec<usize>,
    subscribers: Vec<usize>,
    read_buffer: Vec<u8>,
}

impl Clients {
    pub(super) fn new(service: Service) -> Self {
        Self {
            service,
            list: Vec::new(),
            free: Vec::new(),
            subscribers: Vec::new(),
            read_buffer: Vec::new(),
        }
    }

    pub(super) fn accept_all(&mut self, listener: &TcpListener, poll: &Poll) -> io::Result<()> {
        loop {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let index = self.free.pop().unwrap_or(self.list.len());
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(index), interest)?;
            let client = Some(Client::new(stream));
            match self.list.get_mut(index) {
                Some(place) => *place = client,
                None => self.list.push(client),
            }
        }
    }

    /// Reads all that client `index` has sent, and passes it on.
    pub(super) fn read_all(&mut self, index: usize) -> io::Result<()> {
        loop {
            let Some(client) = &mut self.list[index] else {
                return Ok(());
            };
            let held = client.partial.len();
            let buffer = &mut self.read_buffer;
            buffer.resize(buffer.len().max(held + READ_BYTES), 0);
            let count = match client.stream.read(&mut buffer[held..][..READ_BYTES]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            buffer[..held].copy_from_slice(&client.partial);
            client.partial.clear();
            match self.service {
                Service::Echo | Service::Hyper => client.send(&buffer[..held + count]),
                Service::Fanout => self.pass_on(index, held + count),
            }
            if count < READ_BYTES {
                return Ok(());
            }
        }
    }

    pub(super) fn resume(&mut self, index: usize) {
        if let Some(client) = &mut self.list[index] {
            client.resume();
        }
    }

    pub(super) fn remove(&mut self, index: usize) {
        if self.list[index].take().is_some() {
            self.free.push(index);
        }
        self.subscribers.retain(|subscriber| *subscriber != index);
    }

    /// Sends the whole frames at the start of the buffer to all subscribers.
    fn pass_on(&mut self, index: usize, count: usize) {
        let mut input = &self.read_buffer[..count];
        let Some(client) = &mut self.list[index] else {
            return;
        };
        if client.is_subscriber.is_none()
            && let Some((role, rest)) = input.split_first()
        {
            client.is_subscriber = Some(*role == SUBSCRIBER);
            input = rest;
            if *role == SUBSCRIBER {
                self.subscribers.push(index);
            }
        }
        let (whole, rest) = input.split_at(whole_frames(input));
        client.partial.extend_from_slice(rest);
        if whole.is_empty() {
            return;
        }
        for subscriber in &self.subscribers {
            if let Some(client) = &mut self.list[*subscriber] {
                client.send(whole);
            }
        }
    }
}

/// How many bytes at the start of `input` are whole frames.
fn whole_frames(input: &[u8]) -> usize {
    let mut whole = 0;
    while let Some(frame_bytes) = length_prefixed(&input[whole..]) {
        whole += frame_bytes;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_frames_are_passed_on() {
        let bytes = b"\0\0\0\x06ab\0\0\0\x05c\0\0\0\x09def";
        assert_eq!(whole_frames(&bytes[..3]), 0);
        assert_eq!(whole_frames(&bytes[..6]), 6);
        assert_eq!(whole_frames(&bytes[..10]), 6);
        assert_eq!(whole_frames(bytes), 11);
    }
}
