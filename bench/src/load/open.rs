//! Opens connections: connect, greet, wait for the welcome where there is one.

use crate::connections::Connections;
use crate::limits::OPEN_SECONDS_MAX;
use crate::wire::{Incoming, Role, Wire, invalid};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Opens one connection for each of `roles`, in their order.
pub(super) fn open(
    addr: SocketAddr,
    wire: &dyn Wire,
    roles: impl IntoIterator<Item = Role>,
) -> io::Result<Connections> {
    let roles: Vec<Role> = roles.into_iter().collect();
    let mut connections = connect(addr, roles.len())?;
    greet(&mut connections, wire, roles)?;
    Ok(connections)
}

/// Connects `count` times and says nothing.
pub(super) fn connect(addr: SocketAddr, count: usize) -> io::Result<Connections> {
    let mut connections = Connections::new()?;
    let give_up = Instant::now() + OPEN_SECONDS_MAX;
    for _ in 0..count {
        if Instant::now() > give_up {
            return Err(timed_out("the server is too slow to accept"));
        }
        connections.connect(addr)?;
    }
    Ok(connections)
}

/// Greets on every connection, and waits for the welcome where the wire has one.
pub(super) fn greet(
    connections: &mut Connections,
    wire: &dyn Wire,
    roles: impl IntoIterator<Item = Role>,
) -> io::Result<()> {
    for (index, role) in roles.into_iter().enumerate() {
        wire.greet(role, connections.outbox(index));
        connections.flush(index)?;
    }
    await_welcome(connections, wire)
}

/// Waits until every connection is welcome.
fn await_welcome(connections: &mut Connections, wire: &dyn Wire) -> io::Result<()> {
    if !wire.awaits_welcome() {
        return Ok(());
    }
    let give_up = Instant::now() + OPEN_SECONDS_MAX;
    let mut missing = connections.len();
    let mut ready = Vec::new();
    while missing > 0 {
        if Instant::now() > give_up {
            return Err(timed_out("the server does not welcome its clients"));
        }
        connections.wait(Duration::from_millis(100), &mut ready)?;
        for index in &ready {
            missing -= discard(connections, wire, *index)?;
        }
    }
    Ok(())
}

/// Reads what nobody waits for and answers pings; returns how many welcomes were among it.
pub(super) fn discard(
    connections: &mut Connections,
    wire: &dyn Wire,
    index: usize,
) -> io::Result<usize> {
    let mut welcomes = 0;
    connections.read(index, |input, out| {
        let mut taken = 0;
        loop {
            match wire.incoming(&input[taken..], out)? {
                Incoming::Welcome { frame_bytes } => {
                    welcomes += 1;
                    taken += frame_bytes;
                }
                Incoming::Control { frame_bytes } => taken += frame_bytes,
                Incoming::Partial => return Ok(taken),
                Incoming::Delivery { .. } | Incoming::Answer { .. } | Incoming::Job { .. } => {
                    return Err(invalid("the server answers what was not asked"));
                }
            }
        }
    })?;
    Ok(welcomes)
}

pub(super) fn timed_out(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}
