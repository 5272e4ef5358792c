//! The supervisor: keeps the sockets, starts and replaces worker processes, serves nobody.

mod changes;
mod endpoint;
mod process;
mod roster;
mod signals;
mod sockets;
mod start;
mod status;

pub(crate) use start::{Audience, Refused, prepare};

use crate::exit;
use crate::files::{Files, Program};
use crate::handover::Assignment;
use crate::log;
use crate::messages::{FromWorker, Reply, Request, ToWorker};
use crate::service::{Callbacks, Options};
use crate::settings::Settings;
use changes::Changes;
use endpoint::Endpoint;
use process::Process;
use roster::{Action, Outcome, Pace, Place, Roster, Token, Told};
use sd_notify::NotifyState;
use signals::{Signals, Wish};
use sockets::Sockets;
use start::{Ended, Starting};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, oneshot};
use workyard_file_monitor::ChangeSet;

/// How often the log's length is looked at.
const LOG_LOOK: Duration = Duration::from_secs(10);
/// Answers to commands are written by tasks of their own, which get so long to do it in the end.
const ANSWERS_WAIT: Duration = Duration::from_millis(10);

/// What happens to the supervisor.
#[derive(Debug)]
enum Event {
    Said(Token, FromWorker),
    Exited(Token, ExitStatus),
    /// A process could not be started.
    NotSpawned(Token),
    Asked(Request, oneshot::Sender<Reply>),
}

pub(crate) struct Supervisor {
    program: Program,
    files: Files,
    options: Options,
    callbacks: Callbacks,
    settings: Vec<Settings>,
    sockets: Sockets,
    roster: Roster,
    processes: BTreeMap<Token, Process>,
    /// How often processes of a worker ended in which way.
    exits: BTreeMap<(usize, String), u64>,
    /// Who waits for the end of which reload.
    reloads: Vec<(u64, oneshot::Sender<Reply>)>,
    /// Files that are followed for reloads.
    changes: Changes,
    events: mpsc::UnboundedSender<Event>,
    audience: Audience,
    starting: Starting,
    began: Instant,
    began_at: SystemTime,
}

impl Supervisor {
    /// Supervises until all processes have ended because they were told to.
    async fn run(
        mut self,
        endpoint: Endpoint,
        mut signals: Signals,
        mut events: mpsc::UnboundedReceiver<Event>,
    ) -> Ended {
        let sender = self.events.clone();
        let mut log_look = tokio::time::interval(LOG_LOOK);
        self.roster.start(self.now());
        while !self.act() {
            let due = self.roster.next_deadline().map(|due| self.began + due);
            tokio::select! {
                Some(event) = events.recv() => self.handle(event),
                (name, wish) = signals.next() => self.obey(name, wish),
                () = endpoint.accept(&sender) => {}
                set = self.changes.next() => self.changed(&set),
                () = sleep_until(due) => self.roster.tick(self.now()),
                _ = log_look.tick() => {
                    let _ = log::bound(&self.files.log);
                }
            }
        }
        tokio::time::sleep(ANSWERS_WAIT).await;
        self.end()
    }

    /// When all processes have ended.
    fn end(mut self) -> Ended {
        if let Some(callback) = &mut self.callbacks.stop {
            call("on_supervisor_stop", callback);
        }
        self.note("has been stopped");
        Ended { starting: self.starting, audience: self.audience }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn note(&self, text: &str) {
        tracing::info!("{} {text}", self.program.label());
    }

    /// Does what the roster has decided; tells whether that was all.
    fn act(&mut self) -> bool {
        let mut finished = false;
        loop {
            let actions = self.roster.take_actions();
            if actions.is_empty() {
                return finished;
            }
            for action in actions {
                finished |= action == Action::Finished;
                // What is done here may make the roster decide more.
                self.perform(action);
            }
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Spawn { token, place } => self.spawn(token, place),
            Action::Tell { token, what } => self.tell(token, what),
            Action::Kill { token } => self.kill(token),
            Action::Started => self.started(),
            Action::StartFailed { token: _, place } => self.start_failed(place),
            Action::Reloaded { pass, outcome } => self.reloaded(pass, outcome),
            Action::Finished => {}
        }
    }

    fn spawn(&mut self, token: Token, place: Place) {
        let assignment = Assignment {
            worker: place.worker,
            name: self.settings[place.worker].name.clone(),
            listen: self.sockets.address(place.worker).map(ToString::to_string),
            id: place.id,
            daemon: self.audience.is_daemon(),
        };
        let socket = self.sockets.of(place);
        match Process::start(&self.program, token, &assignment, socket, &self.events) {
            Ok(process) => {
                self.processes.insert(token, process);
            }
            Err(error) => {
                let reason = format!("{}: {error}", self.program.path.display());
                tracing::error!("worker {} cannot be started: {reason}", assignment.name);
                self.starting.failures.insert(place, reason);
                let _ = self.events.send(Event::NotSpawned(token));
            }
        }
    }

    fn tell(&mut self, token: Token, what: Told) {
        let Some(process) = self.processes.get_mut(&token) else { return };
        let message = match what {
            Told::Stop => ToWorker::Stop,
            Told::StopGracefully => ToWorker::StopGracefully,
            Told::Reloaded => ToWorker::Reloaded,
        };
        process.leaving |= what != Told::Reloaded;
        process.tell(message);
    }

    fn kill(&mut self, token: Token) {
        let Some(process) = self.processes.get_mut(&token) else { return };
        let name = &self.settings[process.place.worker].name;
        tracing::warn!("worker[{name}:{}] does not end and is killed", process.pid);
        process.kill();
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Said(token, message) => self.hear(token, message),
            Event::Exited(token, status) => self.exited(token, status),
            Event::NotSpawned(token) => self.roster.exited(token, self.now()),
            Event::Asked(Request::Status, reply) => self.report_status(reply),
            Event::Asked(Request::Connections, reply) => self.report_connections(reply),
            Event::Asked(Request::Stop { graceful }, reply) => {
                let pace = if graceful { Pace::Gracefully } else { Pace::Soon };
                self.stop(pace);
                let _ = reply.send(Reply::Stopping { milliseconds_max: self.stop_max(pace) });
            }
            Event::Asked(Request::Reload { graceful }, reply) => {
                let pace = if graceful { Pace::Gracefully } else { Pace::Soon };
                let pass = self.reload(pace);
                self.reloads.push((pass, reply));
            }
        }
    }

