//! `status` and `connections`.

use super::client::Client;
use super::{Context, screen};
use crate::exit::Exit;
use crate::messages::{Reply, Request};
use crate::report::ServiceStatus;
use anyhow::bail;
use std::collections::HashMap;
use std::thread;
use std::time::Duration;

/// Clears the terminal, as the original does.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b(B\x1b[m";
const EVERY: Duration = Duration::from_secs(1);

/// Shows how the service is, once or until it is interrupted.
#[expect(clippy::print_stdout, reason = "this is the command's own voice")]
pub(super) fn status(context: &Context, repeat: bool, json: bool) -> anyhow::Result<Exit> {
    if !json {
        context.say("status");
    }
    let mut before = HashMap::new();
    loop {
        let Some(client) = Client::connect(&context.files.control)? else {
            return Ok(context.not_running());
        };
        let Reply::Status(status) = client.ask_soon(Request::Status)? else {
            bail!("the supervisor answers something else");
        };
        if json {
            println!("{}", serde_json::to_string_pretty(&status)?);
            return Ok(Exit::Done);
        }
        if !repeat {
            print!("{}", screen::status(&status, &HashMap::new()));
            return Ok(Exit::Done);
        }
        let rates = rates(&status, &mut before);
        println!("{CLEAR}{}\nPress Ctrl+C to quit.", screen::status(&status, &rates));
        thread::sleep(EVERY);
    }
}

/// Requests of each process since it was looked at before.
fn rates(status: &ServiceStatus, before: &mut HashMap<u32, u64>) -> HashMap<u32, u64> {
    let mut rates = HashMap::new();
    for process in &status.processes {
        let Some(worker) = &process.worker else { continue };
        let total = worker.total_request;
        if let Some(earlier) = before.insert(process.pid, total) {
            rates.insert(process.pid, total.saturating_sub(earlier));
        }
    }
    rates
}

/// Shows all connections.
#[expect(clippy::print_stdout, reason = "this is the command's own voice")]
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
        true => println!("{}", serde_json::to_string_pretty(&processes)?),
        false => print!("{}", screen::connections(&processes)),
    }
    Ok(Exit::Done)
}
