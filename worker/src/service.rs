//! A program of one or more workers.

use crate::commands;
use crate::orders::Order;
use crate::scheme::Scheme;
use crate::settings::Settings;
use crate::socket::Listening;
use crate::worker::Worker;
use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// A worker of any protocol.
pub(crate) trait AnyWorker {
    fn settings(&self) -> &Settings;

    /// Serves in this process, which is a worker process, until it is ordered to stop and has. To be polled
    /// within a `LocalRuntime`.
    fn serve(self: Box<Self>, start: Start) -> Pin<Box<dyn Future<Output = Served>>>;
}

/// What a worker process begins with.
#[derive(Debug)]
pub(crate) struct Start {
    /// 0 to count - 1; whoever replaces a process has its number.
    pub(crate) id: u16,
    /// The sockets to accept from; none if it listens nowhere.
    pub(crate) sockets: Vec<Listening>,
    pub(crate) orders: mpsc::UnboundedReceiver<Order>,
    /// How long after an order to stop the process is killed.
    pub(crate) stop_timeout: Duration,
    /// Told when `on_worker_start` is over and connections are accepted.
    pub(crate) ready: oneshot::Sender<()>,
    /// Told when no more connections are accepted, and whether those that there are may take their time.
    pub(crate) leaving: oneshot::Sender<bool>,
}

/// How a worker ended.
#[derive(Debug)]
pub(crate) enum Served {
    /// As it was ordered to, or as its own code wanted.
    Stopped,
    /// `on_worker_start` failed.
    NotStarted(String),
    /// A callback failed, and the worker is to be replaced for that.
    Failed(String),
}

/// The workers of a program, and what they have in common.
///
/// [`Service::run`] does what the command line says: `start`, `stop`, `reload` and so on. The process that
/// is started becomes the supervisor. It binds the sockets, serves nobody, and starts each worker process
/// from the program's file again: `main` runs in every one of them, and must come to `run` in every one.
#[derive(Default)]
pub struct Service {
    pub(crate) workers: Vec<Box<dyn AnyWorker>>,
    pub(crate) options: Options,
    pub(crate) callbacks: Callbacks,
}

/// What is the same for all workers.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) name: Option<String>,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) stdout_file: Option<PathBuf>,
    pub(crate) daemonize: bool,
    pub(crate) stop_timeout: Option<Duration>,
    pub(crate) reload_on_change: Option<ReloadOnChange>,
}

/// Of which files a change leads to a reload, besides the program.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReloadOnChange {
    pub(crate) paths: Vec<PathBuf>,
    /// Whether it does without a terminal, too.
    pub(crate) as_daemon: bool,
}

/// What is called in the supervisor.
#[derive(Default)]
pub(crate) struct Callbacks {
    pub(crate) reload: Option<Box<dyn FnMut()>>,
    pub(crate) stop: Option<Box<dyn FnMut()>>,
    pub(crate) worker_exit: Option<Box<OnWorkerExit>>,
}

/// The worker's name, its id, the pid, and how the process ended.
pub(crate) type OnWorkerExit = dyn FnMut(&str, u16, u32, ExitStatus);

impl Service {
    /// A service without workers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more worker.
    #[must_use]
    pub fn with<S: Scheme, D: Default + 'static>(mut self, worker: Worker<S, D>) -> Self {
        self.workers.push(Box::new(worker));
        self
    }

    /// How it is called in what is printed and logged; the program's file name if nothing is said.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.options.name = Some(name.into());
        self
    }

    /// Where the number of the supervisor is written, as decimal digits. Beside it lies the socket by which
    /// commands find the service. `NAME.pid` beside the program if nothing is said. This path, like those of
    /// the other files, begins at the program's folder unless it is absolute.
    #[must_use]
    pub fn pid_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.pid_file = Some(path.into());
        self
    }

    /// Where all processes log to; `NAME.log` beside the program if nothing is said. Above 10 MiB it becomes
    /// `NAME.log.1`.
    #[must_use]
    pub fn log_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.log_file = Some(path.into());
        self
    }

    /// What standard output and error are appended to without a terminal (`start -d`); `/dev/null` if nothing
    /// is said.
    #[must_use]
    pub fn stdout_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.stdout_file = Some(path.into());
        self
    }

    /// Makes `start` mean `start -d`.
    #[must_use]
    pub fn daemonize(mut self, daemonize: bool) -> Self {
        self.options.daemonize = daemonize;
        self
    }

    /// How long a process of any worker may take to stop, before it is killed, whatever the worker itself says;
    /// two seconds if neither says anything.
    #[must_use]
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.options.stop_timeout = Some(timeout);
        self
    }

    /// Reloads when the program changes, or anything at these paths: files, and directories with all that is not
    /// ignored by a `.gitignore`. They begin at the program's folder unless they are absolute. It is for
    /// development: a service that was started without a terminal (`start -d`, or by systemd) does not.
    #[must_use]
    pub fn reload_on_change<P: Into<PathBuf>>(
        mut self,
        paths: impl IntoIterator<Item = P>,
    ) -> Self {
        let wanted = self.options.reload_on_change.get_or_insert_default();
        wanted.paths.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Reloads when the program changes even if the service was started with `start -d`.
    #[must_use]
    pub fn reload_on_change_as_daemon(mut self) -> Self {
        self.options.reload_on_change.get_or_insert_default().as_daemon = true;
        self
    }

    /// Called in the supervisor before workers are reloaded.
    #[must_use]
    pub fn on_supervisor_reload(mut self, callback: impl FnMut() + 'static) -> Self {
        self.callbacks.reload = Some(Box::new(callback));
        self
    }

    /// Called in the supervisor when all workers have ended.
    #[must_use]
    pub fn on_supervisor_stop(mut self, callback: impl FnMut() + 'static) -> Self {
        self.callbacks.stop = Some(Box::new(callback));
        self
    }

    /// Called in the supervisor when a worker process has ended, with the worker's name, the id that the
    /// process had, its pid and its status.
    #[must_use]
    pub fn on_worker_exit(
        mut self,
        callback: impl FnMut(&str, u16, u32, ExitStatus) + 'static,
    ) -> Self {
        self.callbacks.worker_exit = Some(Box::new(callback));
        self
    }

    /// Does what the command line says; without a command, says which there are.
    ///
    /// 0 is done, 1 failed, 2 a mistake of whoever called it, 3 that no service runs. A worker process ends
    /// with 0 when it was told to stop, and with 250 when it could not start or a callback failed.
    #[must_use]
    pub fn run(self) -> ExitCode {
        self.run_with(std::env::args_os().skip(1))
    }

    /// Does what these arguments say, of which the first is the command: for programs that have others too.
    #[must_use]
    pub fn run_with<I>(self, arguments: I) -> ExitCode
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        commands::run(self, arguments.into_iter().map(Into::into).collect())
    }
}

impl Options {
    /// How long a process of a worker may take to stop.
    pub(crate) fn stop_timeout_of(&self, settings: &Settings) -> Duration {
        self.stop_timeout.unwrap_or(settings.stop_timeout)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings: Vec<&Settings> =
            self.workers.iter().map(|worker| worker.settings()).collect();
        let mut debug = formatter.debug_struct("Service");
        debug.field("workers", &settings).field("options", &self.options).finish_non_exhaustive()
    }
}