    fn hear(&mut self, token: Token, message: FromWorker) {
        let now = self.now();
        let Some(process) = self.processes.get_mut(&token) else { return };
        match message {
            FromWorker::Ready => {
                process.ready = true;
                self.roster.ready(token, now);
            }
            FromWorker::Leaving { graceful } => {
                process.accepts_no_more = true;
                let pace = if graceful { Pace::Gracefully } else { Pace::Soon };
                self.roster.leaves(token, pace, now);
            }
            FromWorker::Failed(reason) => process.failure = Some(reason),
            FromWorker::Reload => self.roster.reload_one(token, now),
            FromWorker::Status(answer) => process.answer_status(&answer),
            FromWorker::Connections(answer) => process.answer_connections(&answer),
            FromWorker::Busy(busy) => {
                process.busy.replace(Some(busy));
            }
        }
    }

    fn exited(&mut self, token: Token, status: ExitStatus) {
        let Some(process) = self.processes.remove(&token) else { return };
        let (place, pid) = (process.place, process.pid);
        let name = &self.settings[place.worker].name;
        let text = exit::describe(status);
        if !status.success() {
            tracing::info!("worker[{name}:{pid}] exit with status {text}");
        }
        let reason = process.failure.unwrap_or_else(|| format!("exit status {text}"));
        self.starting.failures.insert(place, reason);
        if !process.leaving || !status.success() {
            *self.exits.entry((place.worker, text)).or_default() += 1;
        }
        if let Some(callback) = &mut self.callbacks.worker_exit {
            call("on_worker_exit", || callback(name, place.id, pid, status));
        }
        self.roster.exited(token, self.now());
    }

    fn obey(&mut self, name: &str, wish: Wish) {
        self.note(&format!("received signal {name}"));
        match wish {
            Wish::Stop(pace) => self.stop(pace),
            Wish::Interrupt => {
                let pace = self.roster.interrupt(self.now());
                self.stop(pace);
            }
            Wish::Reload(pace) => {
                self.reload(pace);
            }
        }
    }

    fn stop(&mut self, pace: Pace) {
        self.note("stopping");
        notify(&[NotifyState::Stopping]);
        self.roster.stop(pace, self.now());
    }

    /// How long it can take until all have stopped.
    fn stop_max(&self, pace: Pace) -> Option<u64> {
        let timeouts = self.settings.iter().map(|settings| self.options.stop_timeout_of(settings));
        let longest = timeouts.max().unwrap_or_default();
        (pace != Pace::Gracefully).then(|| u64::try_from(longest.as_millis()).unwrap_or(u64::MAX))
    }

    fn reload(&mut self, pace: Pace) -> u64 {
        self.note("reloading");
        notify_reloading();
        if let Some(callback) = &mut self.callbacks.reload {
            call("on_supervisor_reload", callback);
        }
        self.roster.reload(pace, self.now())
    }

    fn changed(&mut self, set: &ChangeSet) {
        self.note(&set.to_string());
        let pass = self.reload(Pace::Soon);
        self.changes.reloading(pass);
    }

    fn reloaded(&mut self, pass: u64, outcome: Outcome) {
        notify(&[NotifyState::Ready]);
        self.changes.reloaded(pass, matches!(outcome, Outcome::Done));
        let reply = match outcome {
            Outcome::Done => Reply::Reloaded,
            Outcome::Stopped => Reply::Failed("it was told to stop".to_owned()),
            Outcome::Failed(_, place) => {
                let reason = self.failure(place);
                tracing::error!("the reload has ended: {reason}");
                Reply::Failed(reason)
            }
        };
        let (over, left) = std::mem::take(&mut self.reloads)
            .into_iter()
            .partition(|(waits_for, _)| *waits_for <= pass);
        self.reloads = left;
        let over: Vec<(u64, oneshot::Sender<Reply>)> = over;
        for (_, waiting) in over {
            let _ = waiting.send(reply.clone());
        }
    }

    /// Why the process of a place ended.
    fn failure(&self, place: Place) -> String {
        let name = &self.settings[place.worker].name;
        let reason = self.starting.failures.get(&place).map_or("unknown", String::as_str);
        format!("worker {name:?} process {} did not start: {reason}", place.id)
    }
}

/// A callback that panics does not end the service; the panic itself is logged where it happens.
fn call(name: &'static str, callback: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(callback)).is_err() {
        tracing::error!("{name} panicked");
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Tells systemd, if it has started us.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

fn notify_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}
