//! Servers without any logic, as the physical limit to compare with. `echo` sends every byte back;
//! `fanout` sends every whole frame of a publisher to all subscribers; `hyper` is the limit of whoever speaks HTTP through it.

mod client;
mod clients;
mod hyper;

use clients::Clients;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// What a limit server does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Service {
    Echo,
    Fanout,
    /// Answers HTTP requests with a greeting.
    Hyper,
}

const LISTENER: Token = Token(usize::MAX);
const BACKLOG: i32 = 4096;
const EVENTS_AT_ONCE: usize = 1024;

/// Serves until the process is ended: one thread, edge-triggered, writing straight to the sockets.
pub(crate) fn serve(service: Service, listen: SocketAddr) -> io::Result<()> {
    if service == Service::Hyper {
        return hyper::serve(listen);
    }
    let mut listener = bind(listen)?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(EVENTS_AT_ONCE);
    let mut clients = Clients::new(service);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        for event in &events {
            if event.token() == LISTENER {
                clients.accept_all(&listener, &poll)?;
                continue;
            }
            let index = event.token().0;
            if event.is_writable() {
                clients.resume(index);
            }
            if event.is_readable() && clients.read_all(index).is_err() {
                clients.remove(index);
            }
        }
    }
}

fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(listen), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&listen.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}
