//! Where settings come from: flags over environment over file over defaults.

mod quantity;

pub use quantity::{Size, Span};

use crate::address::ListenAddress;
use crate::overrides::Overrides;
use crate::service::Service;
use crate::settings::{LogFormat, Settings, SlowConsumer};
use anyhow::{Context, bail};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that can be set, as flags and as the keys of a file.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, bound = "")]
pub(crate) struct Options<L: Overrides> {
    /// Address to listen on: tcp://HOST:PORT or unix:///PATH; may be given several times
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    listen: Vec<ListenAddress>,
    /// Connections at most
    #[arg(long, value_name = "COUNT")]
    sessions_max: Option<usize>,
    /// Longest frame accepted
    #[arg(long, value_name = "BYTES")]
    frame_bytes_max: Option<Size>,
    /// What may wait to be read by one connection before messages pass it by
    #[arg(long, value_name = "BYTES")]
    write_buffer_bytes_max: Option<Size>,
    /// The same for all connections together
    #[arg(long, value_name = "BYTES")]
    write_buffers_bytes_max: Option<Size>,
    /// What all connections together may hold of unfinished frames
    #[arg(long, value_name = "BYTES")]
    read_buffers_bytes_max: Option<Size>,
    /// What happens to a subscriber that does not keep up
    #[arg(long, value_enum)]
    slow_consumer: Option<SlowConsumer>,
    /// How often either side must be heard
    #[arg(long, value_name = "TIME")]
    heartbeat: Option<Span>,
    /// How long a new connection may take to complete its hello
    #[arg(long, value_name = "TIME")]
    hello_timeout: Option<Span>,
    /// How long a stop may take
    #[arg(long, value_name = "TIME")]
    drain_deadline: Option<Span>,
    /// What is logged: error, warn, info, debug, trace, or directives
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// How it is logged
    #[arg(long, value_enum)]
    log_format: Option<LogFormat>,
    #[command(flatten)]
    limits: L,
}

/// A daemon's command line.
#[derive(Debug, Parser)]
struct Line<L: Overrides> {
    /// Read settings from this TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check flags, environment and file, start nothing
    #[arg(long)]
    check_config: bool,
    /// Print the settings that would be used, start nothing
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    options: Options<L>,
}

/// What to do, as the command line has it.
pub(crate) enum Task<S: Service> {
    /// Say that all is well.
    CheckConfig,
    /// Print the effective settings.
    PrintConfig(String),
    /// Serve.
    Serve(Box<Sources<S>>),
}

/// Resolved settings, and how to resolve them again.
pub(crate) struct Sources<S: Service> {
    pub(crate) settings: Settings,
    pub(crate) limits: S::Limits,
    file: Option<PathBuf>,
    flags: Options<S::Limits>,
}

/// Reads the command line; prints help and usage errors itself and exits then.
pub(crate) fn parse<S: Service>() -> anyhow::Result<Task<S>> {
    let matches = command::<S>().get_matches();
    task(&matches)
}

fn task<S: Service>(matches: &ArgMatches) -> anyhow::Result<Task<S>> {
    let line = Line::<S::Limits>::from_arg_matches(matches)?;
    let effective = layered(line.options.clone(), line.config.as_deref())?;
    let settings = resolve::<S>(&effective)?;
    if line.print_config {
        return Ok(Task::PrintConfig(print(&settings, effective.limits.effective())?));
    }
    if line.check_config {
        return Ok(Task::CheckConfig);
    }
    let limits = effective.limits;
    let (file, flags) = (line.config, line.options);
    Ok(Task::Serve(Box::new(Sources { settings, limits, file, flags })))
}

impl<S: Service> Sources<S> {
    /// Reads the file again.
    ///
    /// # Errors
    /// When it is wrong; what was read before stays in force.
    pub(crate) fn reload(&self) -> anyhow::Result<Settings> {
        resolve::<S>(&layered(self.flags.clone(), self.file.as_deref())?)
    }
}

/// The command with an environment variable for each flag: `CHANNEL_SERVER_LISTEN` and so on.
fn command<S: Service>() -> clap::Command {
    let name = S::KIND.name();
    let prefix = name.to_uppercase().replace('-', "_");
    Line::<S::Limits>::command().name(name).version(S::VERSION).about(S::ABOUT).mut_args(|arg| {
        let id = arg.get_id().as_str().to_uppercase();
        match id.as_str() {
            "CHECK_CONFIG" | "PRINT_CONFIG" | "HELP" | "VERSION" => arg,
            _ => arg.env(format!("{prefix}_{id}")),
        }
    })
}

