//! `workyard queue push|work|stats`.

use super::{channel_client, check_restored, input_lines};
use crate::args::{Global, Queue, QueuePush, QueueStats, QueueWork};
use crate::exit::{Revoked, Status};
use crate::output::Output;
use crate::signals::Signals;
use crate::value;
use anyhow::Context;
use comfy_table::Table;
use serde_json::json;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use workyard_channel::{ErrorKind, Job, Value};

pub(crate) async fn queue(
    global: &Global,
    args: &Queue,
    output: &Output,
) -> anyhow::Result<Status> {
    match args {
        Queue::Push(args) => push(global, args, *output).await,
        Queue::Work(args) => work(global, args, *output).await,
        Queue::Stats(args) => stats(global, args, *output).await,
    }
}

async fn push(global: &Global, args: &QueuePush, output: Output) -> anyhow::Result<Status> {
    let client = channel_client(global).await?;
    let add = async |text: &str| -> anyhow::Result<()> {
        let job = value::from_text(text, args.kind)?;
        let id = client.enqueue_value(&args.queue, &job).await?;
        output.say(|| id.to_string(), || json!({ "queue": args.queue, "job": id }))
    };
    if args.job == ["-"] {
        let mut lines = input_lines();
        while let Some(line) = lines.next_line().await? {
            add(&line).await?;
        }
    } else {
        for job in &args.job {
            add(job).await?;
        }
    }
    Ok(Status::Done)
}

async fn work(global: &Global, args: &QueueWork, output: Output) -> anyhow::Result<Status> {
    // Kept while a job is worked on: it is finished before this stops.
    let mut signals = Signals::new()?;
    let client = channel_client(global).await?;
    let mut jobs = client.consume(&args.queue, args.prefetch).await?;
    let mut events = client.events();
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        let job = tokio::select! {
            biased;
            () = signals.next() => break,
            job = jobs.next() => job,
            event = events.next() => {
                check_restored(event)?;
                continue;
            }
        };
        let ended = || Revoked("the server ended the consumer".to_owned());
        let job = job.ok_or_else(ended)?;
        if left == 1 {
            // None is handed out here only to be given back.
            jobs.cancel().await?;
        }
        if args.command.is_empty() {
            print(&job, output)?;
        } else if !carry_out(&args.command, job.value()).await? {
            // Not acknowledged: it goes back to the head of its queue with this connection.
            anyhow::bail!(
                "`{}` failed for job {}: the job goes back to its queue",
                args.command.join(" "),
                job.id()
            );
        }
        match job.ack().await {
            Ok(()) => {}
            // The connection was lost meanwhile: the job will come again, here or elsewhere.
            Err(error) if error.kind() == ErrorKind::LeaseLost => anstream::eprintln!("{error}"),
            Err(error) => return Err(error.into()),
        }
        left -= 1;
    }
    Ok(Status::Done)
}

fn print(job: &Job, output: Output) -> anyhow::Result<()> {
    output.say(
        || job.value().to_string(),
        || {
            let value = value::to_json(job.value());
            json!({ "job": job.id(), "attempt": job.attempt(), "value": value })
        },
    )
}

/// Whether the command succeeded.
async fn carry_out(command: &[String], job: &Value) -> anyhow::Result<bool> {
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        // Ctrl-C is for this process, which then waits for the command.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {:?}", command[0]))?;
    if let Some(mut stdin) = child.stdin.take() {
        let input = match job {
            Value::Encoded { bytes, .. } => bytes.to_vec(),
            number => number.to_string().into_bytes(),
        };
        // A command that does not read its input is its own business.
        let _ = stdin.write_all(&input).await;
    }
    Ok(child.wait().await?.success())
}

async fn stats(global: &Global, args: &QueueStats, output: Output) -> anyhow::Result<Status> {
    let client = channel_client(global).await?;
    let mut queues = client.queues(&args.prefix);
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["queue", "ready", "leased", "consumers", "oldest"]);
    while let Some(stats) = queues.next().await.transpose()? {
        let oldest = humantime::format_duration(stats.oldest).to_string();
        table.add_row([
            stats.queue_str().into_owned(),
            stats.ready.to_string(),
            stats.leased.to_string(),
            stats.consumers.to_string(),
            oldest,
        ]);
        if output.is_json() {
            output.say(String::new, || {
                json!({
                    "queue": stats.queue_str(), "ready": stats.ready, "leased": stats.leased,
                    "consumers": stats.consumers, "oldest_ms": stats.oldest.as_millis() as u64,
                })
            })?;
        }
    }
    if !output.is_json() {
        output.say(|| table.to_string(), || json!(null))?;
    }
    Ok(Status::Done)
}
