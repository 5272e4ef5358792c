//! One connection, from the greeting to the end.

use crate::codec::{Decoder, Incoming, encode, encode_command};
use crate::core::{Core, Received};
use crate::handshake::{Introduced, handshake, lost};
use crate::heartbeat::Heartbeat;
use crate::kind::Kind;
use crate::limits::{FAREWELL, KEEPALIVE_AFTER, KEEPALIVE_EVERY, KEEPALIVES_MAX};
use crate::message::Message;
use crate::peers::Peer;
use bytes::{Buf, Bytes, BytesMut};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use workyard_adapter_kit::{Error, ErrorKind};

const READ_BYTES: usize = 16 << 10;

/// Serves a peer until its end, and says what that was. `established` is called when it is known who it is.
pub(crate) async fn serve(core: &Core, mut stream: TcpStream, established: impl FnOnce()) -> Error {
    let Introduced { identity, input, decoder } = match introduced(core, &mut stream).await {
        Ok(introduced) => introduced,
        Err(error) => return error,
    };
    let seat = Seat::take(core, identity);
    core.guard.connected();
    established();
    let end = {
        let (reader, writer) = stream.split();
        let reads = Reads { core, seat: &seat, input, decoder };
        tokio::select! {
            error = reads.run(reader) => error,
            error = write(core, &seat, writer) => error,
            () = seat.peer.superseded.stopped() => {
                Error::new(ErrorKind::Disconnected, "the connection was replaced")
            }
            () = core.stop.stopped() => core.closed(),
        }
    };
    core.give_up();
    if core.stop.is_stopped() {
        farewell(&mut stream).await;
    }
    end
}

async fn introduced(core: &Core, stream: &mut TcpStream) -> Result<Introduced, Error> {
    set_up(stream).map_err(lost)?;
    let (limit, bounds) = (core.options.calls.connect_timeout, core.options.bounds());
    let identity = core.options.identity.as_bytes();
    let greeting = timeout(limit, handshake(stream, core.kind, identity, bounds));
    tokio::select! {
        greeted = greeting => greeted.unwrap_or_else(|_| {
            let message = format!("the peer did not say who it is within {limit:?}");
            Err(Error::new(ErrorKind::TimedOut, message).not_carried_out())
        }),
        () = core.stop.stopped() => Err(core.closed()),
    }
}

fn set_up(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY)
        .with_retries(KEEPALIVES_MAX);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// Says that nothing more will come, and listens until the peer has said the same: to leave what it has
/// sent unread would take back what it has not read yet.
async fn farewell(stream: &mut TcpStream) {
    let goodbye = async {
        stream.shutdown().await?;
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    };
    // It is the end, either way.
    let _ = timeout(FAREWELL, goodbye).await;
}

/// The place of a peer among the others, given back when dropped.
struct Seat<'a> {
    core: &'a Core,
    name: Bytes,
    peer: Peer,
    heartbeat: Heartbeat,
}

impl<'a> Seat<'a> {
    fn take(core: &'a Core, identity: Bytes) -> Self {
        let (name, peer) = core.state().peers.join(identity);
        Self { core, name, peer, heartbeat: Heartbeat::default() }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.core.state().peers.leave(&self.name, self.peer.number);
        self.core.peer_left();
    }
}

/// What comes from a peer.
struct Reads<'a> {
    core: &'a Core,
    seat: &'a Seat<'a>,
    input: BytesMut,
    decoder: Decoder,
}

impl Reads<'_> {
    async fn run(mut self, mut reader: impl AsyncRead + Unpin) -> Error {
        loop {
            match self.decoder.decode(&mut self.input) {
                Ok(Some(Incoming::Message(parts))) => match self.take(parts).await {
                    Ok(()) => continue,
                    Err(error) => return error,
                },
                Ok(Some(Incoming::Command(body))) => {
                    self.seat.heartbeat.hear(&body);
                    continue;
                }
                Ok(None) => {}
                Err(error) => return error,
            }
            if self.input.capacity() == self.input.len() {
                self.input.reserve(READ_BYTES);
            }
            match reader.read_buf(&mut self.input).await {
                Ok(0) => return lost(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) => return lost(error),
            }
        }
    }

    async fn take(&self, parts: Vec<Bytes>) -> Result<(), Error> {
        let Self { core, seat, .. } = self;
        let number = seat.peer.number;
        match core.kind {
            Kind::Push => return Ok(()),
            Kind::Publisher => return core.state().peers.hear(&seat.name, number, &parts),
            Kind::Requester => {
                if let Some((request, message)) = reply(parts) {
                    core.state().peers.replied(request, number, message);
                }
                return Ok(());
            }
            Kind::Subscriber if !core.state().peers.wants(&parts[0]) => return Ok(()),
            // Without an envelope there is nobody to reply to.
            Kind::Replier if !parts.iter().any(Bytes::is_empty) => return Ok(()),
            Kind::Pull | Kind::Subscriber | Kind::Replier | Kind::Dealer | Kind::Router => {}
        }
        let (peer, message) = (seat.name.clone(), parts.into());
        core.receive(Received { peer, number, message }).await;
        Ok(())
    }
}

/// What goes to a peer.
async fn write(core: &Core, seat: &Seat<'_>, mut writer: impl AsyncWrite + Unpin) -> Error {
    let queue = if core.kind.shares() { &core.shared } else { &seat.peer.queue };
    let mut output = BytesMut::new();
    loop {
        output.clear();
        let mut taken = tokio::select! {
            biased;
            answer = seat.heartbeat.answer() => {
                encode_command(&answer, &mut output);
                match writer.write_all(&output).await {
                    Ok(()) => continue,
                    Err(error) => return lost(error),
                }
            }
            taken = queue.next() => taken,
        };
        let number = request_number(core.kind, taken.message());
        if number.is_some_and(|number| !core.state().peers.is_wanted(number)) {
            taken.written();
            continue;
        }
        encode(taken.message().parts(), &mut output);
        while !output.is_empty() {
            match writer.write_buf(&mut output).await {
                Ok(0) => return lost(io::ErrorKind::WriteZero.into()),
                Ok(_) => taken.begun(),
                Err(error) => return lost(error),
            }
        }
        taken.written();
        if let Some(number) = number {
            core.state().peers.written(number, seat.peer.number);
        }
    }
}

/// By which number a request waits for its reply.
pub(crate) fn request_number(kind: Kind, message: &Message) -> Option<u64> {
    let mut first: &[u8] = message.parts().first().filter(|_| kind == Kind::Requester)?;
    first.try_get_u64().ok()
}

/// The number in the envelope of a reply, and what comes behind that.
fn reply(mut parts: Vec<Bytes>) -> Option<(u64, Message)> {
    let [number, empty, _, ..] = &parts[..] else { return None };
    let mut number: &[u8] = number;
    let number = number.try_get_u64().ok().filter(|_| number.is_empty() && empty.is_empty())?;
    Some((number, parts.split_off(2).into()))
}
