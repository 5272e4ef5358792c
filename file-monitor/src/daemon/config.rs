//! Where settings come from: flags over environment over file over defaults.

use super::action::check_trust;
use super::checks;
use super::line::Line;
use super::processes::Process;
use super::signal_name::SignalName;
use crate::monitor::{Monitor, MonitorBuilder};
use crate::source::resolve;
use anyhow::{Context, bail};
use clap::Args;
use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use std::num::NonZeroI32;
use std::path::{Path, PathBuf};
use std::time::Duration;
use workyard_daemon::{LogFormat, Size, Span};

/// The file that is read if it is there and no other is named.
pub(crate) const FILE: &str = "file-monitor.toml";

const CHECK_TIMEOUT: Duration = Duration::from_secs(120);
const RUN_TIMEOUT: Duration = Duration::from_secs(600);
const POST_TIMEOUT: Duration = Duration::from_secs(10);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a program must run to count as started when it has no port, or to be up after a signal.
const ALIVE: Duration = Duration::from_millis(300);

/// Everything that can be set, as flags and as the keys of a file.
#[derive(Clone, Debug, Default, PartialEq, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    /// Directories and files to follow; the current directory if none is named
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only files that match, written as in a .gitignore; may be given several times
    #[arg(long, value_name = "PATTERN")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    include: Vec<String>,
    /// Not files and directories that match; `!` before a pattern takes some back
    #[arg(long, value_name = "PATTERN")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclude: Vec<String>,
    /// What matches counts although it is ignored
    #[arg(long, value_name = "PATTERN")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    always: Vec<String>,
    /// Only files with these extensions, as in `php,html`
    #[arg(long, short, value_name = "EXTENSION", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extensions: Vec<String>,
    /// Whether .gitignore and .ignore are obeyed
    #[arg(long, value_name = "true|false")]
    ignore_files: Option<bool>,
    /// Whether what editors and tools leave behind is ignored, and directories such as .git
    #[arg(long, value_name = "true|false")]
    ignore_droppings: Option<bool>,
    /// Whether symbolic links are looked through
    #[arg(long, value_name = "true|false")]
    follow_links: Option<bool>,
    /// How long it must be quiet before changes are acted upon
    #[arg(long, value_name = "TIME")]
    settle: Option<Span>,
    /// When they are although it is not quiet
    #[arg(long, value_name = "TIME")]
    settle_max: Option<Span>,
    /// The least time from one action to the next
    #[arg(long, value_name = "TIME")]
    interval: Option<Span>,
    /// The wait after a failed action, doubled each further time up to 30s
    #[arg(long, value_name = "TIME")]
    backoff: Option<Span>,
    /// Look again and again instead of being told: where changes come from elsewhere
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    poll: Option<bool>,
    /// How often is looked, where that must be done
    #[arg(long, value_name = "TIME")]
    poll_interval: Option<Span>,
    /// Files at most
    #[arg(long, value_name = "COUNT")]
    files_max: Option<usize>,
    /// Up to which size content is compared
    #[arg(long, value_name = "BYTES")]
    digest_bytes_max: Option<Size>,
    /// What is logged: error, warn, info, debug, trace, or directives
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// How it is logged when nobody looks at a terminal
    #[arg(long, value_enum)]
    log_format: Option<LogFormat>,
    /// What must succeed before anything is done.
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) check: Option<Check>,
    /// What is done, in this order.
    #[arg(skip)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) actions: Vec<Action>,
}

/// A command that must succeed first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    pub(crate) command: Line,
    /// Where it is run: the folder of the file, if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) directory: Option<PathBuf>,
    /// Whether each file gets a command of its own.
    #[serde(default)]
    pub(crate) each: bool,
    #[serde(default = "check_timeout")]
    pub(crate) timeout: Span,
}

/// Something that is done when files have changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    Signal(SignalAction),
    Run(RunAction),
    Restart(RestartAction),
    Publish(PublishAction),
    Post(PostAction),
}

/// A signal to a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignalAction {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pid: Option<NonZeroI32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pid_file: Option<PathBuf>,
    #[serde(default = "usr1")]
    pub(crate) signal: SignalName,
    /// How long after the signal the process must still run.
    #[serde(default = "alive")]
    pub(crate) alive: Span,
}

/// A command that is run to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunAction {
    pub(crate) command: Line,
    /// Where it is run: the folder of the file, if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) directory: Option<PathBuf>,
    #[serde(default)]
    pub(crate) each: bool,
    #[serde(default = "run_timeout")]
    pub(crate) timeout: Span,
}

