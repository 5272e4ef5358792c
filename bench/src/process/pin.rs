//! Keeps servers and generator on cores of their own.

use super::programs;
use crate::procfs;
use anyhow::{Result, bail};
use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Which core is whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pinning {
    Off,
    On { servers: usize, generator: usize },
}

impl Pinning {
    /// The first two cores that this process may use, if there are two.
    pub(crate) fn choose() -> Self {
        match procfs::allowed_cores()[..] {
            [servers, generator, ..] if programs::find("taskset").is_some() => {
                Self::On { servers, generator }
            }
            _ => Self::Off,
        }
    }

    /// Moves this process, threads included, to the generator's core.
    pub(crate) fn pin_generator(self) -> Result<()> {
        let Self::On { generator, .. } = self else {
            return Ok(());
        };
        let outcome = Command::new("taskset")
            .args(["--all-tasks", "--cpu-list", "--pid"])
            .args([generator.to_string(), std::process::id().to_string()])
            .output()?;
        if !outcome.status.success() {
            bail!(
                "cannot move to core {generator} ({}); use --no-pin",
                String::from_utf8_lossy(&outcome.stderr).trim()
            );
        }
        Ok(())
    }

    /// A command for a server, with what comes before its program: on the servers' core, and killed by the kernel should this process be
    /// killed before it can end its children.
    pub(super) fn server(self, before: &[&str], program: &OsStr) -> Command {
        let mut words: Vec<OsString> = Vec::new();
        if programs::find("setpriv").is_some() {
            words.extend(["setpriv", "--pdeathsig", "KILL"].map(OsString::from));
        }
        if let Self::On { servers, .. } = self {
            words.extend(["taskset", "--cpu-list", &servers.to_string()].map(OsString::from));
        }
        words.extend(before.iter().map(OsString::from));
        words.push(program.to_owned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }
}
