//! The life of the daemon: follow, gather, check, act, and end when told to.

use super::action::{Actions, Happening, run_for};
use super::args::Sources;
use super::config::{Check, Options};
use super::report::{Event, Reporter};
use crate::change::ChangeSet;
use crate::monitor::Monitor;
use crate::source::StartError;
use sd_notify::NotifyState;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use workyard_daemon::ExitStatus;
use workyard_planted::planted;

/// How long the first reading of all content may hold up the start.
const FIRST_READING: Duration = Duration::from_secs(2);
/// How often a check is begun again because files change during it.
const CHECKS_MAX: usize = 5;

/// What asks the daemon to do something else.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Stop,
    Reload,
}

/// How the treatment of a set ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All was done.
    Done,
    /// The check failed: nothing was done.
    Refused,
    /// An action failed.
    Failed,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }
}

/// Follows until a signal or, with `--once`, until something has changed.
///
/// # Errors
/// When it cannot start.
pub(crate) async fn live(mut sources: Sources) -> anyhow::Result<ExitStatus> {
    let (reporter, _lines) = Reporter::new(sources.modes.json);
    let mut signals = Signals::new()?;
    let monitor = start(&sources.options, &reporter).await?;
    let actions = Actions::new(&sources.options.actions, sources.modes.json);
    let pending = ChangeSet::default();
    let mut life =
        Life { monitor, actions, pending, reporter: reporter.clone(), sources: &mut sources };
    let ended = life.run(&mut signals).await;
    notify(&[NotifyState::Stopping]);
    reporter.say(&Event::Stopping);
    tokio::select! {
        () = life.actions.stop() => {}
        // A second Ctrl-C means now: what runs is killed.
        _ = signals.interrupt.recv() => {}
    }
    Ok(ended)
}

async fn start(options: &Options, reporter: &Reporter) -> Result<Monitor, StartError> {
    let listener = reporter.clone();
    let builder = options.builder();
    let builder = builder.on_notice(move |notice| listener.say(&Event::Notice(notice)));
    let mut monitor = builder.start().await?;
    // Content that is not known yet makes a change of a touch; large trees take longer than that.
    let _ = tokio::time::timeout(FIRST_READING, monitor.read_all()).await;
    let (files, paths) = (monitor.files(), options.paths());
    reporter.say(&Event::Ready { files, paths });
    Ok(monitor)
}

struct Life<'a> {
    monitor: Monitor,
    actions: Actions,
    /// What was changed and not acted upon with success.
    pending: ChangeSet,
    reporter: Reporter,
    sources: &'a mut Sources,
}