/// A program that runs all the time, and is stopped and started again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestartAction {
    pub(crate) command: Line,
    /// Where it is run: the folder of the file, if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) directory: Option<PathBuf>,
    #[serde(default = "term")]
    pub(crate) stop_signal: SignalName,
    #[serde(default = "stop_timeout")]
    pub(crate) stop_timeout: Span,
    /// The address, or only the port, that the program listens on: it must be free before the start,
    /// and taken after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<Port>,
    /// How long that may take.
    #[serde(default = "start_timeout")]
    pub(crate) start_timeout: Span,
    /// How long a program without a port must run to count as started.
    #[serde(default = "alive")]
    pub(crate) alive: Span,
}

/// A message to a channel of channel-server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishAction {
    pub(crate) channel: String,
    #[serde(default = "channel_server")]
    pub(crate) server: String,
}

/// A request of HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostAction {
    pub(crate) url: String,
    /// PEM file with the certificates to trust, instead of those that the machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    #[serde(default = "post_timeout")]
    pub(crate) timeout: Span,
}

/// A port on this machine, or an address: `8080`, `"10.0.0.1:8080"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a port is a number, or a text as in \"127.0.0.1:8080\"")]
pub(crate) enum Port {
    Number(u16),
    Address(std::net::SocketAddr),
}

impl Options {
    /// Takes from `lower` what is missing here.
    pub(crate) fn or(self, lower: Self) -> Self {
        Self {
            paths: first(self.paths, lower.paths),
            include: first(self.include, lower.include),
            exclude: first(self.exclude, lower.exclude),
            always: first(self.always, lower.always),
            extensions: first(self.extensions, lower.extensions),
            ignore_files: self.ignore_files.or(lower.ignore_files),
            ignore_droppings: self.ignore_droppings.or(lower.ignore_droppings),
            follow_links: self.follow_links.or(lower.follow_links),
            settle: self.settle.or(lower.settle),
            settle_max: self.settle_max.or(lower.settle_max),
            interval: self.interval.or(lower.interval),
            backoff: self.backoff.or(lower.backoff),
            poll: self.poll.or(lower.poll),
            poll_interval: self.poll_interval.or(lower.poll_interval),
            files_max: self.files_max.or(lower.files_max),
            digest_bytes_max: self.digest_bytes_max.or(lower.digest_bytes_max),
            log: self.log.or(lower.log),
            log_format: self.log_format.or(lower.log_format),
            check: self.check.or(lower.check),
            actions: first(self.actions, lower.actions),
        }
    }

    /// What holds when nothing is set.
    pub(crate) fn defaults() -> Self {
        let time = |milliseconds| Some(Span::from(Duration::from_millis(milliseconds)));
        Self {
            paths: vec![PathBuf::from(".")],
            ignore_files: Some(true),
            ignore_droppings: Some(true),
            follow_links: Some(false),
            settle: time(50),
            settle_max: time(5000),
            interval: time(200),
            backoff: time(1000),
            poll: Some(false),
            poll_interval: time(1000),
            files_max: Some(crate::limits::FILES_MAX),
            digest_bytes_max: usize::try_from(crate::limits::DIGEST_BYTES_MAX).ok().map(Size::from),
            log: Some("info".to_owned()),
            log_format: Some(LogFormat::Text),
            ..Self::default()
        }
    }

