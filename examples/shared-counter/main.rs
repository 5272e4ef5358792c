//! Several processes increment one counter and keep one list by compare-and-set; both come out exact.
//!
//! ```text
//! cargo run --release -- up                                             # the daemons
//! cargo run -p workyard-examples --example shared-counter -- --processes 4 --rounds 1000
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use anyhow::ensure;
use clap::Parser;
use tokio::process::Command;
use workyard_globaldata::GlobalDataClient;

/// Counts in several processes at once.
#[derive(Debug, Parser)]
struct Cli {
    /// Address of globaldata-server
    #[arg(long, default_value = "127.0.0.1:2207", env = "WORKYARD_GLOBALDATA")]
    globaldata: String,
    /// How many processes
    #[arg(long, default_value_t = 4)]
    processes: u32,
    /// How often each one counts
    #[arg(long, default_value_t = 1000)]
    rounds: u32,
    /// The number of this process, for those that the first one starts
    #[arg(long, hide = true)]
    worker: Option<u32>,
}

const COUNTER: &str = "example.counter";
const USERS: &str = "example.users";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let shared = GlobalDataClient::connect(&cli.globaldata).await?;
    match cli.worker {
        Some(worker) => work(&shared, worker, cli.rounds).await,
        None => supervise(&shared, &cli).await,
    }
}

/// Starts the processes and checks what they did.
async fn supervise(shared: &GlobalDataClient, cli: &Cli) -> anyhow::Result<()> {
    shared.set(COUNTER, &0).await?;
    shared.set(USERS, &Vec::<String>::new()).await?;
    let start = |worker: u32| {
        Command::new(std::env::current_exe()?)
            .args(["--globaldata", &cli.globaldata, "--rounds", &cli.rounds.to_string()])
            .args(["--worker", &worker.to_string()])
            .kill_on_drop(true)
            .spawn()
    };
    let workers = (0..cli.processes).map(start).collect::<std::io::Result<Vec<_>>>()?;
    for mut worker in workers {
        ensure!(worker.wait().await?.success(), "a process failed");
    }
    let count: i64 = shared.get(COUNTER).await?.unwrap_or_default();
    let users: Vec<String> = shared.get(USERS).await?.unwrap_or_default();
    println!("{} processes counted to {count}; {} users are listed", cli.processes, users.len());
    ensure!(count == i64::from(cli.processes) * i64::from(cli.rounds), "counts were lost");
    ensure!(users.len() == cli.processes as usize * USERS_EACH, "users were lost");
    Ok(())
}

/// How many users each process adds to the list.
const USERS_EACH: usize = 20;

/// What each process does.
async fn work(shared: &GlobalDataClient, worker: u32, rounds: u32) -> anyhow::Result<()> {
    for _ in 0..rounds {
        shared.increment(COUNTER, 1).await?;
    }
    for user in 0..USERS_EACH {
        let name = format!("user-{worker}-{user}");
        // Reads the list, adds to it, and writes it if nobody else wrote meanwhile; else again.
        shared
            .update(USERS, |users: Option<Vec<String>>| {
                let mut users = users.unwrap_or_default();
                users.push(name.clone());
                users
            })
            .await?;
    }
    Ok(())
}
