//! The life of the daemon: follow, gather, check, act, and end when told to.

use super::action::{Actions, Happening, later};
use super::args::Sources;
use super::config::{Check, Options};
use super::ending::Endings;
use super::pending::Pending;
use super::report::{Event, Reporter};
use crate::change::ChangeSet;
use crate::monitor::Monitor;
use crate::source::StartError;
use sd_notify::NotifyState;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use workyard_daemon::ExitStatus;
use workyard_planted::planted;

/// How long the first reading of all content may hold up the start.
const FIRST_READING: Duration = Duration::from_secs(2);
/// How often a check is begun again because files change during it.
const CHECKS_MAX: usize = 5;
/// How often in a row files may change while actions run, until that is told and slowed down.
const ROUNDS_MAX: u32 = 5;
/// The first wait then; doubled each time.
const REST: Duration = Duration::from_secs(1);
/// What an action wrote last, or had written, may be heard of so long after its end.
const HEARD_LATE: Duration = Duration::from_millis(50);
/// How often it is looked for changes while a program is started.
const CHANGES_LOOKED_FOR: Duration = Duration::from_millis(500);

/// How the treatment of a set ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All was done.
    Done,
    /// Nothing was left to be done.
    Nothing,
    /// The check failed: nothing was done.
    Refused,
    /// An action failed.
    Failed,
    /// Files changed before the last action was over: all is to be checked and done again.
    Changed,
}

/// Follows until a signal or, with `--once`, until something has changed.
///
/// # Errors
/// When it cannot start.
pub(crate) async fn live(mut sources: Sources) -> anyhow::Result<ExitCode> {
    let (reporter, _lines) = Reporter::new(sources.modes.json);
    let once = sources.modes.once;
    let (mut endings, mut reloads) = (Endings::new()?, signal(SignalKind::hangup())?);
    let monitor = tokio::select! {
        monitor = start(&sources.options, &reporter) => monitor?,
        ending = endings.next() => {
            reporter.say(&Event::Stopping);
            return Ok(ending.code(once));
        }
    };
    let mut life = Life::new(monitor, &mut sources, reporter.clone());
    // Whatever it waits for may be given up: what runs then is known to the life, and ended below.
    let code = tokio::select! {
        biased;
        ending = endings.next() => ending.code(once),
        ended = life.run(&mut reloads) => ended.into(),
    };
    notify(&[NotifyState::Stopping]);
    reporter.say(&Event::Stopping);
    tokio::select! {
        () = life.actions.stop() => {}
        // A second Ctrl-C means now: what runs is killed.
        () = endings.interrupted() => {}
    }
    Ok(code)
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
    pending: Pending,
    reporter: Reporter,
    sources: &'a mut Sources,
    /// When what is pending is treated again without a change.
    again_at: Option<Instant>,
    /// When the last action ended, if well.
    acted_at: Option<Instant>,
    /// How often in a row files changed while actions ran.
    rounds: u32,
}

impl<'a> Life<'a> {
    fn new(monitor: Monitor, sources: &'a mut Sources, reporter: Reporter) -> Self {
        let actions = Actions::new(&sources.options.actions, sources.modes.json);
        let (again_at, acted_at, rounds) = (None, None, 0);
        let pending = Pending::default();
        Self { monitor, actions, pending, reporter, sources, again_at, acted_at, rounds }
    }

    async fn run(&mut self, reloads: &mut Signal) -> ExitStatus {
        self.begin();
        let mut is_ready = false;
        loop {
            if !is_ready && !self.actions.are_coming_up() {
                notify(&[NotifyState::Ready]);
                is_ready = true;
            }
            let set = tokio::select! {
                biased;
                _ = reloads.recv() => self.reload().await,
                (index, happening) = self.actions.tend() => {
                    self.happened(index, happening);
                    continue;
                }
                () = until(self.again_at) => Some(ChangeSet::default()),
                set = self.monitor.next() => match set {
                    Some(set) => Some(set),
                    None => return ExitStatus::Failed,
                },
            };
            let Some(set) = set else { continue };
            if let Some(ended) = self.go_round(set).await {
                return ended;
            }
        }
    }

    /// Has the programs started, when they shall run.
    fn begin(&mut self) {
        if !self.sources.modes.dry_run {
            self.actions.begin();
        }
    }

    /// Treats a set, and draws the conclusions: what the process ends with, if it does.
    async fn go_round(&mut self, set: ChangeSet) -> Option<ExitStatus> {
        let first_sign = set.gathered() + HEARD_LATE;
        let while_acting = self.acted_at.take().is_some_and(|at| at.elapsed() <= first_sign);
        self.again_at = None;
        let outcome = self.treat(set).await;
        self.tell_status(outcome);
        self.rounds = match outcome {
            Outcome::Changed => self.rounds.saturating_add(1),
            Outcome::Done if while_acting => self.rounds.saturating_add(1),
            _ => 0,
        };
        let is_restless = self.rounds >= ROUNDS_MAX;
        match outcome {
            Outcome::Failed => self.monitor.failed(),
            Outcome::Changed => self.again_at = Some(Instant::now()),
            Outcome::Done | Outcome::Nothing | Outcome::Refused => {}
        }
        if is_restless {
            self.rest();
        }
        match (self.sources.modes.once, outcome) {
            (true, Outcome::Done) => Some(ExitStatus::Drained),
            (true, Outcome::Failed | Outcome::Refused) => Some(ExitStatus::Failed),
            (true, Outcome::Changed) if is_restless => Some(ExitStatus::Failed),
            _ => None,
        }
    }

