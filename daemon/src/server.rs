//! A daemon inside a process: bound, started, stopped. The daemons' own `main` uses it too.

use crate::address::ListenAddress;
use crate::exit::ExitStatus;
use crate::life::{self, Command};
use crate::listener::{Bound, bind_all};
use crate::service::Service;
use crate::settings::Settings;
use std::io;
use std::marker::PhantomData;
use std::thread::JoinHandle;
use tokio::sync::mpsc;

/// A daemon that holds its addresses and serves nobody yet.
pub struct Server<S: Service> {
    bound: Vec<Bound>,
    addresses: Vec<ListenAddress>,
    settings: Settings,
    limits: S::Limits,
    service: PhantomData<S>,
}

/// Why a daemon cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address is taken, or not ours.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Which.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system refuses a thread or a runtime.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

/// A daemon that runs on a thread of its own. It goes on when this is dropped.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<ListenAddress>,
    commands: mpsc::UnboundedSender<Command>,
    thread: JoinHandle<ExitStatus>,
}

impl<S: Service> Server<S> {
    /// Opens the addresses.
    ///
    /// # Errors
    /// When one of them cannot be listened on.
    pub fn bind(settings: Settings, limits: S::Limits) -> Result<Self, StartError> {
        let bound = bind_all(&settings.listen)
            .map_err(|(address, source)| StartError::Bind { address, source })?;
        let addresses = bound.iter().map(Bound::address).collect::<io::Result<_>>()?;
        Ok(Self { bound, addresses, settings, limits, service: PhantomData })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.addresses
    }

    /// Serves on a thread of its own.
    ///
    /// # Errors
    /// When the system refuses the thread.
    pub fn start(self) -> Result<Running, StartError> {
        let addresses = self.addresses.clone();
        let (commands, inbox) = mpsc::unbounded_channel();
        let (bound, settings, limits) = (self.bound, self.settings, self.limits);
        let thread =
            std::thread::Builder::new().name(S::KIND.name().to_owned()).spawn(move || {
                life::run::<S>(bound, settings, &limits, inbox).unwrap_or_else(|error| {
                    tracing::error!(%error, "cannot run");
                    ExitStatus::Failed
                })
            })?;
        Ok(Running { addresses, commands, thread })
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.addresses
    }

    /// Takes over what may change while running; says in the log what may not.
    pub(crate) fn reload(&self, settings: Settings) {
        let _ = self.commands.send(Command::Reload(Box::new(settings)));
    }

    /// Asks it to stop, as SIGTERM does.
    pub fn stop(&self) {
        let _ = self.commands.send(Command::Drain);
    }

    /// Returns when it has stopped, or is about to.
    pub async fn ended(&self) {
        self.commands.closed().await;
    }

    /// Whether it has stopped.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until it has stopped.
    #[must_use]
    pub fn wait(self) -> ExitStatus {
        self.thread.join().unwrap_or(ExitStatus::Failed)
    }
}