fn layered<L: Overrides>(flags: Options<L>, file: Option<&Path>) -> anyhow::Result<Options<L>> {
    let Some(path) = file else { return Ok(flags) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration file {}", path.display()))?;
    let lower: Options<L> = toml::from_str(&text)
        .with_context(|| format!("the configuration file {} is wrong", path.display()))?;
    Ok(flags.or(lower))
}

impl<L: Overrides> Options<L> {
    fn or(self, lower: Self) -> Self {
        Self {
            listen: if self.listen.is_empty() { lower.listen } else { self.listen },
            sessions_max: self.sessions_max.or(lower.sessions_max),
            frame_bytes_max: self.frame_bytes_max.or(lower.frame_bytes_max),
            write_buffer_bytes_max: self.write_buffer_bytes_max.or(lower.write_buffer_bytes_max),
            write_buffers_bytes_max: self.write_buffers_bytes_max.or(lower.write_buffers_bytes_max),
            read_buffers_bytes_max: self.read_buffers_bytes_max.or(lower.read_buffers_bytes_max),
            slow_consumer: self.slow_consumer.or(lower.slow_consumer),
            heartbeat: self.heartbeat.or(lower.heartbeat),
            hello_timeout: self.hello_timeout.or(lower.hello_timeout),
            drain_deadline: self.drain_deadline.or(lower.drain_deadline),
            log: self.log.or(lower.log),
            log_format: self.log_format.or(lower.log_format),
            limits: self.limits.or(lower.limits),
        }
    }
}

fn resolve<S: Service>(options: &Options<S::Limits>) -> anyhow::Result<Settings> {
    let listen = match options.listen.as_slice() {
        [] => vec![S::DEFAULT_LISTEN.parse().context("the default address")?],
        addresses => addresses.to_vec(),
    };
    let mut settings = Settings::listening_on(listen);
    set(&mut settings.sessions_max, options.sessions_max);
    set(&mut settings.frame_bytes_max, options.frame_bytes_max.map(Size::bytes));
    set(&mut settings.write_buffer_bytes_max, options.write_buffer_bytes_max.map(Size::bytes));
    set(&mut settings.write_buffers_bytes_max, options.write_buffers_bytes_max.map(Size::bytes));
    set(&mut settings.read_buffers_bytes_max, options.read_buffers_bytes_max.map(Size::bytes));
    set(&mut settings.slow_consumer, options.slow_consumer);
    set(&mut settings.heartbeat, options.heartbeat.map(Span::duration));
    set(&mut settings.hello_timeout, options.hello_timeout.map(Span::duration));
    set(&mut settings.drain_deadline, options.drain_deadline.map(Span::duration));
    set(&mut settings.log, options.log.clone());
    set(&mut settings.log_format, options.log_format);
    check(&settings)?;
    Ok(settings)
}

fn check(settings: &Settings) -> anyhow::Result<()> {
    const FRAME_BYTES: std::ops::RangeInclusive<usize> = 16 * 1024..=1024 * 1024 * 1024;
    const HEARTBEAT: std::ops::RangeInclusive<Duration> =
        Duration::from_millis(100)..=Duration::from_secs(3600);
    const SESSIONS_MAX: usize = 10_000_000;
    const DRAIN_DEADLINE_MAX: Duration = Duration::from_secs(3600);
    if !FRAME_BYTES.contains(&settings.frame_bytes_max) {
        bail!("frame_bytes_max = {} is not in 16KiB to 1GiB", settings.frame_bytes_max);
    }
    if settings.write_buffer_bytes_max < 4096 {
        bail!("write_buffer_bytes_max = {} is below 4KiB", settings.write_buffer_bytes_max);
    }
    if settings.write_buffers_bytes_max < settings.write_buffer_bytes_max {
        bail!(
            "write_buffers_bytes_max is below write_buffer_bytes_max, the bound of one connection"
        );
    }
    if !HEARTBEAT.contains(&settings.heartbeat) {
        bail!("heartbeat = {} is not in 100ms to 1h", Span::from(settings.heartbeat));
    }
    if !(1..=SESSIONS_MAX).contains(&settings.sessions_max) {
        bail!("sessions_max = {} is not in 1 to {SESSIONS_MAX}", settings.sessions_max);
    }
    if settings.drain_deadline > DRAIN_DEADLINE_MAX {
        bail!("drain_deadline = {} is above 1h", Span::from(settings.drain_deadline));
    }
    crate::log::check(&settings.log)
}

fn print<L: Overrides>(settings: &Settings, limits: L) -> anyhow::Result<String> {
    let size = |bytes: usize| Some(Size::from(bytes));
    let options = Options {
        listen: settings.listen.clone(),
        sessions_max: Some(settings.sessions_max),
        frame_bytes_max: size(settings.frame_bytes_max),
        write_buffer_bytes_max: size(settings.write_buffer_bytes_max),
        write_buffers_bytes_max: size(settings.write_buffers_bytes_max),
        read_buffers_bytes_max: size(settings.read_buffers_bytes_max),
        slow_consumer: Some(settings.slow_consumer),
        heartbeat: Some(settings.heartbeat.into()),
        hello_timeout: Some(settings.hello_timeout.into()),
        drain_deadline: Some(settings.drain_deadline.into()),
        log: Some(settings.log.clone()),
        log_format: Some(settings.log_format),
        limits,
    };
    Ok(toml::to_string(&options)?)
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}