    /// Reads a file. Relative paths in it begin at its directory.
    ///
    /// # Errors
    /// When it cannot be read or is wrong.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the configuration file {}", file.display()))?;
        let wrong = || format!("the configuration file {} is wrong", file.display());
        let mut options: Self = toml::from_str(&text).with_context(wrong)?;
        options.check().with_context(wrong)?;
        if let Some(folder) = file.parent() {
            options.begin_at(folder);
        }
        Ok(options)
    }

    /// The same with absolute paths, for a file that may be put anywhere.
    ///
    /// # Errors
    /// When there is no current directory.
    pub(crate) fn absolute(mut self) -> anyhow::Result<Self> {
        self.begin_at(&std::env::current_dir().context("there is no current directory")?);
        Ok(self)
    }

    fn begin_at(&mut self, folder: &Path) {
        for path in &mut self.paths {
            *path = below(folder, path);
        }
        for (directory, command) in self.commands() {
            let place = below(folder, directory.as_deref().unwrap_or(Path::new("")));
            if !place.as_os_str().is_empty() {
                command.run_in(place.clone());
                *directory = Some(place);
            }
        }
        for action in &mut self.actions {
            if let Action::Signal(SignalAction { pid_file: Some(path), .. })
            | Action::Post(PostAction { ca: Some(path), .. }) = action
            {
                *path = below(folder, path);
            }
        }
    }

    /// What is run, and where.
    fn commands(&mut self) -> impl Iterator<Item = (&mut Option<PathBuf>, &mut Line)> {
        let check = self.check.iter_mut().map(|check| (&mut check.directory, &mut check.command));
        let actions = self.actions.iter_mut().filter_map(|action| match action {
            Action::Run(action) => Some((&mut action.directory, &mut action.command)),
            Action::Restart(action) => Some((&mut action.directory, &mut action.command)),
            _ => None,
        });
        check.chain(actions)
    }

    /// What no type says, of these settings alone.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.check.as_ref().map_or(Ok(()), checks::check)?;
        self.actions.iter().try_for_each(checks::action)
    }

    /// What can only be said when all is known.
    pub(crate) fn check_whole(&self) -> anyhow::Result<()> {
        self.check()?;
        super::log_filter(self.log().0)?;
        Ok(self.builder().check()?)
    }

    /// What can be right today and wrong tomorrow: whether what is named is there.
    pub(crate) fn check_surroundings(&self) -> anyhow::Result<()> {
        resolve(&self.paths)?;
        for (directory, command) in self.clone().commands() {
            if let Some(directory) = directory.as_ref().filter(|directory| !directory.is_dir()) {
                bail!("{} is no directory: {command} cannot be run there", directory.display());
            }
        }
        for action in &self.actions {
            if let Action::Post(post) = action {
                check_trust(post)?;
            }
            let Action::Signal(SignalAction { pid: Some(pid), .. }) = action else { continue };
            let process = Pid::from_raw(pid.get()).and_then(Process::look);
            // Whoever gets that number later is another.
            if !process.is_some_and(|process| process.runs()) {
                bail!("process {pid} does not run: the action `signal` has nobody to send it to");
            }
        }
        Ok(())
    }

    pub(crate) fn has_program(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Restart(_)))
    }

    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    pub(crate) fn log(&self) -> (&str, LogFormat) {
        (self.log.as_deref().unwrap_or("info"), self.log_format.unwrap_or(LogFormat::Text))
    }

    /// A monitor as it is set here.
    pub(crate) fn builder(&self) -> MonitorBuilder {
        let mut builder = Monitor::builder();
        builder = self.paths.iter().fold(builder, MonitorBuilder::path);
        builder = self.include.iter().fold(builder, MonitorBuilder::include);
        builder = self.exclude.iter().fold(builder, MonitorBuilder::exclude);
        builder = self.always.iter().fold(builder, MonitorBuilder::always);
        for extension in &self.extensions {
            builder = builder.extension(extension.trim_start_matches('.'));
        }
        let span =
            |builder, set: fn(MonitorBuilder, Duration) -> MonitorBuilder, span: Option<Span>| {
                match span {
                    Some(span) => set(builder, span.duration()),
                    None => builder,
                }
            };
        builder = span(builder, MonitorBuilder::settle, self.settle);
        builder = span(builder, MonitorBuilder::settle_max, self.settle_max);
        builder = span(builder, MonitorBuilder::interval, self.interval);
        builder = span(builder, MonitorBuilder::backoff, self.backoff);
        builder = span(builder, MonitorBuilder::poll_interval, self.poll_interval);
        if let Some(files_max) = self.files_max {
            builder = builder.files_max(files_max);
        }
        if let Some(size) = self.digest_bytes_max {
            builder = builder.digest_bytes_max(size.bytes() as u64);
        }
        builder
            .ignore_files(self.ignore_files.unwrap_or(true))
            .ignore_droppings(self.ignore_droppings.unwrap_or(true))
            .follow_links(self.follow_links.unwrap_or(false))
            .poll(self.poll.unwrap_or(false))
    }
}

fn first<T>(own: Vec<T>, lower: Vec<T>) -> Vec<T> {
    if own.is_empty() { lower } else { own }
}

fn below(folder: &Path, path: &Path) -> PathBuf {
    folder.join(path).components().collect()
}

pub(crate) fn check_timeout() -> Span {
    CHECK_TIMEOUT.into()
}

pub(crate) fn run_timeout() -> Span {
    RUN_TIMEOUT.into()
}

fn post_timeout() -> Span {
    POST_TIMEOUT.into()
}

pub(crate) fn stop_timeout() -> Span {
    STOP_TIMEOUT.into()
}

pub(crate) fn start_timeout() -> Span {
    START_TIMEOUT.into()
}

pub(crate) fn alive() -> Span {
    ALIVE.into()
}

fn usr1() -> SignalName {
    SignalName::USR1
}

fn term() -> SignalName {
    SignalName::TERM
}

fn channel_server() -> String {
    "127.0.0.1:2206".to_owned()
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}