    /// Waits before it acts again, longer each time.
    fn rest(&mut self) {
        self.reporter.say(&Event::Restless(self.rounds));
        self.monitor.failed();
        let rest = later(REST, self.rounds - ROUNDS_MAX);
        self.again_at = self.again_at.map(|at| at + rest);
    }

    /// Checks and acts. What was not acted upon with success stays pending.
    async fn treat(&mut self, set: ChangeSet) -> Outcome {
        if !set.is_empty() {
            self.reporter.say(&Event::Changed(&set));
        }
        self.pending.merge(set);
        let check = self.sources.options.check.clone();
        if self.sources.modes.dry_run {
            self.say_what_would_be(check.as_ref());
            self.pending.clear();
            return Outcome::Done;
        }
        if let Some(check) = check
            && !self.pending.set().is_empty()
            && !self.check(&check).await
        {
            if planted!("refused-change-is-forgotten") {
                self.pending.clear();
            }
            return Outcome::Refused;
        }
        // What has come and gone before anybody was told of it is no change.
        if self.pending.set().is_empty() {
            return Outcome::Nothing;
        }
        self.act_on_all().await
    }

    async fn act_on_all(&mut self) -> Outcome {
        for index in 0..self.actions.len() {
            // What the first actions were not told of was not checked, either.
            if index > 0
                && let Some(more) = self.monitor.more().await
            {
                return self.changed_meanwhile(more);
            }
            match self.act(index).await {
                Outcome::Done => {}
                other => return other,
            }
        }
        self.pending.clear();
        Outcome::Done
    }

    fn changed_meanwhile(&mut self, more: ChangeSet) -> Outcome {
        self.reporter.say(&Event::ChangedMeanwhile(&more));
        self.pending.merge(more);
        Outcome::Changed
    }

    /// Whether what is pending may be acted upon, also what changes while it is checked.
    async fn check(&mut self, check: &Check) -> bool {
        for _ in 0..CHECKS_MAX {
            let (begin, set) = (Instant::now(), self.pending.set());
            let result = self.actions.run(&check.command, set, check.each, check.timeout).await;
            // What failed may have been half of something that is whole by now.
            if let Some(more) = self.monitor.more().await
                && !planted!("change-during-check-is-not-checked")
            {
                self.changed_meanwhile(more);
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

    async fn act(&mut self, index: usize) -> Outcome {
        let (action, begin) = (self.actions.describe(index), Instant::now());
        self.pending.begin();
        self.actions.make_way(index).await;
        let may_be_given_up = self.actions.starts_a_program(index);
        let result = tokio::select! {
            result = self.actions.act(index, self.pending.set()) => result,
            // It may be what mends a program that does not come up.
            more = changed(&mut self.monitor), if may_be_given_up => {
                return self.changed_meanwhile(more);
            }
        };
        match result {
            Ok(text) => {
                self.acted_at = Some(Instant::now());
                let took = begin.elapsed();
                self.reporter.say(&Event::Acted { action: &action, text: &text, took });
                Outcome::Done
            }
            Err(error) => {
                let (reason, output) = (&error.to_string(), error.output());
                self.reporter.say(&Event::ActionFailed { action: &action, reason, output });
                Outcome::Failed
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

    fn happened(&self, index: usize, happening: Happening) {
        let action = &self.actions.describe(index);
        match happening {
            Happening::Started(text, took) => {
                self.reporter.say(&Event::Acted { action, text: &text, took });
            }
            Happening::NotStarted(error) => {
                let reason = &error.to_string();
                self.reporter.say(&Event::ActionFailed { action, reason, output: "" });
            }
            Happening::Ended(status, again) => {
                let status = &status.to_string();
                self.reporter.say(&Event::ProgramEnded { action, status, again });
            }
        }
    }

    /// Takes the settings of the file as they are now. What was pending stays so; what has changed
    /// meanwhile is returned.
    async fn reload(&mut self) -> Option<ChangeSet> {
        notify(&[NotifyState::Reloading]);
        let taken = self.take_settings().await;
        match &taken {
            Ok(_) => self.reporter.say(&Event::Settings(Ok(()))),
            Err(error) => self.reporter.say(&Event::Settings(Err(&format!("{error:#}")))),
        }
        notify(&[NotifyState::Ready]);
        taken.ok().filter(|set| !set.is_empty())
    }

    async fn take_settings(&mut self) -> anyhow::Result<ChangeSet> {
        let options = self.sources.reload()?;
        let mut monitor = start(&options, &self.reporter).await?;
        // What the old one has gathered would be lost with it, and the new one may know of it, too.
        let mut meanwhile = ChangeSet::default();
        for monitor in [&mut self.monitor, &mut monitor] {
            if let Some(more) = monitor.more().await {
                meanwhile.merge(more);
            }
        }
        self.monitor = monitor;
        let other_actions = options.actions != self.sources.options.actions;
        self.sources.options = options;
        if other_actions {
            self.actions.stop().await;
            self.actions = Actions::new(&self.sources.options.actions, self.sources.modes.json);
            self.begin();
        }
        Ok(meanwhile)
    }

    fn tell_status(&self, outcome: Outcome) {
        let text = match outcome {
            Outcome::Done => "the last change was acted upon",
            Outcome::Refused => "the last check failed: nothing was done",
            Outcome::Failed => "the last action failed",
            Outcome::Nothing | Outcome::Changed => return,
        };
        notify(&[NotifyState::Status(text)]);
    }
}

/// Waits for a change; in between, who is waited for at the same time gets its chance.
async fn changed(monitor: &mut Monitor) -> ChangeSet {
    loop {
        tokio::time::sleep(CHANGES_LOOKED_FOR).await;
        if let Some(more) = monitor.more().await {
            return more;
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the supervisor was not told");
    }
}
