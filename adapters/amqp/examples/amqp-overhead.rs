//! What a confirmed publish costs over one by the bare driver, in CPU time of this process:
//! `cargo run --release -p workyard-amqp --example amqp-overhead`. Needs RabbitMQ.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use futures_util::future::try_join_all;
use workyard_amqp::lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use workyard_amqp::lapin::{self, Channel, Connection, ConnectionProperties};
use workyard_amqp::{Amqp, Properties, Publish};
use workyard_testbed::{Cost, RabbitMq};

const ROUNDS: usize = 12;
const CALLS: usize = 5_000;
const BODY: &[u8] = &[b'x'; 100];

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let rabbit = RabbitMq::start().await;
    let url = rabbit.url(&rabbit.vhost().await);
    let amqp = Amqp::open(&url)?;
    amqp.ready().await?;
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let message = Publish::to("amq.topic", "nobody").body(BODY);
    for at_once in [1, 64] {
        let by_driver = async || -> Result<(), Failure> {
            for _ in 0..CALLS / at_once {
                try_join_all((0..at_once).map(|_| bare(&channel))).await?;
            }
            Ok(())
        };
        let by_adapter = async || {
            for _ in 0..CALLS / at_once {
                try_join_all((0..at_once).map(|_| amqp.publish(&message))).await?;
            }
            Ok(())
        };
        println!(
            "{at_once:3} at once: {}",
            Cost::measure(ROUNDS, CALLS, by_driver, by_adapter).await?
        );
    }
    Ok(())
}

async fn bare(channel: &Channel) -> lapin::Result<()> {
    let properties = Properties::default().with_delivery_mode(2);
    let (exchange, key) = ("amq.topic".into(), "nobody".into());
    let options = BasicPublishOptions::default();
    channel.basic_publish(exchange, key, options, BODY, properties).await?.await.map(drop)
}
