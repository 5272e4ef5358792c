//! One connection, from its welcome to its end: everything that is there is taken, then written once.

use crate::alarm::Alarm;
use crate::command::{Command, Request};
use crate::connect::Established;
use crate::error::{DisconnectReason, Error};
use crate::event::Event;
use crate::heartbeat::{Beat, Heartbeat};
use crate::in_flight::{InFlight, Waiter};
use crate::inbox::Inbox;
use crate::incoming::Incoming;
use crate::limits::{IN_FLIGHT_MAX, TURN_COMMANDS_MAX, WRITE_BUFFER_BYTES_MAX};
use crate::outgoing::{Body, WriteBuffer};
use crate::pings::Pings;
use crate::received::Received;
use crate::session::Session;
use crate::state::Server;
use crate::task::Task;
use crate::transport::Transport;
use bytes::Bytes;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use workyard_protocol::control::Goodbye;
use workyard_protocol::{DecodeError, NO_REPLY, Reason, Refusal, RequestId, ToServer};

#[derive(Debug)]
pub(crate) struct Connection {
    transport: Transport,
    inbox: Inbox,
    server: Server,
    writes: WriteBuffer,
    in_flight: InFlight,
    pings: Pings,
    heartbeat: Heartbeat,
    tick: Option<Interval>,
    alarm: Alarm,
    /// Every handle is gone, or the client is closed, and the queue is empty.
    commands_over: bool,
    /// The last ping is sent.
    closing_ping: bool,
}

/// How a connection ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) reason: DisconnectReason,
    /// When the server wants to be asked again.
    pub(crate) reconnect_after: Option<Duration>,
}

impl Connection {
    pub(crate) fn new(established: Established) -> Self {
        let Established { transport, inbox, server } = established;
        let now = Instant::now();
        let heartbeat = Heartbeat::new(server.heartbeat, now);
        let tick = heartbeat.period().map(|period| {
            let mut tick = interval_at(now + period, period);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            tick
        });
        Self {
            transport,
            inbox,
            server,
            writes: WriteBuffer::default(),
            in_flight: InFlight::default(),
            pings: Pings::default(),
            heartbeat,
            tick,
            alarm: Alarm::default(),
            commands_over: false,
            closing_ping: false,
        }
    }

