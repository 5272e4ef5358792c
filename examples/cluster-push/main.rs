//! Cluster push: many processes hold WebSocket clients, any process reaches all of them or just one.
//!
//! ```text
//! cargo run --release -- up                                             # the daemons
//! cargo run -p workyard-examples --example cluster-push -- all         # 3 pushers and a publisher
//! ```
//!
//! Connect WebSocket clients to any pusher, then `GET http://127.0.0.1:2120/?content=hello`. The first
//! thing that a client is told is its `worker_id` and `connection_id`; with them
//! `GET /?to_worker_id=1&to_connection_id=2&content=hi` reaches just that client.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

mod all;
mod message;
mod publisher;
mod pusher;

use clap::Parser;

/// Pushes messages to WebSocket clients that many processes hold.
#[derive(Debug, Parser)]
struct Cli {
    /// Address of channel-server
    #[arg(long, global = true, default_value = "127.0.0.1:2206", env = "WORKYARD_CHANNEL")]
    channel: String,
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, clap::Subcommand)]
enum Role {
    /// Hold WebSocket clients and push to them what is published
    Pusher(pusher::Pusher),
    /// Publish what comes by HTTP
    Publisher(publisher::Publisher),
    /// Start some pushers and a publisher, each a process of its own
    All(all::All),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.role {
        Role::Pusher(pusher) => pusher.run(&cli.channel).await,
        Role::Publisher(publisher) => publisher.run(&cli.channel).await,
        Role::All(all) => all.run(&cli.channel).await,
    }
}
