//! The life of a connection's task: connect, serve, wait, connect again.

use crate::address::Address;
use crate::backoff::Retries;
use crate::command::{Command, Control};
use crate::connect::{self, Established, Failure};
use crate::connection::{Connection, Ended};
use crate::deadline::deadline;
use crate::error::{DisconnectReason, Error};
use crate::event::Event;
use crate::options::Options;
use crate::session::{Outbox, Session};
use crate::state::{Glance, State};
use bytes::Bytes;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

pub(crate) struct Task<S: Session> {
    pub(crate) address: Address,
    pub(crate) options: Options,
    pub(crate) hello: Bytes,
    pub(crate) session: S,
    pub(crate) outbox: Outbox,
    pub(crate) commands: mpsc::Receiver<Command<S::Command>>,
    pub(crate) controls: mpsc::UnboundedReceiver<Control<S::Command>>,
    pub(crate) state: watch::Sender<State>,
    pub(crate) glance: Arc<Glance>,
    pub(crate) events: broadcast::Sender<Event>,
    /// Set once the client is to end.
    pub(crate) closing: Option<Closing>,
    /// What kept the end from being a clean one.
    pub(crate) unfinished: Option<Error>,
    pub(crate) epoch: Option<u64>,
}

/// The end that was asked for.
#[derive(Debug)]
pub(crate) struct Closing {
    pub(crate) deadline: Pin<Box<Sleep>>,
    /// How long that was from when it was asked for.
    pub(crate) within: Duration,
    waiting: Vec<oneshot::Sender<Result<(), Error>>>,
}

impl<S: Session> Task<S> {
    pub(crate) async fn run(mut self) {
        let mut retries = Retries::new(self.options.backoff);
        for connection in 1.. {
            let Some(established) = self.connect(connection, &mut retries).await else { break };
            let began = Instant::now();
            let ended = self.serve(established).await;
            if ended.reason == DisconnectReason::Closed {
                break;
            }
            retries.connected_for(began.elapsed());
            let wait = retries.wait(ended.reconnect_after, fastrand::f64());
            if self.meanwhile(sleep(wait)).await.is_none() {
                break;
            }
        }
        self.end();
    }

    /// Connects, however often it takes. Nothing when the client is to end first.
    async fn connect(&mut self, connection: u64, retries: &mut Retries) -> Option<Established> {
        loop {
            let attempt = connect::establish(
                self.address.clone(),
                self.options.clone(),
                self.session.service(),
                self.hello.clone(),
                connection,
            );
            let Failure { error, reconnect_after } = match self.meanwhile(attempt).await? {
                Ok(established) => return Some(established),
                Err(failure) => failure,
            };
            tracing::debug!(%error, "no connection");
            self.state.send_modify(|state| state.failure = Some(error));
            let wait = retries.wait(reconnect_after, fastrand::f64());
            self.meanwhile(sleep(wait)).await?;
        }
    }

    /// Runs `work` while there is no connection. Nothing when the client is to end first.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut has_handles = true;
        loop {
            if self.closing.is_some() && self.commands.is_empty() {
                return None;
            }
            let too_late = async {
                match &mut self.closing {
                    Some(closing) => closing.deadline.as_mut().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                control = self.controls.recv(), if has_handles => {
                    match control {
                        Some(control) => self.control(control),
                        None => {
                            has_handles = false;
                            self.handles_gone();
                        }
                    }
                    // Without a connection nothing can be sent; the next one restores what counts.
                    self.outbox.take_requests();
                    self.publish_events();
                }
                () = too_late => return None,
                done = &mut work => return Some(done),
            }
        }
    }

    async fn serve(&mut self, established: Established) -> Ended {
        let server = Arc::new(established.server.clone());
        let resumed = self.epoch.replace(server.epoch) == Some(server.epoch);
        let mut connection = Connection::new(established);
        self.session.connected(&server, &mut self.outbox);
        connection.take_outbox(self);
        tracing::debug!(server = server.name, address = %server.address, "connected");
        self.glance.connected(&server);
        self.state.send_modify(|state| {
            state.server = Some(Arc::clone(&server));
            state.connections = server.connection;
            state.failure = None;
            // Within, so that who was waiting for this connection finds the event gone by already.
            let _ = self.events.send(Event::Connected { server: Arc::clone(&server), resumed });
        });

        let ended = poll_fn(|cx| connection.poll(self, cx)).await;

        tracing::debug!(reason = %ended.reason, address = %server.address, "disconnected");
        // Callers that look at the state after their own failure must find it changed already.
        self.glance.disconnected(server.connection);
        self.state.send_modify(|state| {
            state.server = None;
            if connection.has_unproven_sends() {
                state.losses += 1;
                state.lost_by = Some(ended.reason.clone());
            }
            let cause = ended.reason.to_string();
            state.failure = Some(Error::Unreachable { address: server.address.clone(), cause });
        });
        if self.closing.is_some() && connection.is_awaiting() {
            let reason = ended.reason.clone();
            self.unfinished.get_or_insert(Error::Disconnected { reason });
        }
        connection.fail(&ended.reason);
        self.session.disconnected(&ended.reason, &mut self.outbox);
        self.outbox.take_requests();
        self.publish_events();
        let address = server.address.clone();
        let _ = self.events.send(Event::Disconnected { address, reason: ended.reason.clone() });
        ended
    }

    pub(crate) fn control(&mut self, control: Control<S::Command>) {
        match control {
            Control::Session(command) => self.session.command(command, &mut self.outbox),
            Control::Close { within, done } => self.close(within, Some(done)),
        }
    }

    /// Nobody can be told any more, but what was sent shall arrive.
    pub(crate) fn handles_gone(&mut self) {
        if self.closing.is_none() {
            self.close(self.options.call_timeout, None);
        }
    }

    /// Takes no further commands; those that are there are still carried out.
    fn close(&mut self, within: Duration, done: Option<oneshot::Sender<Result<(), Error>>>) {
        self.commands.close();
        let end = deadline(within);
        let closing = self.closing.get_or_insert_with(|| Closing {
            deadline: Box::pin(sleep_until(end)),
            within,
            waiting: Vec::new(),
        });
        if end < closing.deadline.deadline() {
            closing.deadline.as_mut().reset(end);
            closing.within = within;
        }
        closing.waiting.extend(done);
    }

    pub(crate) fn publish_events(&mut self) {
        for event in self.outbox.take_events() {
            // An error only says that nobody listens.
            let _ = self.events.send(event);
        }
    }

    fn end(mut self) {
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            let within = self.closing.as_ref().map(|closing| closing.within);
            let after = within.unwrap_or(self.options.call_timeout);
            self.unfinished = Some(Error::TimedOut { after });
            match command {
                Command::Request(request) => drop(request.caller.send(Err(Error::Closed))),
                Command::Ping(caller) => drop(caller.send(Err(Error::Closed))),
                Command::Send(_) | Command::Session(_) => {}
            }
        }
        self.state.send_modify(|state| state.closed = true);
        let waiting = self.closing.take().map(|closing| closing.waiting);
        for done in waiting.into_iter().flatten() {
            let _ = done.send(self.unfinished.clone().map_or(Ok(()), Err));
        }
    }
}
