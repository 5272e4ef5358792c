//! The `file-monitor` daemon: settings, checks, actions.

mod action;
mod args;
mod checks;
mod config;
mod ending;
mod group;
mod guardian;
mod init;
mod life;
mod line;
mod pending;
mod processes;
mod report;
mod run;
mod signal_name;

use args::{Arguments, Sources, Task};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::EnvFilter;
use workyard_daemon::{ExitStatus, LogFormat};

/// Runs file-monitor as a process.
#[must_use]
pub fn main() -> ExitCode {
    main_with(std::env::args_os())
}

/// Does what a command line asks for, the first word of which is the program, until it is done or a
/// signal ends it: for programs of which this is a part. Not within a runtime of tokio.
#[must_use]
pub fn main_with(line: impl IntoIterator<Item = OsString>) -> ExitCode {
    run(Arguments::read(line))
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the process's own voice")]
fn run(arguments: Arguments) -> ExitCode {
    let fail = |error: &anyhow::Error, status: ExitStatus| {
        eprintln!("file-monitor: {error:#}");
        ExitCode::from(status)
    };
    match arguments.task() {
        Ok(Task::Init(directory)) => match init::write(&directory) {
            Ok((path, project)) => {
                println!("{} is written, for a project of {}", path.display(), project.name());
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, ExitStatus::Failed),
        },
        Ok(Task::CheckConfig(options)) => match options.check_surroundings() {
            Ok(()) => {
                println!("the configuration is right");
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, ExitStatus::Failed),
        },
        Ok(Task::PrintConfig(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Task::Follow(sources)) => match follow(*sources) {
            Ok(code) => code,
            Err(error) => fail(&error, ExitStatus::Failed),
        },
        Err(error) => fail(&error, ExitStatus::Usage),
    }
}

fn follow(sources: Sources) -> anyhow::Result<ExitCode> {
    sources.options.check_surroundings()?;
    let (filter, format) = sources.options.log();
    let _lines = log(filter, format)?;
    workyard_daemon::die_of_panics();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(life::live(sources))
}

/// The log is on standard error, as that of the other daemons. What is left of it is written when the
/// guard is dropped.
fn log(filter: &str, format: LogFormat) -> anyhow::Result<WorkerGuard> {
    let filter = log_filter(filter)?;
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot log: {error}"))?;
    Ok(guard)
}

fn log_filter(filter: &str) -> anyhow::Result<EnvFilter> {
    let wrong =
        |error| anyhow::anyhow!("log = {filter:?} is no level and no list of directives: {error}");
    EnvFilter::try_new(filter).map_err(wrong)
}
