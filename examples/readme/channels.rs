//! The README's first snippet, whole: publish, subscribe and a work queue in one program.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use serde::{Deserialize, Serialize};
use workyard_channel::ChannelClient;

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    id: u64,
    paid: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let channels = ChannelClient::connect("127.0.0.1:2206").await?;

    let mut orders = channels.subscribe_pattern("orders.*").await?;
    channels.publish("orders.7", &Order { id: 7, paid: true }).await?;
    if let Some(message) = orders.next().await {
        let order: Order = message.decode()?;
        println!("{}: {order:?}", message.channel_str());
    }

    // Work queues: what is not acknowledged goes to another worker.
    channels.enqueue("mails", "a@example.org").await?;
    let mut mails = channels.consume("mails", 10).await?;
    if let Some(job) = mails.next().await {
        println!("sending to {}", job.decode::<String>()?);
        job.ack().await?;
    }
    Ok(())
}
