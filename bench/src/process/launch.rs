//! How each kind of server is started: private, on loopback, keeping nothing.

use super::{binaries, programs};
use crate::limits::PEER_CONNECTIONS_MAX;
use crate::peer::{Family, Kind};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
}

/// Whether there is a program for every family that `kind` serves. Our own can be built.
pub(crate) fn is_installed(kind: Kind) -> bool {
    installed_name(kind).is_none_or(|name| programs::find(name).is_some())
}

fn installed_name(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Limit | Kind::Workyard => None,
        Kind::Redis => Some("redis-server"),
        Kind::Nats => Some("nats-server"),
        Kind::Memcached => Some("memcached"),
    }
}

/// The command for a server of `kind` on `port`, which may write to `folder`.
pub(super) fn launch(kind: Kind, family: Family, port: u16, folder: &Path) -> Result<Launch> {
    let arguments = match kind {
        Kind::Limit => limit_arguments(family, port),
        Kind::Workyard => words(&format!("--listen 127.0.0.1:{port}")),
        Kind::Redis => redis_arguments(port, folder),
        Kind::Nats => words(&format!("-a 127.0.0.1 -p {port}")),
        Kind::Memcached => memcached_arguments(port),
    };
    Ok(Launch { program: program(kind, family)?, arguments })
}

/// What the program calls itself, in one line; nothing when it does not say.
pub(super) fn version(kind: Kind, family: Family) -> Option<String> {
    let flag = if kind == Kind::Limit { return None } else { "--version" };
    let output = Command::new(program(kind, family).ok()?).arg(flag).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(|line| line.trim().to_owned())
}

fn program(kind: Kind, family: Family) -> Result<PathBuf> {
    match kind {
        Kind::Limit => Ok(std::env::current_exe()?),
        Kind::Workyard => binaries::path(binaries::name(family)),
        Kind::Redis | Kind::Nats | Kind::Memcached => {
            let name = installed_name(kind).unwrap_or_default();
            programs::find(name).with_context(|| format!("{name} is not installed"))
        }
    }
}

fn limit_arguments(family: Family, port: u16) -> Vec<String> {
    let service = match family {
        Family::Channels => "fanout",
        Family::Keys => "echo",
    };
    words(&format!("limit-server --service {service} --listen 127.0.0.1:{port}"))
}

fn redis_arguments(port: u16, folder: &Path) -> Vec<String> {
    let mut arguments = words(&format!("--port {port} --bind 127.0.0.1 --appendonly no"));
    arguments.extend(words(&format!("--maxclients {PEER_CONNECTIONS_MAX}")));
    arguments.extend(["--save".to_owned(), String::new()]);
    arguments.extend(["--dir".to_owned(), folder.display().to_string()]);
    arguments
}

/// One thread, like the others; as root it would refuse to start without being told a user, and under
/// another user's name the kernel would forget that it has to die with this process.
fn memcached_arguments(port: u16) -> Vec<String> {
    words(&format!("-l 127.0.0.1 -p {port} -U 0 -u root -m 2048 -t 1 -c {PEER_CONNECTIONS_MAX}"))
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_argument_survives() {
        let arguments = redis_arguments(7, Path::new("/tmp/x y"));
        let text = arguments.join("|");
        assert!(text.starts_with("--port|7|--bind|127.0.0.1|"));
        assert!(text.ends_with("--save||--dir|/tmp/x y"));
    }
}
