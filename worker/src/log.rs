//! The log file: `2026-11-21 21:20:45 pid:31700 text`, in universal time, of all processes of a service.

use crate::files::{Program, with_ending};
use anyhow::Context as _;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, layer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Above this, a log becomes the `.1` beside it.
const LOG_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// How a line begins.
fn head() -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let now = now.replace('T', " ");
    format!("{} pid:{}", now.trim_end_matches('Z'), std::process::id())
}

struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "{} ", head())?;
        match *event.metadata().level() {
            Level::ERROR => write!(writer, "error: ")?,
            Level::WARN => write!(writer, "warning: ")?,
            _ => {}
        }
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// Logs to a file, and to standard error where there is a terminal to see it. A program that has set up
/// its own log keeps that.
///
/// # Errors
/// The file cannot be opened.
pub(crate) fn start(path: &Path, daemon: bool) -> anyhow::Result<()> {
    let file = Arc::new(open(path)?);
    report_panics(Arc::clone(&file));
    // What cannot be written is not worth ending for, which is how internal errors would be told.
    let lines = layer().log_internal_errors(false).event_format(Line).with_ansi(false);
    let seen = layer().log_internal_errors(false).event_format(Line).with_ansi(false);
    let (lines, seen) = (lines.with_writer(file), seen.with_writer(io::stderr));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter).with(lines);
    let _ = registry.with((!daemon).then_some(seen)).try_init();
    Ok(())
}

/// What a panic says goes to standard error, which is nowhere in a service without a terminal.
fn report_panics(file: Arc<File>) {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.to_string().replace('\n', " ");
        let _ = (&*file).write_all(format!("{} error: {text}\n", head()).as_bytes());
        report(panic);
    }));
}

fn open(path: &Path) -> anyhow::Result<File> {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.with_context(|| format!("cannot open the log {}", path.display()))
}

/// Makes the log of a service that is to start. What keeps that from being done is said later.
pub(crate) fn create(path: &Path) {
    let _ = open(path);
}

/// Says something as a command of this program: on the terminal, and in the log if that can be written.
pub(crate) fn say(program: &Program, log: &Path, text: &str) {
    print(&format!("{} {text}\n", program.label()));
    note(program, log, text);
}

/// Prints what may be read. A service goes on when nobody does.
pub(crate) fn print(text: &str) {
    let _ = try_print(text);
}

/// Prints what is of no use when nobody reads it.
///
/// # Errors
/// The operating system's.
pub(crate) fn try_print(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush())
}

/// The same for what is wrong.
pub(crate) fn print_error(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Says it in the log only.
pub(crate) fn note(program: &Program, log: &Path, text: &str) {
    // Who only asks makes no file: it would be theirs, and not the service's.
    if let Ok(mut file) = OpenOptions::new().append(true).open(log) {
        let _ = file.write_all(format!("{} {} {text}\n", head(), program.label()).as_bytes());
    }
}

/// Keeps the log within its bounds. All processes append to the same file, so it is emptied in place.
///
/// # Errors
/// The operating system's.
pub(crate) fn bound(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() && metadata.len() > LOG_BYTES_MAX {
        put_aside(path)?;
        OpenOptions::new().write(true).open(path)?.set_len(0)?;
    }
    Ok(())
}

/// Copies it to a file that is new, whatever lies at its name.
fn put_aside(path: &Path) -> io::Result<()> {
    let aside = with_ending(path, ".1");
    let new = with_ending(&aside, ".new");
    let _ = fs::remove_file(&new);
    let mode = fs::metadata(path)?.permissions();
    let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
    io::copy(&mut File::open(path)?, &mut file)?;
    file.set_permissions(mode)?;
    fs::rename(new, aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_bounded_and_written_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        let mut writer = open(&path).unwrap();
        writer.set_len(LOG_BYTES_MAX).unwrap();
        bound(&path).unwrap();
        assert!(!with_ending(&path, ".1").exists());
        writer.write_all(b"the last line\n").unwrap();
        bound(&path).unwrap();
        writer.write_all(b"the next\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "the next\n");
        assert!(fs::read(with_ending(&path, ".1")).unwrap().ends_with(b"the last line\n"));
        bound(Path::new("/dev/null")).unwrap();
    }

    #[test]
    fn lines_begin_with_the_time_and_the_process() {
        let head = head();
        let (time, pid) = head.split_at(20);
        assert_eq!(pid, format!("pid:{}", std::process::id()));
        assert!(humantime::parse_rfc3339_weak(time.trim()).is_ok(), "{head}");
    }
}
