//! A worker process: what it is, whom it runs as, and its worker, until that has stopped.

mod orders;
mod privileges;
mod voice;
mod watchdog;

pub(crate) use privileges::{Identity, present_user, user_of};

use crate::address::Address;
use crate::exit::WORKER_FAILED;
use crate::files::{Files, Program};
use crate::handover::{self, Assignment};
use crate::log;
use crate::messages::FromWorker;
use crate::service::{AnyWorker, Served, Service, Start};
use crate::socket::Listening;
use anyhow::{Context, bail, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, oneshot};
use voice::Voice;
use watchdog::Turn;

/// Tasks that block get so long to end when the worker has.
const BLOCKING_TASKS_WAIT: Duration = Duration::from_millis(100);

/// What a process has to serve with.
struct Mission {
    worker: Box<dyn AnyWorker>,
    id: u16,
    socket: Option<Listening>,
    stop_timeout: Duration,
}

/// Runs one worker of the service, as the supervisor says.
pub(crate) fn run(service: Service, supervisor: UnixStream) -> ExitCode {
    // Whoever was started and then left alone has nothing to do and nobody to tell.
    let Ok((assignment, fd)) = handover::receive(&supervisor) else { return WORKER_FAILED.into() };
    let Ok(spoken) = supervisor.try_clone() else { return WORKER_FAILED.into() };
    let turn = Turn::new();
    let stop_timeout = stop_timeout(&service, &assignment);
    let voice = Voice::start(spoken, turn.clone(), stop_timeout);
    let result = begin(service, &assignment, fd, stop_timeout)
        .and_then(|mission| serve(mission, supervisor, &voice, turn));
    let code = match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            voice.say(FromWorker::Failed(format!("{error:#}")));
            WORKER_FAILED.into()
        }
    };
    voice.end();
    code
}

fn stop_timeout(service: &Service, assignment: &Assignment) -> Duration {
    let worker = service.workers.get(assignment.worker);
    worker.map_or(Duration::ZERO, |worker| service.options.stop_timeout_of(worker.settings()))
}

/// Opens the log while that is allowed, finds the worker, and gives up privileges.
fn begin(
    service: Service,
    assignment: &Assignment,
    fd: Option<OwnedFd>,
    stop_timeout: Duration,
) -> anyhow::Result<Mission> {
    let program = Program::find(service.options.name.as_deref())?;
    let files = Files::of(&program, &service.options);
    log::start(&files.log, assignment.daemon)?;
    let worker = find(service, assignment)?;
    let settings = worker.settings();
    let address = settings.listen.clone().transpose()?;
    let socket = match (&address, fd) {
        (Some(address), Some(fd)) => Some(Listening::from_fd(address, fd)),
        (None, None) => None,
        _ => bail!("the supervisor and this worker do not agree on its socket"),
    };
    raise_descriptor_limit();
    Identity::find(settings)?.assume()?;
    Ok(Mission { worker, id: assignment.id, socket, stop_timeout })
}

/// As many descriptors as a process may have: each connection takes one.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// The program may have been replaced by one that has other workers.
fn find(service: Service, assignment: &Assignment) -> anyhow::Result<Box<dyn AnyWorker>> {
    let Assignment { name, listen, .. } = assignment;
    let worker = service.workers.into_iter().nth(assignment.worker);
    let worker = worker.with_context(|| {
        format!("the program has no worker {name:?} any more: it needs a restart, not a reload")
    })?;
    let settings = worker.settings();
    ensure!(
        settings.name == *name,
        "the program's worker is {:?} and no longer {name:?}: it needs a restart, not a reload",
        settings.name,
    );
    let present = settings.listen.clone().transpose()?.as_ref().map(Address::to_string);
    ensure!(
        present == *listen,
        "worker {name:?} was moved from {} to {}: it needs a restart, not a reload",
        listen.as_deref().unwrap_or("none"),
        present.as_deref().unwrap_or("none"),
    );
    Ok(worker)
}

fn serve(
    mission: Mission,
    supervisor: UnixStream,
    voice: &Rc<Voice>,
    turn: Turn,
) -> anyhow::Result<()> {
    let Mission { worker, id, socket, stop_timeout } = mission;
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let reloadable = worker.settings().reloadable;
    let (sender, orders) = mpsc::unbounded_channel();
    let (ready, is_ready) = oneshot::channel();
    let (leaving, is_leaving) = oneshot::channel();
    let sockets = socket.into_iter().collect();
    let start = Start { id, sockets, orders, stop_timeout, ready, leaving };
    let served = runtime.block_on(async {
        orders::take(supervisor, sender, Rc::clone(voice), reloadable)?;
        let teller = Rc::clone(voice);
        tokio::task::spawn_local(async move {
            if is_ready.await.is_ok() {
                teller.say(FromWorker::Ready);
            }
            if let Ok(graceful) = is_leaving.await {
                teller.say(FromWorker::Leaving { graceful });
            }
        });
        tokio::task::spawn_local(turn.keep_turning());
        anyhow::Ok(worker.serve(start).await)
    })?;
    runtime.shutdown_timeout(BLOCKING_TASKS_WAIT);
    match served {
        Served::Stopped => Ok(()),
        Served::NotStarted(reason) | Served::Failed(reason) => bail!("{reason}"),
    }
}
