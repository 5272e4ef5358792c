//! Starts the whole example: each role is a process of its own.

use clap::Args;
use std::process::Stdio;
use tokio::process::{Child, Command};

#[derive(Debug, Args)]
pub(crate) struct All {
    /// How many pushers
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=64))]
    pushers: u16,
    /// The first pusher's port; the others follow. 0 lets the system choose all of them
    #[arg(long, default_value_t = 2121)]
    first_port: u16,
    /// The publisher's port; 0 lets the system choose
    #[arg(long, default_value_t = 2120)]
    http_port: u16,
}

impl All {
    pub(crate) async fn run(self, channel: &str) -> anyhow::Result<()> {
        let mut processes = Vec::new();
        for index in 0..self.pushers {
            let worker_id = (index + 1).to_string();
            let port = if self.first_port == 0 { 0 } else { self.first_port + index };
            let listen = format!("127.0.0.1:{port}");
            let pusher = ["pusher", "--worker-id", &worker_id, "--listen", &listen];
            processes.push(start(channel, &pusher)?);
        }
        let listen = format!("127.0.0.1:{}", self.http_port);
        processes.push(start(channel, &["publisher", "--listen", &listen])?);
        match self.http_port {
            0 => println!("Ctrl-C stops all"),
            _ => println!("try: curl 'http://{listen}/?content=hello'   (Ctrl-C stops all)"),
        }
        tokio::signal::ctrl_c().await?;
        for mut process in processes {
            process.kill().await?;
        }
        Ok(())
    }
}

fn start(channel: &str, arguments: &[&str]) -> anyhow::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--channel", channel]).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    Ok(command.spawn()?)
}
