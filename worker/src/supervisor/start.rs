//! How a supervisor begins: all that can be wrong is found before the first process is started.

use super::changes::Changes;
use super::endpoint::Endpoint;
use super::roster::{Pace, Place, Plan, Roster};
use super::signals::Signals;
use super::sockets::Sockets;
use super::{Supervisor, notify};
use crate::address::{self, Address};
use crate::commands::screen;
use crate::exit::Exit;
use crate::files::{Files, Program};
use crate::log;
use crate::messages::{Start, line};
use crate::pid_file::PidFile;
use crate::process::Identity;
use crate::service::{ReloadOnChange, Service};
use crate::settings::Settings;
use anyhow::{bail, ensure};
use sd_notify::NotifyState;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Instant, SystemTime};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::mpsc;

/// Who wants to know how the start went.
#[derive(Debug)]
pub(crate) enum Audience {
    /// People before a terminal.
    Terminal { quiet: bool },
    /// The command that started a supervisor without one; nobody after it was told.
    Starter(Option<UnixStream>),
}

/// Why a supervisor does not begin.
#[derive(Debug)]
pub(crate) enum Refused {
    AlreadyRunning,
    /// The program's own mistake.
    Usage(anyhow::Error),
    Failed(anyhow::Error),
}

/// All that a supervisor needs and holds.
pub(crate) struct Prepared {
    service: Service,
    program: Program,
    files: Files,
    sockets: Sockets,
    outside: Outside,
    pid_file: PidFile,
}

/// By what a supervisor hears of the world.
struct Outside {
    runtime: LocalRuntime,
    endpoint: Endpoint,
    signals: Signals,
    changes: Changes,
}

/// How far the start has come.
#[derive(Debug, Default)]
pub(super) struct Starting {
    /// Why the last process of a place ended.
    pub(super) failures: BTreeMap<Place, String>,
    /// Why the service was stopped again.
    given_up: Option<String>,
}

/// A supervisor that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) starting: Starting,
    pub(super) audience: Audience,
}

/// Checks the settings, takes the pid file, binds the sockets.
pub(crate) fn prepare(
    service: Service,
    program: Program,
    files: Files,
    daemon: bool,
) -> Result<Prepared, Refused> {
    check_all(&service, &files).map_err(Refused::Usage)?;
    log::start(&files.log, daemon).map_err(Refused::Failed)?;
    let pid_file = PidFile::take(&files.pid).map_err(Refused::Failed)?;
    let pid_file = pid_file.ok_or(Refused::AlreadyRunning)?;
    let sockets = Sockets::bind(&service.workers).map_err(Refused::Failed)?;
    let wanted = service.options.reload_on_change.as_ref();
    let outside = Outside::new(wanted, &program, &files, daemon).map_err(Refused::Failed)?;
    Ok(Prepared { service, program, files, sockets, outside, pid_file })
}

impl Outside {
    fn new(
        reload_on_change: Option<&ReloadOnChange>,
        program: &Program,
        files: &Files,
        daemon: bool,
    ) -> anyhow::Result<Self> {
        let mut runtime = Builder::new_current_thread();
        let runtime = runtime.enable_all().build_local(LocalOptions::default())?;
        let (endpoint, signals, changes) = runtime.block_on(async {
            let changes = Changes::follow(reload_on_change, program, files, daemon).await?;
            anyhow::Ok((Endpoint::bind(&files.control)?, Signals::catch()?, changes))
        })?;
        Ok(Self { runtime, endpoint, signals, changes })
    }
}

fn check_all(service: &Service, files: &Files) -> anyhow::Result<()> {
    ensure!(!service.workers.is_empty(), "there is no worker: Service::new().with(worker)");
    service.workers.iter().try_for_each(|worker| check(worker.settings()))?;
    let settings = service.workers.iter().map(|worker| worker.settings());
    files.check(settings.filter_map(socket_path))
}

fn socket_path(settings: &Settings) -> Option<&Path> {
    match &settings.listen {
        Some(Ok(Address { endpoint: address::Endpoint::Path(path), .. })) => Some(path),
        _ => None,
    }
}

fn check(settings: &Settings) -> anyhow::Result<()> {
    if let Some(Err(error)) = &settings.listen {
        bail!("worker {:?}: {error}", settings.name);
    }
    Identity::find(settings).map(|_| ())
}

impl Prepared {
    /// Supervises until all has stopped, and removes what lies in the file system.
    pub(crate) fn run(self, audience: Audience) -> Exit {
        let Self { service, program, files, sockets, outside, pid_file } = self;
        let settings: Vec<Settings> =
            service.workers.iter().map(|worker| worker.settings().clone()).collect();
        let plans = settings.iter().map(|settings| Plan {
            count: settings.count.max(1),
            reloadable: settings.reloadable,
            stop_timeout: service.options.stop_timeout_of(settings),
        });
        let roster = Roster::new(plans.collect());
        let Outside { runtime, endpoint, signals, changes } = outside;
        let (events, received) = mpsc::unbounded_channel();
        let supervisor = Supervisor {
            program,
            files,
            options: service.options,
            callbacks: service.callbacks,
            settings,
            sockets,
            roster,
            processes: BTreeMap::new(),
            exits: BTreeMap::new(),
            reloads: Vec::new(),
            changes,
            events,
            audience,
            starting: Starting::default(),
            began: Instant::now(),
            began_at: SystemTime::now(),
        };
        let ended = runtime.block_on(supervisor.run(endpoint, signals, received));
        drop(pid_file);
        ended.tell()
    }
}

impl Supervisor {
    /// All places have a process that serves.
    pub(super) fn started(&mut self) {
        notify(&[NotifyState::Ready]);
        let screen = screen::start(&self.service_status());
        self.audience.tell_started(screen);
    }

    /// A start that somebody waits for is given up; others are tried until they succeed.
    pub(super) fn start_failed(&mut self, place: Place) {
        let reason = self.failure(place);
        tracing::error!("{reason}");
        let is_awaited = matches!(&self.audience, Audience::Starter(Some(_)));
        if is_awaited && self.starting.given_up.is_none() {
            self.starting.given_up = Some(reason);
            self.roster.stop(Pace::Soon, self.now());
        }
    }
}

impl Ended {
    /// Tells who still waits that it has never served.
    fn tell(mut self) -> Exit {
        let given_up = self.starting.given_up;
        let exit = if given_up.is_some() { Exit::Failed } else { Exit::Done };
        let reason = given_up.unwrap_or_else(|| "it was told to stop".to_owned());
        self.audience.tell(&Start::Failed(reason));
        exit
    }
}

impl Audience {
    pub(super) fn is_daemon(&self) -> bool {
        matches!(self, Self::Starter(_))
    }

    fn tell_started(&mut self, screen: String) {
        match self {
            Self::Terminal { quiet: true } => {}
            Self::Terminal { quiet: false } => log::print(&format!("{screen}\n")),
            Self::Starter(_) => self.tell(&Start::Done(screen)),
        }
    }

    /// Tells the command that waits, once.
    pub(crate) fn tell(&mut self, message: &Start) {
        if let Self::Starter(starter) = self
            && let Some(mut socket) = starter.take()
        {
            let _ = socket.write_all(&line(message));
        }
    }
}
