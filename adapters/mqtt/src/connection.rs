//! One connection to the broker: how it begins, and what passes over it until it ends.

use crate::command::Command;
use crate::error::{closed_by_peer, lost};
use crate::options::{Options, Place};
use crate::session::{OUT_BYTES_MAX, Session};
use crate::stream::{Reader, Writer, connect};
use crate::wire::{
    Frame, Frames, Incoming, Welcome, read, write_farewell, write_greeting, write_ping,
};
use bytes::BytesMut;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::rustls::ClientConfig;
use workyard_adapter_kit::{Error, ErrorKind};

/// How long a broker that was told farewell has to take it.
const FAREWELL_MAX: Duration = Duration::from_secs(1);
/// How long nothing in particular has to happen.
pub(crate) const FAR: Duration = Duration::from_secs(60 * 60 * 24);
/// Bytes that are read at once.
const READ_BYTES: usize = 16 * 1024;

/// A connection that the broker has accepted.
pub(crate) struct Connection {
    reader: Reader,
    writer: Writer,
    frames: Frames,
    keepalive: Duration,
    /// When the broker has to have answered what it was asked.
    patience: Duration,
    pub(crate) welcome: Welcome,
}

/// Why a connection has ended.
pub(crate) enum End {
    Lost(Error),
    /// All handles are gone.
    Abandoned,
    /// It was asked for; this tells that it is done.
    Closed(oneshot::Sender<()>),
}

