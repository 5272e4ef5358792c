//! Shows that the daemons work, with processes of their own as witnesses.
//!
//! Three processes subscribe to one channel. This one publishes; each says what it received, then
//! adds to one counter many times. Everything must come out exact.

use crate::args::CheckWorker;
use crate::exit::Status;
use crate::output::Output;
use anyhow::{Context, ensure};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;
use workyard_channel::ChannelClient;
use workyard_daemon::ListenAddress;
use workyard_globaldata::GlobalDataClient;

const WORKERS: u32 = 3;
const INCREMENTS: u32 = 1000;
const PATIENCE: Duration = Duration::from_secs(20);

struct Worker {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

pub(crate) async fn check(
    channel: &ListenAddress,
    globaldata: &ListenAddress,
    output: Output,
) -> anyhow::Result<()> {
    timeout(PATIENCE, witness(&channel.to_string(), &globaldata.to_string(), output))
        .await
        .context("the check took too long; --no-check leaves it out")?
}

async fn witness(channel: &str, globaldata: &str, output: Output) -> anyhow::Result<()> {
    // No name that somebody uses, and none that two checks share.
    let name = format!("workyard.check.{}", std::process::id());
    let channels = ChannelClient::connect(channel).await?;
    let shared = GlobalDataClient::connect(globaldata).await?;
    let start = |_| Worker::start(channel, globaldata, &name);
    let mut workers = (0..WORKERS).map(start).collect::<anyhow::Result<Vec<_>>>()?;
    for worker in &mut workers {
        ensure!(worker.says().await? == "ready", "a worker could not subscribe");
    }
    let receivers = channels.publish(&name, "hello, workers").await?;
    for worker in &mut workers {
        ensure!(worker.says().await? == "hello, workers", "a worker received something else");
    }
    output.say(
        || format!("✓ a message published here arrived in {receivers} other processes"),
        || json!({ "check": "publish", "processes": receivers }),
    )?;
    for worker in &mut workers {
        ensure!(worker.says().await? == "counted", "a worker could not count");
        worker.process.wait().await?;
    }
    let count = shared.get::<i64>(&name).await?.unwrap_or_default();
    shared.delete(&name).await?;
    ensure!(count == i64::from(WORKERS * INCREMENTS), "the counter came out at {count}");
    output.say(
        || {
            format!(
                "✓ a counter incremented {INCREMENTS} times by each of them came out at {count}"
            )
        },
        || json!({ "check": "increment", "processes": WORKERS, "count": count }),
    )
}

impl Worker {
    fn start(channel: &str, globaldata: &str, name: &str) -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["check-worker", "--channel", channel, "--globaldata", globaldata])
            .args(["--name", name, "--increments", &INCREMENTS.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().context("a worker without output")?;
        Ok(Self { process, lines: BufReader::new(stdout).lines() })
    }

    async fn says(&mut self) -> anyhow::Result<String> {
        self.lines.next_line().await?.context("a worker ended early")
    }
}

/// What each of the processes does.
pub(crate) async fn check_worker(args: &CheckWorker) -> anyhow::Result<Status> {
    let output = Output::new(false);
    let say = |text: String| output.say(|| text, || json!(null));
    let channels = ChannelClient::connect(args.channel.as_str()).await?;
    let shared = GlobalDataClient::connect(args.globaldata.as_str()).await?;
    let mut messages = channels.subscribe(&args.name).await?;
    say("ready".to_owned())?;
    let message = messages.next().await.context("the subscription ended")?;
    say(message.decode()?)?;
    for _ in 0..args.increments {
        shared.increment(&args.name, 1).await?;
    }
    say("counted".to_owned())?;
    Ok(Status::Done)
}
