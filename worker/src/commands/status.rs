//! `status` and `connections`.

use super::client::Client;
use super::{Context, screen};
use crate::exit::Exit;
use crate::log;
use crate::messages::{Reply, Request};
use crate::report::ServiceStatus;
use anyhow::bail;
use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

/// Clears the terminal, as the original does.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b(B\x1b[m";
const EVERY: Duration = Duration::from_secs(1);

/// Shows how the service is, once or until it is interrupted.
pub(super) fn status(context: &Context, repeat: bool, json: bool) -> anyhow::Result<Exit> {
    if !json {
        context.say("status");
    }
    let mut before = HashMap::new();
    let mut looked = Instant::now();
    loop {
        let Some(client) = Client::connect(&context.files.control)? else {
            return Ok(context.not_running());
        };
        let Reply::Status(status) = client.ask_soon(Request::Status)? else {
            bail!("the supervisor answers something else");
        };
        if json {
            log::print(&format!("{}\n", serde_json::to_string_pretty(&status)?));
            return Ok(Exit::Done);
        }
        if !repeat {
            log::print(&screen::status(&status, &HashMap::new()));
            return Ok(Exit::Done);
        }
        let elapsed = std::mem::replace(&mut looked, Instant::now()).elapsed();
        let rates = rates(&status, &mut before, elapsed);
        let screen = screen::status(&status, &rates);
        let shown = format!("{CLEAR}{screen}\nPress Ctrl+C to quit.\n");
        if log::try_print(&shown).is_err() {
            return Ok(Exit::Done);
        }
        thread::sleep(EVERY);
    }
}

/// Requests of each process per second, since it was looked at before.
fn rates(
    status: &ServiceStatus,
    before: &mut HashMap<u32, u64>,
    elapsed: Duration,
) -> HashMap<u32, u64> {
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let mut rates = HashMap::new();
    for process in &status.processes {
        let Some(worker) = &process.worker else { continue };
        let total = worker.total_request;
        if let Some(earlier) = before.insert(process.pid, total) {
            let requests = total.saturating_sub(earlier);
            rates.insert(process.pid, requests.saturating_mul(1000) / milliseconds);
        }
    }
    rates
}

/// Shows all connections.
pub(super) fn connections(context: &Context, json: bool) -> anyhow::Result<Exit> {
    if !json {
        context.say("connections");
    }
    let Some(client) = Client::connect(&context.files.control)? else {
        return Ok(context.not_running());
    };
    let Reply::Connections(processes) = client.ask_soon(Request::Connections)? else {
        bail!("the supervisor answers something else");
    };
    match json {
        true => log::print(&format!("{}\n", serde_json::to_string_pretty(&processes)?)),
        false => log::print(&screen::connections(&processes)),
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::WorkerStatus;
    use crate::report::{ProcessState, ProcessStatus};

    #[test]
    fn rates_are_per_second() {
        let process = |pid, total_request| ProcessStatus {
            pid,
            name: "echo".to_owned(),
            id: 0,
            listen: None,
            state: ProcessState::Idle,
            busy: None,
            memory_bytes: None,
            worker: Some(WorkerStatus { total_request, ..WorkerStatus::default() }),
        };
        let status = |processes| ServiceStatus {
            name: "app".to_owned(),
            version: String::new(),
            pid: 1,
            daemon: false,
            started_at: 0,
            load_average: [0.0; 3],
            workers: Vec::new(),
            processes,
        };
        let mut before = HashMap::new();
        let two = Duration::from_secs(2);
        assert!(rates(&status(vec![process(7, 10)]), &mut before, two).is_empty());
        let rates = rates(&status(vec![process(7, 110), process(8, 5)]), &mut before, two);
        assert_eq!(rates, HashMap::from([(7, 50)]));
    }
}
