//! `workyard queue …`: jobs on their way in and out.

mod dead;
mod settings;
mod stats;

use super::{channel_client, check_restored, input_lines};
use crate::args::{Global, Queue, QueuePush, QueueWork};
use crate::exit::{Revoked, Status, Usage};
use crate::output::Output;
use crate::signals::Signals;
use crate::value;
use anyhow::Context;
use serde_json::json;
use std::process::{ExitStatus, Stdio};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use workyard_channel::{Enqueued, Error, ErrorKind, Job, Value};

pub(crate) async fn queue(
    global: &Global,
    args: &Queue,
    output: &Output,
) -> anyhow::Result<Status> {
    match args {
        Queue::Push(args) => push(global, args, *output).await,
        Queue::Work(args) => work(global, args, *output).await,
        Queue::Stats(args) => stats::stats(global, args, *output).await,
        Queue::Configure(args) => settings::configure(global, args, *output).await,
        Queue::Dead(args) => dead::dead(global, args, *output).await,
        Queue::Redrive(args) => dead::redrive(global, args, *output).await,
        Queue::Remove(args) => dead::remove(global, args, *output).await,
    }
}

async fn push(global: &Global, args: &QueuePush, output: Output) -> anyhow::Result<Status> {
    if args.id.is_some() && (args.job.len() > 1 || args.job == ["-"]) {
        return Err(Usage("--id is what one job is known by: push one at a time".to_owned()).into());
    }
    let client = channel_client(global).await?;
    let add = async |text: &str| -> anyhow::Result<()> {
        let value = value::from_text(text, args.kind)?;
        let job = client.new_job_value(&args.queue, value);
        let job = job.delay(args.delay).priority(args.priority);
        let job = match &args.id {
            Some(id) => job.id(id),
            None => job,
        };
        let Enqueued { job, duplicate } = job.enqueue().await?;
        output.say(
            || job.to_string(),
            || json!({ "queue": args.queue, "job": job, "duplicate": duplicate }),
        )
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
    let mut failed = 0;
    while left > 0 {
        let job = tokio::select! {
            biased;
            // What failed before is told, and no reason to end otherwise.
            () = signals.next() => return Ok(Status::Done),
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
        let settled = if args.command.is_empty() {
            print(&job, output)?;
            job.ack().await
        } else {
            let status = carry_out(&args.command, job.value()).await?;
            failed += u64::from(!status.success());
            settle(args, &job, status, output).await
        };
        match settled {
            Ok(()) => {}
            // The job will come again, here or elsewhere.
            Err(error) if error.kind() == ErrorKind::LeaseLost => anstream::eprintln!("{error}"),
            Err(error) => return Err(error.into()),
        }
        left -= 1;
    }
    anyhow::ensure!(
        failed == 0,
        "`{}` failed for {failed} of {} jobs: they go back to their queue",
        args.command.join(" "),
        args.count.unwrap_or_default()
    );
    Ok(Status::Done)
}

/// Says of a job what came of the command that was run for it.
async fn settle(
    args: &QueueWork,
    job: &Job,
    status: ExitStatus,
    output: Output,
) -> Result<(), Error> {
    if status.success() {
        return job.ack().await;
    }
    if !output.is_json() {
        let (command, job) = (args.command.join(" "), job.id());
        anstream::eprintln!("`{command}` failed for job {job}, {status}: it goes back");
    }
    job.nack_because(&status.to_string()).await
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

/// Runs the command, with the job as its standard input.
async fn carry_out(command: &[String], job: &Value) -> anyhow::Result<ExitStatus> {
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
    Ok(child.wait().await?)
}
