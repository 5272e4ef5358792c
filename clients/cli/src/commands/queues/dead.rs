//! `workyard queue dead|redrive|remove`: jobs that were given up, or shall be.

use super::channel_client;
use crate::args::{Global, OneQueue, QueueRemove};
use crate::exit::Status;
use crate::output::Output;
use comfy_table::Table;
use serde_json::json;
use workyard_channel::Cause;

pub(super) async fn dead(
    global: &Global,
    args: &OneQueue,
    output: Output,
) -> anyhow::Result<Status> {
    let client = channel_client(global).await?;
    let mut all = client.dead_jobs(&args.queue);
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["job", "attempts", "cause", "age", "size", "reason"]);
    while let Some(dead) = all.next().await.transpose()? {
        let cause = match dead.cause {
            Cause::Nack => "nack",
            Cause::Expiry => "expiry",
            Cause::Disconnect => "disconnect",
        };
        if output.is_json() {
            output.say(String::new, || {
                json!({
                    "job": dead.job, "attempts": dead.attempts, "cause": cause,
                    "reason": dead.reason, "age_ms": dead.age.as_millis() as u64,
                    "size": dead.size,
                })
            })?;
            continue;
        }
        table.add_row([
            dead.job.to_string(),
            dead.attempts.to_string(),
            cause.to_owned(),
            humantime::format_duration(dead.age).to_string(),
            dead.size.to_string(),
            dead.reason.unwrap_or_default(),
        ]);
    }
    if !output.is_json() {
        output.say(|| table.to_string(), || json!(null))?;
    }
    Ok(Status::Done)
}

pub(super) async fn redrive(
    global: &Global,
    args: &OneQueue,
    output: Output,
) -> anyhow::Result<Status> {
    let client = channel_client(global).await?;
    let moved = client.redrive(&args.queue).await?;
    output.say(|| moved.to_string(), || json!({ "queue": args.queue, "jobs": moved }))?;
    Ok(Status::Done)
}

pub(super) async fn remove(
    global: &Global,
    args: &QueueRemove,
    output: Output,
) -> anyhow::Result<Status> {
    let client = channel_client(global).await?;
    let mut status = Status::Done;
    for job in &args.job {
        let removed = client.remove_job(&args.queue, *job).await?;
        if !removed {
            status = Status::No;
            if !output.is_json() {
                anstream::eprintln!("there is no job {job} in {}", args.queue);
            }
        }
        let document = || json!({ "queue": args.queue, "job": job, "removed": removed });
        output.say(String::new, document)?;
    }
    Ok(status)
}
