//! Structured logs on stderr, for people or as JSON; what is logged may change while running.

use crate::settings::{LogFormat, Settings};
use anyhow::{Context, anyhow};
use std::io::IsTerminal;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt, reload};

/// Changes what is logged, and writes out what is left when it is dropped.
pub(crate) struct Log {
    filter: reload::Handle<EnvFilter, Registry>,
    _writer: WorkerGuard,
}

/// Whether a filter can be understood.
pub(crate) fn check(filter: &str) -> anyhow::Result<()> {
    parse(filter).map(|_| ())
}

/// Starts logging for the process. Lines are written by a thread of their own: a log that nobody
/// reads must not stop the daemon, so it loses lines instead.
pub(crate) fn start(settings: &Settings) -> anyhow::Result<Log> {
    let (filter, handle) = reload::Layer::new(parse(&settings.log)?);
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    let coloured = std::io::stderr().is_terminal();
    let lines = fmt::layer().with_writer(writer).with_target(false).with_ansi(coloured);
    let registry = tracing_subscriber::registry().with(filter);
    match settings.log_format {
        LogFormat::Text => registry.with(lines).try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
    }
    Ok(Log { filter: handle, _writer: guard })
}

impl Log {
    pub(crate) fn apply(&self, settings: &Settings) -> anyhow::Result<()> {
        self.filter.reload(parse(&settings.log)?).context("cannot change what is logged")
    }
}

fn parse(filter: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(filter)
        .map_err(|error| anyhow!("log = {filter:?} is no level and no list of directives: {error}"))
}