    /// Goes on until nothing moves any more, or the connection has ended.
    pub(crate) fn poll<S: Session>(
        &mut self,
        task: &mut Task<S>,
        cx: &mut Context<'_>,
    ) -> Poll<Ended> {
        loop {
            match self.turn(task, cx) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(ended) => return Poll::Ready(ended),
            }
        }
    }

    /// Sends what the session wants sent.
    pub(crate) fn take_outbox<S: Session>(&mut self, task: &mut Task<S>) {
        // An answer made up here may make the session append more.
        while !task.outbox.is_empty() {
            task.publish_events();
            for outgoing in task.outbox.take_requests() {
                let token = outgoing.token;
                let body = Body::from(outgoing);
                if let Err(refusal) = self.check_size(&body) {
                    if let Err(error) = task.session.answered(token, Err(refusal), &mut task.outbox)
                    {
                        // No server has said anything wrong: there is nobody to part from.
                        tracing::warn!(%error, "a refusal of its own is nothing to the session");
                    }
                    continue;
                }
                let id = self.in_flight.insert(Waiter::Session(token));
                self.writes.request(id, &body);
            }
        }
    }

    /// Whether something was sent that nobody waits for, and is not known to have arrived.
    pub(crate) fn has_unproven_sends(&self) -> bool {
        self.pings.has_unproven_sends()
    }

    /// Whether the end comes too early for something.
    pub(crate) fn is_awaiting(&self) -> bool {
        self.has_unproven_sends() || self.in_flight.len() > 0 || self.writes.len() > 0
    }

    /// Tells everybody who waits that it was in vain.
    pub(crate) fn fail(&mut self, reason: &DisconnectReason) {
        self.in_flight.fail(reason);
        self.pings.fail(reason);
    }

    fn turn<S: Session>(
        &mut self,
        task: &mut Task<S>,
        cx: &mut Context<'_>,
    ) -> Result<bool, Ended> {
        let mut moved = self.poll_read(task, cx)?;
        moved |= self.poll_controls(task, cx);
        moved |= self.poll_commands(task, cx);
        moved |= self.poll_alarm(task, cx);
        task.session.turn_ended(&mut task.outbox);
        self.take_outbox(task);
        // Reading comes before: whoever was stopped for a while finds what was sent to him meanwhile.
        self.poll_heartbeat(cx)?;
        moved |= self.poll_write(task, cx)?;
        moved |= self.poll_closing(task, cx)?;
        Ok(moved)
    }

    fn poll_read<S: Session>(
        &mut self,
        task: &mut Task<S>,
        cx: &mut Context<'_>,
    ) -> Result<bool, Ended> {
        let count = match self.inbox.poll_fill(&mut self.transport, cx) {
            // What came with the welcome may wait already.
            Poll::Pending => return self.read_frames(task),
            Poll::Ready(result) => result.map_err(|error| Ended::io(&error))?,
        };
        self.heartbeat.received(Instant::now());
        self.read_frames(task)?;
        match count {
            0 => Err(DisconnectReason::ServerClosed.into()),
            _ => Ok(true),
        }
    }

    fn read_frames<S: Session>(&mut self, task: &mut Task<S>) -> Result<bool, Ended> {
        let mut moved = false;
        while let Some(body) = self.inbox.next().map_err(|refusal| Ended::malformed(&refusal))? {
            self.frame(task, &body)?;
            moved = true;
        }
        Ok(moved)
    }

    fn frame<S: Session>(&mut self, task: &mut Task<S>, body: &Bytes) -> Result<(), Ended> {
        match Incoming::read(body).map_err(|error| Ended::malformed(&error))? {
            Incoming::Ping(token) => self.writes.frame(&ToServer::Pong(token)),
            Incoming::Pong(token) => self.pings.pong(token, Instant::now()),
            Incoming::Goodbye(goodbye) => return Err(goodbye.into()),
            Incoming::Answer(id, answer) => self.answer(task, id, answer)?,
            Incoming::Push(push) => match task.session.pushed(&push, &mut task.outbox) {
                Ok(()) => {}
                Err(DecodeError::Refused(refusal))
                    if refusal.reason == Reason::UnknownOperation =>
                {
                    tracing::debug!(%refusal, "passing over a push");
                }
                Err(error) => return Err(Ended::malformed(&error)),
            },
        }
        Ok(())
    }

    fn answer<S: Session>(
        &mut self,
        task: &mut Task<S>,
        id: RequestId,
        answer: Result<Received, Refusal>,
    ) -> Result<(), Ended> {
        match (self.in_flight.take(id), answer) {
            (Some(Waiter::Caller(caller)), answer) => {
                // The caller may have gone; then this was the answer that freed the id.
                let _ = caller.send(answer.map_err(Error::from));
            }
            (Some(Waiter::Session(token)), answer) => {
                let read = task.session.answered(token, answer, &mut task.outbox);
                read.map_err(|error| Ended::malformed(&error))?;
            }
            (None, Err(refusal)) if id == NO_REPLY => task.outbox.event(Event::Refused(refusal)),
            (None, _) => {
                let text = format!("an answer to request {id}, which is not in flight");
                return Err(DisconnectReason::Malformed(text).into());
            }
        }
        Ok(())
    }

    fn poll_controls<S: Session>(&mut self, task: &mut Task<S>, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while let Poll::Ready(Some(control)) = task.controls.poll_recv(cx) {
            task.control(control);
            self.take_outbox(task);
            moved = true;
        }
        moved
    }

    fn poll_commands<S: Session>(&mut self, task: &mut Task<S>, cx: &mut Context<'_>) -> bool {
        let awaited = self.in_flight.len() + self.pings.len();
        let room = IN_FLIGHT_MAX.saturating_sub(awaited).min(TURN_COMMANDS_MAX);
        if room == 0 || self.commands_over {
            return false;
        }
        for taken in 0..room {
            if self.writes.len() >= WRITE_BUFFER_BYTES_MAX {
                return taken > 0;
            }
            match task.commands.poll_recv(cx) {
                Poll::Ready(Some(command)) => self.command(task, command),
                Poll::Ready(None) => {
                    self.commands_over = true;
                    task.handles_gone();
                    return true;
                }
                Poll::Pending => return taken > 0,
            }
        }
        true
    }

    fn command<S: Session>(&mut self, task: &mut Task<S>, command: Command<S::Command>) {
        match command {
            Command::Request(request) => self.request(request),
            Command::Send(sending) => match self.check_size(&sending.body) {
                Ok(()) => {
                    self.writes.request(NO_REPLY, &sending.body);
                    self.pings.sent();
                }
                Err(refusal) => task.outbox.event(Event::Refused(refusal)),
            },
            Command::Ping(caller) if caller.is_closed() => {}
            Command::Ping(caller) => {
                let token = self.pings.ping(Some(caller), Instant::now());
                self.writes.frame(&ToServer::Ping(token));
            }
            Command::Session(command) => {
                task.session.command(command, &mut task.outbox);
                self.take_outbox(task);
            }
        }
    }

    fn request(&mut self, request: Request) {
        let Request { body, caller, only_on, .. } = request;
        if caller.is_closed() {
            return;
        }
        let limit = self.server.frame_bytes_max;
        let refused = match body.frame_bytes() {
            _ if only_on.is_some_and(|connection| connection != self.server.connection) => {
                Error::ConnectionReplaced
            }
            bytes if bytes > limit => Error::TooLarge { bytes, limit },
            _ => {
                let id = self.in_flight.insert(Waiter::Caller(caller));
                return self.writes.request(id, &body);
            }
        };
        let _ = caller.send(Err(refused));
    }

    fn check_size(&self, body: &Body) -> Result<(), Refusal> {
        let (bytes, limit) = (body.frame_bytes(), self.server.frame_bytes_max);
        match bytes > limit {
            true => {
                let text = Error::TooLarge { bytes, limit }.to_string();
                Err(Refusal::new(Reason::FrameTooLarge, text))
            }
            false => Ok(()),
        }
    }

    fn poll_alarm<S: Session>(&mut self, task: &mut Task<S>, cx: &mut Context<'_>) -> bool {
        let is_due = self.alarm.is_due(task.session.wake_at(), cx);
        if is_due {
            task.session.woken(Instant::now(), &mut task.outbox);
        }
        is_due
    }

    fn poll_heartbeat(&mut self, cx: &mut Context<'_>) -> Result<(), Ended> {
        let Some(tick) = &mut self.tick else { return Ok(()) };
        while tick.poll_tick(cx).is_ready() {
            let now = Instant::now();
            match self.heartbeat.beat(now) {
                Beat::Dead(silent) => return Err(DisconnectReason::Silent(silent).into()),
                // Also while bytes wait: a server that is sent nothing but what it does not answer is
                // heard by its pongs alone. One on its way is enough, so that they cannot pile up
                // before a socket that takes none.
                Beat::Ping if self.writes.len() == 0 || self.pings.len() == 0 => {
                    let token = self.pings.beat(now);
                    self.writes.frame(&ToServer::Ping(token));
                }
                Beat::Ping | Beat::Rest => {}
            }
        }
        Ok(())
    }

    fn poll_write<S: Session>(
        &mut self,
        task: &mut Task<S>,
        cx: &mut Context<'_>,
    ) -> Result<bool, Ended> {
        if self.writes.len() == 0 {
            return Ok(false);
        }
        let failed = match self.writes.poll_write(&mut self.transport, cx) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Ok(count)) if count > 0 => {
                self.heartbeat.sent(Instant::now());
                return Ok(true);
            }
            Poll::Ready(Ok(_)) => io::ErrorKind::WriteZero.into(),
            Poll::Ready(Err(error)) => error,
        };
        // The server may have said why before it hung up.
        while self.poll_read(task, cx)? {}
        Err(Ended::io(&failed))
    }

    fn poll_closing<S: Session>(
        &mut self,
        task: &mut Task<S>,
        cx: &mut Context<'_>,
    ) -> Result<bool, Ended> {
        let Some(closing) = &mut task.closing else { return Ok(false) };
        if closing.deadline.as_mut().poll(cx).is_ready() {
            task.unfinished = Some(Error::TimedOut { after: closing.within });
            return Err(DisconnectReason::Closed.into());
        }
        if self.commands_over && !self.closing_ping {
            // Its pong proves that the server has dealt with everything: hanging up now could make
            // the kernel throw away what is still on the way.
            self.closing_ping = true;
            let token = self.pings.ping(None, Instant::now());
            self.writes.frame(&ToServer::Ping(token));
            return Ok(true);
        }
        match self.closing_ping && self.pings.len() == 0 && self.in_flight.len() == 0 {
            true => Err(DisconnectReason::Closed.into()),
            false => Ok(false),
        }
    }
}

impl Ended {
    fn io(error: &io::Error) -> Self {
        DisconnectReason::Io(error.to_string()).into()
    }

    fn malformed(error: &impl ToString) -> Self {
        DisconnectReason::Malformed(error.to_string()).into()
    }
}

impl From<DisconnectReason> for Ended {
    fn from(reason: DisconnectReason) -> Self {
        Self { reason, reconnect_after: None }
    }
}

impl From<Goodbye> for Ended {
    fn from(goodbye: Goodbye) -> Self {
        let reconnect_after = goodbye.reconnect_after_ms.map(|ms| Duration::from_millis(ms.into()));
        Self { reason: DisconnectReason::Goodbye(goodbye.refusal), reconnect_after }
    }
}
