//! The task that holds the connection, and makes a new one when it is lost.

use crate::command::Command;
use crate::connection::{Connection, End, FAR, obey_all};
use crate::options::{Options, Place};
use crate::session::Session;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};
use tokio_rustls::rustls::ClientConfig;
use workyard_adapter_kit::{Error, ErrorKind, Guard, State, Status};

pub(crate) struct Task {
    pub(crate) options: Options,
    pub(crate) place: Place,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) guard: Guard,
    pub(crate) status: Arc<Status>,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) session: Session,
    /// Until when somebody may subscribe to what came with a kept session, once there was a connection.
    pub(crate) claim_by: Option<Instant>,
}

/// Why there is nothing more to do.
type Done = Option<oneshot::Sender<()>>;

impl Task {
    /// Runs until the client is closed, or nobody has it any more. Then the broker publishes the last
    /// will: it is not told farewell.
    pub(crate) async fn run(mut self) {
        let done = self.connect_and_serve().await;
        self.session.close();
        self.status.set(State::Closed);
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    async fn connect_and_serve(&mut self) -> Done {
        let mut waits = self.options.reconnect.waits();
        loop {
            let error = match self.connect().await {
                Ok(Ok(connection)) => {
                    let since = Instant::now();
                    match self.serve(connection).await {
                        End::Lost(error) => {
                            // One that is lost at once says that something is wrong with it.
                            if since.elapsed() >= self.options.reconnect.max {
                                waits.reset();
                            }
                            error
                        }
                        End::Abandoned => return None,
                        End::Closed(done) => return Some(done),
                    }
                }
                Ok(Err(error)) => error,
                Err(done) => return done,
            };
            let error = self.guard.placed(error);
            let wait = match error.kind() {
                ErrorKind::Refused | ErrorKind::InvalidOptions => {
                    self.session.refused(&error);
                    self.options.reconnect.max
                }
                _ => waits.next_wait(),
            };
            self.guard.lost(&error);
            self.status.set(State::Down(error));
            if let Err(done) = self.obey_during(sleep(wait)).await {
                return done;
            }
        }
    }

    async fn connect(&mut self) -> Result<Result<Connection, Error>, Done> {
        let (options, place, tls) = (self.options.clone(), self.place.clone(), self.tls.clone());
        let connecting = async move { Connection::open(&options, &place, tls.as_ref()).await };
        self.obey_during(connecting).await
    }

    async fn serve(&mut self, connection: Connection) -> End {
        let wait = self.options.calls.connect_timeout.min(FAR);
        let claim_by = *self.claim_by.get_or_insert_with(|| Instant::now() + wait);
        let Self { guard, status, commands, session, .. } = self;
        session.connected(&connection.welcome);
        let end = connection
            .serve(session, commands, claim_by, || {
                guard.connected();
                status.set(State::Ready);
            })
            .await;
        session.disconnected();
        end
    }

    /// Takes commands while something else is waited for.
    async fn obey_during<T>(&mut self, wait: impl Future<Output = T>) -> Result<T, Done> {
        let mut wait = std::pin::pin!(wait);
        loop {
            tokio::select! {
                result = &mut wait => return Ok(result),
                command = self.commands.recv() => {
                    let Some(command) = command else { return Err(None) };
                    let done = obey_all(command, &mut self.session, &mut self.commands);
                    if let Some(done) = done {
                        return Err(Some(done));
                    }
                }
            }
        }
    }
}