impl Connection {
    /// Connects and introduces this client, in `connect_timeout`.
    pub(crate) async fn open(
        options: &Options,
        place: &Place,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Self, Error> {
        let wait = options.calls.connect_timeout;
        let opened = timeout(wait, Self::greet(options, place, tls)).await;
        let opened = opened.unwrap_or_else(|_| {
            let message = format!("the broker did not let this client in within {wait:?}");
            Err(Error::new(ErrorKind::TimedOut, message))
        });
        opened.map_err(Error::not_carried_out)
    }

    async fn greet(
        options: &Options,
        place: &Place,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Self, Error> {
        let (reader, mut writer) = connect(place, tls, options.packet_bytes_max).await?;
        let mut greeting = BytesMut::new();
        write_greeting(options, &mut greeting)?;
        writer.write_all(&greeting).await.map_err(lost)?;
        writer.flush().await.map_err(lost)?;
        let mut frames = Frames::new(options.packet_bytes_max);
        let (reader, welcome) = welcomed(options, reader, &mut frames).await?;
        let keepalive = welcome.keepalive.unwrap_or(options.keepalive);
        let patience = options.calls.connect_timeout;
        Ok(Self { reader, writer, frames, keepalive, patience, welcome })
    }

    /// Passes packets and commands on until the connection ends. `restored` is called once what the
    /// broker knew of this client is as it was. What came with the session can be claimed
    /// until `claim_by`.
    pub(crate) async fn serve(
        mut self,
        session: &mut Session,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        claim_by: Instant,
        restored: impl FnOnce(),
    ) -> End {
        let claim_by = session.is_claimable().then_some(claim_by);
        let mut clock = Clock::new(self.keepalive, self.patience, claim_by);
        let mut restored = Some(restored);
        let mut unflushed = false;
        let mut timer = std::pin::pin!(sleep_until(clock.next()));
        loop {
            // What the broker sent with its welcome is there before anything is read.
            if let Err(error) = take_frames(&mut self.frames, session) {
                return End::Lost(error);
            }
            session.pump();
            if session.is_restored()
                && let Some(restored) = restored.take()
            {
                clock.restored();
                restored();
            }
            let Self { reader, writer, frames, .. } = &mut self;
            let has_out = !session.out.is_empty();
            if timer.deadline() != clock.next() {
                timer.as_mut().reset(clock.next());
            }
            tokio::select! {
                read = read_some(reader, frames), if session.out.len() < 2 * OUT_BYTES_MAX => {
                    match read {
                        Ok(()) => clock.heard(),
                        Err(error) => return End::Lost(error),
                    }
                }
                passed = pass_on(writer, &mut session.out), if has_out || unflushed => match passed {
                    Ok(flushed) => {
                        unflushed = !flushed;
                        if flushed {
                            session.flushed();
                        } else {
                            clock.spoke();
                        }
                    }
                    Err(error) => return End::Lost(lost(error)),
                },
                command = commands.recv() => {
                    let Some(command) = command else { return End::Abandoned };
                    if let Some(done) = obey_all(command, session, commands) {
                        self.say_farewell(session).await;
                        return End::Closed(done);
                    }
                }
                () = &mut timer => match clock.strike() {
                    Ok(Strike::Probe) => write_ping(&mut session.out),
                    Ok(Strike::Claimed) => session.end_claims(),
                    Err(error) => return End::Lost(error),
                },
            }
        }
    }

    /// What waits for the socket goes first.
    async fn say_farewell(&mut self, session: &mut Session) {
        write_farewell(&mut session.out);
        let sent = async {
            self.writer.write_all_buf(&mut session.out).await?;
            self.writer.flush().await?;
            session.flushed();
            self.writer.shutdown().await
        };
        // The broker may be gone, or may not listen: there is nothing to do about it.
        let _ = timeout(FAREWELL_MAX, sent).await;
    }
}

/// Reads until the broker has said whether it lets the client in.
async fn welcomed(
    options: &Options,
    mut reader: Reader,
    frames: &mut Frames,
) -> Result<(Reader, Welcome), Error> {
    loop {
        match frames.next()? {
            Some(Frame::Packet(packet)) => {
                return match read(options.version, packet)? {
                    Incoming::Welcome(welcome) => Ok((reader, welcome)),
                    Incoming::Farewell(error) => Err(error),
                    _ => Err(Error::new(
                        ErrorKind::Protocol,
                        "the broker did not answer the greeting",
                    )),
                };
            }
            Some(Frame::TooLarge { .. }) => {
                return Err(Error::new(ErrorKind::Protocol, "a message before the welcome"));
            }
            None => read_some(&mut reader, frames).await?,
        }
    }
}

/// Cancelled, it has read nothing.
async fn read_some(reader: &mut Reader, frames: &mut Frames) -> Result<(), Error> {
    frames.buffer.reserve(READ_BYTES);
    match reader.read_buf(&mut frames.buffer).await {
        Ok(0) => Err(closed_by_peer()),
        Ok(_) => Ok(()),
        Err(error) => Err(lost(error)),
    }
}

/// Writes what the socket takes, or, when all is written, has it sent: whether it was. Cancelled, it has
/// done nothing that is not known.
async fn pass_on(writer: &mut Writer, out: &mut BytesMut) -> io::Result<bool> {
    if out.is_empty() {
        return writer.flush().await.map(|()| true);
    }
    match writer.write_buf(out).await {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        written => written.map(|_| false),
    }
}

fn take_frames(frames: &mut Frames, session: &mut Session) -> Result<(), Error> {
    while let Some(frame) = frames.next()? {
        match frame {
            Frame::Packet(packet) => {
                let incoming = session.read(packet)?;
                session.receive(incoming)?;
            }
            Frame::TooLarge { qos, topic, id, bytes } => session.skipped(qos, &topic, id, bytes),
        }
    }
    Ok(())
}

/// Does what handles ask for, as far as they have. Returns where to tell when the connection is to end.
pub(crate) fn obey_all(
    first: Command,
    session: &mut Session,
    commands: &mut mpsc::UnboundedReceiver<Command>,
) -> Option<oneshot::Sender<()>> {
    let mut next = Some(first);
    while let Some(command) = next {
        match command {
            Command::Publish(outgoing) => session.publish(outgoing),
            Command::Subscribe { filter, member } => session.subscribe(filter, member),
            Command::Unsubscribe { filter, member, reply } => {
                session.unsubscribe(filter, member, reply);
            }
            Command::Acknowledge(arrival) => session.acknowledge(arrival),
            Command::Close(done) => return Some(done),
        }
        next = commands.try_recv().ok();
    }
    None
}

/// When the connection has been silent for too long, in either direction.
struct Clock {
    keepalive: Duration,
    patience: Duration,
    heard: Instant,
    spoke: Instant,
    /// When the broker was probed, and has said nothing since.
    probed: Option<Instant>,
    /// Until when everything has to be restored.
    restore_by: Option<Instant>,
    /// Until when somebody may subscribe to what came with the session.
    claim_by: Option<Instant>,
}

/// What is to be done when the clock strikes.
enum Strike {
    /// See whether the broker is there.
    Probe,
    /// Wait no longer for somebody to subscribe to what came with the session.
    Claimed,
}

impl Clock {
    fn new(keepalive: Duration, patience: Duration, claim_by: Option<Instant>) -> Self {
        let now = Instant::now();
        let restore_by = Some(now + patience.min(FAR));
        let (heard, spoke, probed) = (now, now, None);
        Self { keepalive, patience, heard, spoke, probed, restore_by, claim_by }
    }

    fn heard(&mut self) {
        self.heard = Instant::now();
        self.probed = None;
    }

    fn spoke(&mut self) {
        self.spoke = Instant::now();
    }

    fn restored(&mut self) {
        self.restore_by = None;
    }

    /// When it strikes next.
    fn next(&self) -> Instant {
        let silence = match self.probed {
            Some(probed) => probed + self.patience.min(FAR),
            None if self.keepalive.is_zero() => self.heard + FAR,
            // Also when only this side speaks: that the broker is there is known from its answers.
            None => self.heard.min(self.spoke) + self.keepalive,
        };
        let others = [self.restore_by, self.claim_by];
        others.into_iter().flatten().fold(silence, Instant::min)
    }

    /// It strikes: something is to be done, or the broker is given up.
    fn strike(&mut self) -> Result<Strike, Error> {
        let now = Instant::now();
        if self.restore_by.is_some_and(|by| by <= now) {
            let message =
                format!("the broker has not answered subscriptions within {:?}", self.patience);
            return Err(Error::new(ErrorKind::TimedOut, message));
        }
        if self.claim_by.is_some_and(|by| by <= now) {
            self.claim_by = None;
            return Ok(Strike::Claimed);
        }
        if self.probed.is_some() {
            let message = format!("the broker has said nothing within {:?}", self.patience);
            return Err(Error::new(ErrorKind::TimedOut, message));
        }
        self.probed = Some(now);
        Ok(Strike::Probe)
    }
}
