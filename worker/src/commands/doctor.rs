//! `doctor`: looks for what would keep the service from running well, and says what mends it.

use super::Context;
use crate::address::{Address, Endpoint};
use crate::exit::Exit;
use crate::files::Files;
use crate::log;
use crate::pid_file::{self, Held};
use crate::process::Identity;
use crate::settings::Settings;
use crate::socket::Listening;
use rustix::fs::{Access, access};
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::io;
use std::path::Path;

/// Enough descriptors for many connections, each of which takes one.
const DESCRIPTORS_MIN: u64 = 65_535;

/// One thing that was looked at.
struct Finding {
    what: String,
    /// What is wrong, and what mends it.
    wrong: Option<(String, String)>,
}

/// Looks at everything, and prints a line for each.
pub(super) fn doctor(context: &Context) -> Exit {
    let held = pid_file::held(&context.files.pid).unwrap_or(Held::No);
    let mut findings = vec![descriptors(), left_pid_file(&context.files, held)];
    findings.extend(folders(&context.files));
    for worker in &context.service.workers {
        let settings = worker.settings();
        findings.push(backlog(settings));
        findings.push(identity(settings));
        // Where the service itself listens, nobody else can.
        if held != Held::Yes {
            findings.push(port(settings));
        }
    }
    let mut exit = Exit::Done;
    for Finding { what, wrong } in findings {
        match wrong {
            None => log::print(&format!("ok     {what}\n")),
            Some((wrong, mend)) => {
                log::print(&format!("wrong  {what}: {wrong}\n       {mend}\n"));
                exit = Exit::Failed;
            }
        }
    }
    exit
}

impl Finding {
    fn right(what: impl Into<String>) -> Self {
        Self { what: what.into(), wrong: None }
    }

    fn wrong(what: impl Into<String>, wrong: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), wrong: Some((wrong.into(), mend.into())) }
    }
}

fn descriptors() -> Finding {
    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let what = "file descriptors";
    match limit < DESCRIPTORS_MIN {
        true => Finding::wrong(
            what,
            format!("a process may have {limit}, and each connection takes one"),
            "ulimit -HSn 102400, or LimitNOFILE=102400 in the unit",
        ),
        false => Finding::right(what),
    }
}

fn backlog(settings: &Settings) -> Finding {
    let what = format!("waiting connections of {:?}", settings.name);
    let text = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
    let wanted = settings.backlog;
    match text.trim().parse::<u32>() {
        Ok(limit) if limit < wanted => Finding::wrong(
            what,
            format!("{wanted} are wanted, the system allows {limit}"),
            format!("sysctl -w net.core.somaxconn={wanted}"),
        ),
        _ => Finding::right(what),
    }
}

fn left_pid_file(files: &Files, held: Held) -> Finding {
    let path = files.pid.display();
    let what = format!("pid file {path}");
    match held {
        Held::Stale => Finding::wrong(
            what,
            "it is left from a service that was killed, which keeps nothing from starting",
            format!("rm {path}"),
        ),
        Held::No | Held::Yes => Finding::right(what),
    }
}

fn folders(files: &Files) -> Vec<Finding> {
    let mut folders: Vec<&Path> =
        [&files.pid, &files.log].into_iter().filter_map(|file| file.parent()).collect();
    folders.dedup();
    folders.into_iter().map(folder).collect()
}

fn folder(path: &Path) -> Finding {
    let shown = path.display();
    let what = format!("folder {shown}");
    if !path.is_dir() {
        return Finding::wrong(what, "it does not exist", format!("mkdir -p {shown}"));
    }
    match access(path, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::right(what),
        Err(error) => {
            let user = crate::process::present_user();
            Finding::wrong(what, error.to_string(), format!("chown {user} {shown}"))
        }
    }
}

fn identity(settings: &Settings) -> Finding {
    let what = format!("user of {:?}", settings.name);
    match Identity::find(settings) {
        Ok(_) => Finding::right(what),
        Err(error) => {
            let user = settings.user.as_deref().unwrap_or("nobody");
            let group = settings.group.as_deref();
            let mend = match group {
                Some(group) => {
                    format!("groupadd --system {group}; useradd --system -g {group} {user}")
                }
                None => format!("useradd --system {user}"),
            };
            Finding::wrong(what, format!("{error:#}"), mend)
        }
    }
}

fn port(settings: &Settings) -> Finding {
    let what = format!("address of {:?}", settings.name);
    let address = match &settings.listen {
        None => return Finding::right(what),
        Some(Ok(address)) => address,
        Some(Err(error)) => {
            return Finding::wrong(what, error.to_string(), "change it in the program");
        }
    };
    match Listening::bind(address, settings.backlog, settings.reuse_port) {
        Ok(socket) => {
            remove_file(address);
            drop(socket);
            Finding::right(what)
        }
        Err(error) => Finding::wrong(what, format!("{address}: {error}"), mend(address, &error)),
    }
}

/// What shows why an address cannot be had, or gives it.
fn mend(address: &Address, error: &io::Error) -> String {
    match (error.kind(), &address.endpoint) {
        (io::ErrorKind::AddrNotAvailable, _) => "ip address".to_owned(),
        (io::ErrorKind::PermissionDenied, Endpoint::Inet(..)) => {
            "setcap cap_net_bind_service=+ep PROGRAM, or start it as root".to_owned()
        }
        (_, Endpoint::Inet(_, port)) => format!("ss -lptun 'sport = :{port}'"),
        (_, Endpoint::Path(path)) => format!("ls -ld {}", path.display()),
    }
}

/// What binding has made, where it has made a file.
fn remove_file(address: &Address) {
    if let Endpoint::Path(path) = &address.endpoint {
        let _ = fs::remove_file(path);
    }
}
