//! `workyard queue configure`.

use super::channel_client;
use crate::args::{BackoffArgument, Global, QueueConfigure};
use crate::exit::Status;
use crate::output::Output;
use comfy_table::Table;
use serde_json::{Value as Json, json};
use std::time::Duration;
use workyard_channel::{JobBackoff, QueueSettings, SettingsReport};

pub(super) async fn configure(
    global: &Global,
    args: &QueueConfigure,
    output: Output,
) -> anyhow::Result<Status> {
    let client = channel_client(global).await?;
    let before = client.queue_settings(&args.queue).await?.own;
    let wanted = wanted(args, before);
    if wanted != before {
        client.configure_queue(&args.queue, &wanted).await?;
    }
    let report = client.queue_settings(&args.queue).await?;
    output.say(
        || table(&report).to_string(),
        || {
            let (own, in_force) = (document(&report.own), document(&report.in_force));
            json!({ "queue": args.queue, "own": own, "in_force": in_force })
        },
    )?;
    Ok(Status::Done)
}

/// What the queue is to have of its own.
fn wanted(args: &QueueConfigure, before: QueueSettings) -> QueueSettings {
    let before = if args.reset { QueueSettings::default() } else { before };
    QueueSettings {
        lease: args.lease.or(before.lease),
        attempts_max: args.attempts_max.or(before.attempts_max),
        backoff: args.backoff.map(|BackoffArgument(backoff)| backoff).or(before.backoff),
        dedup_window: args.dedup_window.or(before.dedup_window),
        jobs_max: args.jobs_max.or(before.jobs_max),
        bytes_max: args.bytes_max.or(before.bytes_max),
    }
}

fn table(report: &SettingsReport) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["setting", "value", "whose"]);
    for ((name, in_force), (_, own)) in named(&report.in_force).into_iter().zip(named(&report.own))
    {
        let whose = if own.is_some() { "its own" } else { "the server's" };
        table.add_row([name.to_owned(), in_force.unwrap_or_default(), whose.to_owned()]);
    }
    table
}

/// The settings under the names of their flags, as they would be written there.
fn named(settings: &QueueSettings) -> [(&'static str, Option<String>); 6] {
    let time = |time: Duration| humantime::format_duration(time).to_string();
    let backoff = |backoff| match backoff {
        JobBackoff::None => "none".to_owned(),
        JobBackoff::Fixed(delay) => time(delay),
        JobBackoff::Exponential { first, max } => format!("{}..{}", time(first), time(max)),
    };
    [
        ("lease", settings.lease.map(time)),
        ("attempts-max", settings.attempts_max.map(|count| count.to_string())),
        ("backoff", settings.backoff.map(backoff)),
        ("dedup-window", settings.dedup_window.map(time)),
        ("jobs-max", settings.jobs_max.map(|count| count.to_string())),
        ("bytes-max", settings.bytes_max.map(|count| count.to_string())),
    ]
}

fn document(settings: &QueueSettings) -> Json {
    let millis = |time: Duration| time.as_millis() as u64;
    let backoff = |backoff| match backoff {
        JobBackoff::None => json!("none"),
        JobBackoff::Fixed(delay) => json!({ "fixed_ms": millis(delay) }),
        JobBackoff::Exponential { first, max } => {
            json!({ "first_ms": millis(first), "max_ms": millis(max) })
        }
    };
    json!({
        "lease_ms": settings.lease.map(millis),
        "attempts_max": settings.attempts_max,
        "backoff": settings.backoff.map(backoff),
        "dedup_window_ms": settings.dedup_window.map(millis),
        "jobs_max": settings.jobs_max,
        "bytes_max": settings.bytes_max,
    })
}
