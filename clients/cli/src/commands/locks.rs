//! `workyard lock` and `workyard locks`.

use super::globaldata_client;
use crate::args::{Global, Lock, Locks};
use crate::exit::{Status, Usage};
use crate::output::Output;
use crate::signals::Signals;
use anyhow::Context;
use comfy_table::Table;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::process::{Child, Command};
use workyard_globaldata::{Fenced, GlobalDataClient, LockGuard, LockInfo};

/// What shells add to the number of a signal that ended a command.
const SIGNALLED: i32 = 128;

pub(crate) async fn lock(global: &Global, args: &Lock, output: &Output) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let lock = client.semaphore(&args.name, args.permits).ttl(args.ttl);
    let guard = match args.wait {
        None => Some(lock.acquire().await?),
        Some(Duration::ZERO) => lock.try_acquire().await?,
        Some(wait) => lock.acquire_within(wait).await?,
    };
    let Some(guard) = guard else {
        if !output.is_json() {
            anstream::eprintln!("{} is held by others", args.name);
        }
        output.say(String::new, || json!({ "lock": args.name, "held": false }))?;
        return Ok(Status::No);
    };
    let status = hold(&guard, args).await?;
    if let Err(error) = guard.unlock().await {
        // The command has ended all the same; the lock ends with the connection.
        anstream::eprintln!("{error}");
    }
    Ok(status)
}

/// Runs the command for as long as the lock is held. A command that does not end when it should is waited
/// for all the same: what it does is its own business, and its end everybody's.
async fn hold(guard: &LockGuard, args: &Lock) -> anyhow::Result<Status> {
    let mut signals = Signals::new()?;
    let mut child = Command::new(&args.command[0])
        .args(&args.command[1..])
        .env("WORKYARD_LOCK", &args.name)
        .env("WORKYARD_LOCK_TOKEN", guard.token().to_string())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {:?}", args.command[0]))?;
    let mut lost = None;
    loop {
        tokio::select! {
            biased;
            ended = child.wait() => return Ok(judge(ended?, lost.is_some())),
            // An interrupt from the terminal has reached the command too.
            () = signals.terminated() => terminate(&child),
            why = guard.lost(), if lost.is_none() => {
                let name = &args.name;
                anstream::eprintln!("the lock {name} is lost: {why}; telling the command to end");
                lost = Some(why);
                terminate(&child);
            }
        }
    }
}

/// What the command said, unless it says that all is well after the lock was lost.
fn judge(ended: ExitStatus, lost: bool) -> Status {
    let signal = ended.signal().map(|signal| SIGNALLED + signal);
    let code = ended.code().or(signal).and_then(|code| u8::try_from(code).ok());
    match code {
        Some(0) if lost => Status::Failed,
        Some(code) => Status::OfCommand(code),
        None => Status::Failed,
    }
}

fn terminate(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // One that has just ended needs no signal.
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// A handle for writes that depend on the lock that this process was started under.
pub(super) fn fenced(client: &GlobalDataClient) -> anyhow::Result<Fenced<'_>> {
    let known = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let token = known("WORKYARD_LOCK_TOKEN").and_then(|token| token.parse().ok());
    match (known("WORKYARD_LOCK"), token) {
        (Some(lock), Some(token)) => Ok(client.fenced_by_token(lock, token)),
        _ => {
            let text = "--fenced is for what `workyard lock` runs: WORKYARD_LOCK and \
                        WORKYARD_LOCK_TOKEN do not name a lock and its token";
            Err(Usage(text.to_owned()).into())
        }
    }
}

pub(crate) async fn locks(
    global: &Global,
    args: &Locks,
    output: &Output,
) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let mut pages = client.locks(&args.prefix);
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["lock", "held", "waiting", "token", "ttl"]);
    while let Some(info) = pages.next().await.transpose()? {
        if output.is_json() {
            output.say(String::new, || document(&info))?;
        } else {
            table.add_row(row(&info));
        }
    }
    if !table.is_empty() {
        output.say(|| table.to_string(), || json!(null))?;
    }
    Ok(Status::Done)
}

fn document(info: &LockInfo) -> serde_json::Value {
    json!({
        "lock": info.name_str(), "permits": info.permits, "holders": info.holders,
        "waiters": info.waiters, "token": info.token,
        "ttl_ms": u64::try_from(info.ttl.as_millis()).unwrap_or(u64::MAX),
    })
}

fn row(info: &LockInfo) -> [String; 5] {
    [
        info.name_str().into_owned(),
        format!("{} of {}", info.holders, info.permits),
        info.waiters.to_string(),
        info.token.to_string(),
        humantime::format_duration(info.ttl).to_string(),
    ]
}
