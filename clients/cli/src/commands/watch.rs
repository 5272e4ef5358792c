//! `workyard watch`: file-monitor under another name.

use std::ffi::OsString;
use std::process::ExitCode;

/// The command, which must be the first word.
pub(crate) const WATCH: &str = "watch";

/// Runs it with what stands behind the command.
pub(crate) fn watch(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let name = std::iter::once(OsString::from("workyard watch"));
    workyard_file_monitor::daemon::main_with(name.chain(arguments))
}