impl Life<'_> {
    async fn run(&mut self, signals: &mut Signals) -> ExitStatus {
        if !self.sources.modes.dry_run {
            tokio::select! {
                () = self.start_programs() => {}
                Asked::Stop = signals.next() => return ExitStatus::Drained,
            }
        }
        notify(&[NotifyState::Ready]);
        loop {
            let set = tokio::select! {
                set = self.monitor.next() => set,
                (index, happening) = self.actions.tend() => {
                    self.happened(index, happening).await;
                    continue;
                }
                asked = signals.next() => match asked {
                    Asked::Stop => return ExitStatus::Drained,
                    Asked::Reload => {
                        self.reload().await;
                        continue;
                    }
                },
            };
            let Some(set) = set else { return ExitStatus::Failed };
            let outcome = tokio::select! {
                outcome = self.treat(set) => outcome,
                () = stop(signals) => return ExitStatus::Drained,
            };
            self.tell_status(outcome);
            match (self.sources.modes.once, outcome) {
                (true, Outcome::Done) => return ExitStatus::Drained,
                (true, _) => return ExitStatus::Failed,
                (false, Outcome::Failed) => self.monitor.failed(),
                (false, _) => {}
            }
        }
    }

    /// Checks and acts. What was not acted upon with success stays pending.
    async fn treat(&mut self, set: ChangeSet) -> Outcome {
        self.reporter.say(&Event::Changed(&set));
        self.pending.merge(set);
        let check = self.sources.options.check.clone();
        if self.sources.modes.dry_run {
            self.say_what_would_be(check.as_ref());
            self.pending = ChangeSet::default();
            return Outcome::Done;
        }
        if let Some(check) = check
            && !self.check(&check).await
        {
            if planted!("refused-change-is-forgotten") {
                self.pending = ChangeSet::default();
            }
            return Outcome::Refused;
        }
        for index in 0..self.actions.len() {
            if !self.act(index).await {
                return Outcome::Failed;
            }
        }
        self.pending = ChangeSet::default();
        Outcome::Done
    }

    /// Whether what is pending may be acted upon, also what changes while it is checked.
    async fn check(&mut self, check: &Check) -> bool {
        for _ in 0..CHECKS_MAX {
            let begin = Instant::now();
            let result = run_for(&check.command, &self.pending, check.each, check.timeout).await;
            // What failed may have been half of something that is whole by now.
            if let Some(more) = self.monitor.more().await
                && !planted!("change-during-check-is-not-checked")
            {
                self.reporter.say(&Event::ChangedMeanwhile(&more));
                self.pending.merge(more);
                continue;
            }
            match result {
                Ok(_) => self.reporter.say(&Event::CheckPassed(begin.elapsed())),
                Err(error) => {
                    let (reason, output) = (&error.to_string(), error.output());
                    self.reporter.say(&Event::CheckFailed { reason, output });
                    return false;
                }
            }
            return true;
        }
        let reason = "files changed during each of five checks; exclude what the check writes";
        self.reporter.say(&Event::CheckFailed { reason, output: "" });
        false
    }

    async fn act(&mut self, index: usize) -> bool {
        let (action, begin) = (self.actions.describe(index), Instant::now());
        match self.actions.act(index, &self.pending).await {
            Ok(text) => {
                let took = begin.elapsed();
                self.reporter.say(&Event::Acted { action: &action, text: &text, took });
                true
            }
            Err(error) => {
                let (reason, output) = (&error.to_string(), error.output());
                self.reporter.say(&Event::ActionFailed { action: &action, reason, output });
                false
            }
        }
    }

    fn say_what_would_be(&self, check: Option<&Check>) {
        if let Some(check) = check {
            self.reporter.say(&Event::WouldAct { action: &format!("check by {}", check.command) });
        }
        for index in 0..self.actions.len() {
            self.reporter.say(&Event::WouldAct { action: &self.actions.describe(index) });
        }
    }

    async fn start_programs(&mut self) {
        let begin = Instant::now();
        for (index, result) in self.actions.start().await {
            self.tell_started(index, result, begin);
        }
    }

    async fn happened(&mut self, index: usize, happening: Happening) {
        match happening {
            Happening::Ended(status, again) => {
                let (action, status) = (&self.actions.describe(index), &status.to_string());
                self.reporter.say(&Event::ProgramEnded { action, status, again });
            }
            Happening::Again => {
                let begin = Instant::now();
                let result = self.actions.start_again(index).await;
                self.tell_started(index, result, begin);
            }
        }
    }

    fn tell_started(
        &self,
        index: usize,
        result: Result<String, super::action::ActionError>,
        begin: Instant,
    ) {
        let (action, took) = (&self.actions.describe(index), begin.elapsed());
        match result {
            Ok(text) => self.reporter.say(&Event::Acted { action, text: &text, took }),
            Err(error) => {
                let reason = &error.to_string();
                self.reporter.say(&Event::ActionFailed { action, reason, output: "" });
            }
        }
    }

    /// Takes the settings of the file as they are now. What was pending stays so.
    async fn reload(&mut self) {
        notify(&[NotifyState::Reloading]);
        match self.take_settings().await {
            Ok(()) => self.reporter.say(&Event::Settings(Ok(()))),
            Err(error) => self.reporter.say(&Event::Settings(Err(&format!("{error:#}")))),
        }
        notify(&[NotifyState::Ready]);
    }

    async fn take_settings(&mut self) -> anyhow::Result<()> {
        let options = self.sources.reload()?;
        let monitor = start(&options, &self.reporter).await?;
        // What the old one has gathered until now would be lost with it.
        if let Some(more) = self.monitor.more().await {
            self.pending.merge(more);
        }
        self.monitor = monitor;
        let other_actions = options.actions != self.sources.options.actions;
        self.sources.options = options;
        if other_actions {
            self.actions.stop().await;
            self.actions = Actions::new(&self.sources.options.actions, self.sources.modes.json);
            self.start_programs().await;
        }
        Ok(())
    }

    fn tell_status(&self, outcome: Outcome) {
        let text = match outcome {
            Outcome::Done => "the last change was acted upon",
            Outcome::Refused => "the last check failed: nothing was done",
            Outcome::Failed => "the last action failed",
        };
        notify(&[NotifyState::Status(text)]);
    }
}

/// Waits until the end is asked for; other requests can wait until what is under way is done.
async fn stop(signals: &mut Signals) {
    tokio::select! {
        _ = signals.terminate.recv() => {}
        _ = signals.interrupt.recv() => {}
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the supervisor was not told");
    }
}
