//! Several processes send mails. One of them is killed while it works, and nothing is lost.
//!
//! ```text
//! cargo run --release -- up                                    # the daemons
//! cargo run -p workyard-examples --example mailer -- --workers 3 --mails 200
//! ```
//!
//! What it shows: jobs with ids, which are stored once; leases, attempts, backoff and dead letters; a channel
//! whose messages are kept; a lock that makes one process the leader, and another one when that dies; a
//! setting that all read from a cache and that changes under way; a rate limit that all share.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

mod worker;

use anyhow::{Context, ensure};
use clap::Parser;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use workyard_channel::{ChannelClient, JobBackoff, Keep, QueueSettings, Subscription};
use workyard_globaldata::{GlobalDataClient, Waited};

const MAILS: &str = "example.mails";
const PROGRESS: &str = "example.progress";
const GREETING: &str = "example.greeting";
const LEADER: &str = "example.leader";

const ATTEMPTS_MAX: u32 = 3;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends mails in several processes.
#[derive(Debug, Parser)]
struct Cli {
    /// Address of channel-server
    #[arg(long, default_value = "127.0.0.1:2206", env = "WORKYARD_CHANNEL")]
    channel: String,
    /// Address of globaldata-server
    #[arg(long, default_value = "127.0.0.1:2207", env = "WORKYARD_GLOBALDATA")]
    globaldata: String,
    /// How many processes send, at least 2
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..))]
    workers: u32,
    /// How many mails; every tenth has an address that does not exist
    #[arg(long, default_value_t = 200)]
    mails: u32,
    /// The number of this process, for those that the first one starts
    #[arg(long, hide = true)]
    worker: Option<u32>,
}

/// Somebody has been sent a mail, with this greeting.
type Progress = (u32, String);

fn is_address(user: u32) -> bool {
    user % 10 != 9
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let channels = ChannelClient::connect(&cli.channel).await?;
    let shared = GlobalDataClient::connect(&cli.globaldata).await?;
    match cli.worker {
        Some(worker) => worker::work(&channels, &shared, worker).await,
        None => supervise(&channels, &shared, &cli).await,
    }
}

async fn supervise(
    channels: &ChannelClient,
    shared: &GlobalDataClient,
    cli: &Cli,
) -> anyhow::Result<()> {
    prepare(channels, shared).await?;
    let mut workers =
        (0..cli.workers).map(|worker| start(cli, worker)).collect::<Result<Vec<_>, _>>()?;
    let half = cli.mails / 2;
    let doubles = enqueue(channels, 0..half).await?;
    // The history has what was sent before this begins.
    let mut progress = channels.subscribe(PROGRESS).last(u64::MAX).await?;

    let (mut sent, mut greetings) = (BTreeSet::new(), Vec::new());
    let expected = (0..cli.mails).filter(|user| is_address(*user)).count();
    follow(&mut progress, &mut sent, &mut greetings, expected / 4).await?;
    shared.set(GREETING, "good day").await?;
    let doubles = doubles + enqueue(channels, half..cli.mails).await?;
    let (first, second) = replace_leader(shared, &mut workers).await?;
    follow(&mut progress, &mut sent, &mut greetings, expected).await?;
    let reasons = given_up(channels, cli.mails as usize - expected).await?;

    println!("{} mails were sent, first with {}", sent.len(), greetings.join(", then with "));
    println!("{doubles} were enqueued twice and stored once");
    println!("{} were given up after {ATTEMPTS_MAX} attempts: {}", reasons.len(), reasons[0]);
    ensure!(first != second, "one that was killed leads");
    println!("the leader was killed, and another process leads");
    Ok(())
}

/// Everything as it is before the first mail.
async fn prepare(channels: &ChannelClient, shared: &GlobalDataClient) -> anyhow::Result<()> {
    let settings = QueueSettings {
        attempts_max: Some(ATTEMPTS_MAX),
        backoff: Some(JobBackoff::Fixed(Duration::from_millis(50))),
        dedup_window: Some(Duration::from_secs(60)),
        ..QueueSettings::default()
    };
    channels.configure_queue(MAILS, &settings).await?;
    let age = Duration::from_secs(600);
    let keep = Keep { messages_max: 100_000, bytes_max: 16 << 20, age };
    channels.keep_history(PROGRESS, keep).await?;
    shared.set(GREETING, "hello").await?;
    shared.delete(LEADER).await?;
    Ok(())
}

fn start(cli: &Cli, worker: u32) -> std::io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(["--channel", &cli.channel, "--globaldata", &cli.globaldata])
        .args(["--worker", &worker.to_string()])
        .kill_on_drop(true)
        .spawn()
}

/// Enqueues a mail for each of these twice, as a program does that does not know whether it has done so. Returns how many
/// were there already.
async fn enqueue(channels: &ChannelClient, users: Range<u32>) -> anyhow::Result<u32> {
    let mut doubles = 0;
    for user in users.flat_map(|user| [user; 2]) {
        let job = channels.new_job(MAILS, &user)?.id(format!("welcome-{user}"));
        if job.enqueue().await?.duplicate {
            doubles += 1;
        }
    }
    Ok(doubles)
}

/// Reads on until so many have been sent a mail. A mail whose sender was killed may come twice.
async fn follow(
    progress: &mut Subscription,
    sent: &mut BTreeSet<u32>,
    greetings: &mut Vec<String>,
    count: usize,
) -> anyhow::Result<()> {
    while sent.len() < count {
        let message = timeout(PATIENCE, progress.next()).await.context("mails are missing")?;
        let (user, greeting): Progress = message.context("the subscription ended")?.decode()?;
        sent.insert(user);
        if !greetings.contains(&greeting) {
            greetings.push(greeting);
        }
    }
    Ok(())
}

/// Kills the process that leads, and waits until another one does. Returns both.
async fn replace_leader(
    shared: &GlobalDataClient,
    workers: &mut [Child],
) -> anyhow::Result<(u32, u32)> {
    let leader = leader_after(shared, None).await?;
    workers[leader.1 as usize].kill().await?;
    let next = leader_after(shared, Some(leader.0)).await?;
    Ok((leader.1, next.1))
}

/// Who leads, when it is not who did at this revision any more; with the revision.
async fn leader_after(
    shared: &GlobalDataClient,
    revision: Option<u64>,
) -> anyhow::Result<(u64, u32)> {
    match shared.wait_until_changed(LEADER, revision, PATIENCE).await? {
        Waited::Changed(Some(entry)) => Ok((entry.revision, entry.decode()?)),
        Waited::Changed(None) | Waited::TimedOut => anyhow::bail!("nobody leads"),
    }
}

/// Waits until so many jobs are dead letters. Returns what their consumers said.
async fn given_up(channels: &ChannelClient, count: usize) -> anyhow::Result<Vec<String>> {
    let waiting = async {
        loop {
            let mut reasons = Vec::new();
            let mut dead = channels.dead_jobs(MAILS);
            while let Some(dead) = dead.next().await.transpose()? {
                reasons.push(dead.reason.unwrap_or_default());
            }
            if reasons.len() >= count {
                return Ok(reasons);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.context("too few mails are given up")?
}
