//! What a message of QoS 1 costs over one by rumqttc alone, in CPU time of this process:
//! `cargo run --release -p workyard-mqtt --example mqtt-overhead`. Needs Mosquitto.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use futures_util::future::try_join_all;
use workyard_mqtt::rumqttc::{
    AsyncClient, ClientError, Event, EventLoop, MqttOptions, Packet, QoS as DriverQos,
};
use workyard_mqtt::{Mqtt, Qos};
use workyard_testbed::{Cost, Mosquitto};

const ROUNDS: usize = 12;
const PAYLOAD: [u8; 64] = [7; 64];

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let broker = Mosquitto::setup().start().await;
    let adapter = Mqtt::open(&broker.url())?;
    adapter.ready().await?;
    println!("messages of {} bytes, medians of {ROUNDS} rounds, in turn", PAYLOAD.len());
    for (callers, messages) in [(1, 10_000), (10, 50_000), (100, 50_000)] {
        let mut driver = Driver::connect(broker.address(), callers).await?;
        let by_driver = async || driver.publish(messages).await;
        let by_adapter = async || {
            let calls = (0..callers).map(|_| publish(&adapter, messages / callers));
            try_join_all(calls).await.map(drop)
        };
        println!(
            "{callers:3} at once: {}",
            Cost::measure(ROUNDS, messages, by_driver, by_adapter).await?
        );
    }
    adapter.close().await;
    Ok(())
}

async fn publish(adapter: &Mqtt, messages: usize) -> Result<(), Failure> {
    for _ in 0..messages {
        adapter.publish("overhead", PAYLOAD.to_vec(), Qos::AtLeastOnce, false).await?;
    }
    Ok(())
}

/// The driver, with as many under way as there are callers of the adapter.
struct Driver {
    client: AsyncClient,
    events: EventLoop,
}

impl Driver {
    async fn connect(address: std::net::SocketAddr, at_once: usize) -> Result<Self, Failure> {
        let mut options = MqttOptions::new("overhead", address.ip().to_string(), address.port());
        options.set_inflight(u16::try_from(at_once)?);
        let (client, mut events) = AsyncClient::new(options, at_once);
        while !matches!(events.poll().await?, Event::Incoming(Packet::ConnAck(_))) {}
        Ok(Self { client, events })
    }

    /// Each is acknowledged before it counts.
    async fn publish(&mut self, messages: usize) -> Result<(), Failure> {
        let client = self.client.clone();
        let publishing = tokio::spawn(async move {
            for _ in 0..messages {
                client.publish("overhead", DriverQos::AtLeastOnce, false, PAYLOAD).await?;
            }
            Ok::<_, ClientError>(())
        });
        let mut acknowledged = 0;
        while acknowledged < messages {
            if let Event::Incoming(Packet::PubAck(_)) = self.events.poll().await? {
                acknowledged += 1;
            }
        }
        Ok(publishing.await??)
    }
}
