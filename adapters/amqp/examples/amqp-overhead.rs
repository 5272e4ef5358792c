//! What a confirmed publish costs over one by the bare driver, in CPU time of this process:
//! `cargo run --release -p workyard-amqp --example amqp-overhead`. Needs RabbitMQ.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use futures_util::future::try_join_all;
use std::{fs, io};
use workyard_amqp::lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use workyard_amqp::lapin::{self, Channel, Connection, ConnectionProperties};
use workyard_amqp::{Amqp, Properties, Publish};
use workyard_testbed::RabbitMq;

const ROUNDS: usize = 12;
const CALLS: usize = 5_000;
const BODY: &[u8] = &[b'x'; 100];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rabbit = RabbitMq::start().await;
    let url = rabbit.url(&rabbit.vhost().await);
    let amqp = Amqp::open(&url)?;
    amqp.ready().await?;
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let message = Publish::to("amq.topic", "nobody").body(BODY);
    for at_once in [1, 64] {
        let (mut by_driver, mut by_adapter) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let begun = cpu()?;
            for _ in 0..CALLS / at_once {
                try_join_all((0..at_once).map(|_| bare(&channel))).await?;
            }
            by_driver.push(cpu()? - begun);
            let begun = cpu()?;
            for _ in 0..CALLS / at_once {
                try_join_all((0..at_once).map(|_| amqp.publish(&message))).await?;
            }
            by_adapter.push(cpu()? - begun);
        }
        let (by_driver, by_adapter) = (median(by_driver), median(by_adapter));
        println!("{at_once} at once, medians of {ROUNDS} rounds of {CALLS}, in turn");
        println!("by driver  {by_driver:6.2} µs");
        println!("by adapter {by_adapter:6.2} µs");
        println!("ratio      {:6.3}", by_adapter / by_driver);
    }
    Ok(())
}

async fn bare(channel: &Channel) -> lapin::Result<()> {
    let properties = Properties::default().with_delivery_mode(2);
    let (exchange, key) = ("amq.topic".into(), "nobody".into());
    let options = BasicPublishOptions::default();
    channel.basic_publish(exchange, key, options, BODY, properties).await?.await.map(drop)
}

/// Microseconds that this process has been on a CPU, in user code and in the system's: the driver has a
/// thread of its own.
fn cpu() -> io::Result<f64> {
    let mut micros = 0.0;
    for thread in fs::read_dir("/proc/self/task")? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let first = text.split(' ').next().and_then(|number| number.parse::<f64>().ok());
        micros += first.ok_or(io::ErrorKind::InvalidData)? / 1000.0;
    }
    Ok(micros)
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_unstable_by(f64::total_cmp);
    rounds[rounds.len() / 2] / CALLS as f64
}
