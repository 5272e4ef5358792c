//! What this adapter costs: processor time of this process for each message, with rumqttc alone and with
//! the adapter, in turn. Needs a broker: `overhead mqtt://127.0.0.1:1883`.

use std::error::Error;
use std::time::Duration;
use tokio::task::JoinSet;
use workyard_mqtt::rumqttc::{
    AsyncClient, ClientError, Event, EventLoop, MqttOptions, Packet, QoS as DriverQos,
};
use workyard_mqtt::{Mqtt, Options, Qos};

const ROUNDS: usize = 5;
const PAYLOAD: [u8; 64] = [7; 64];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[expect(clippy::print_stdout, reason = "it is what the program is for")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "mqtt://127.0.0.1".to_owned());
    let adapter = adapter(&url).await?;
    println!("microseconds of processor time for each message of 64 bytes, QoS 1");
    println!("{:>14} {:>10} {:>10} {:>8}", "at the time", "rumqttc", "adapter", "ratio");
    for (callers, messages) in [(1, 20_000), (10, 100_000), (100, 100_000)] {
        let (mut alone, mut wrapped) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            alone.push(with_driver(&url, callers, messages).await?);
            wrapped.push(with_adapter(&adapter, callers, messages).await?);
        }
        let (alone, wrapped) = (median(alone), median(wrapped));
        println!("{callers:>14} {alone:>10.2} {wrapped:>10.2} {:>8.3}", wrapped / alone);
    }
    adapter.close().await;
    Ok(())
}

async fn adapter(url: &str) -> Result<Mqtt> {
    let adapter = Mqtt::with(Options::new(url))?;
    adapter.ready().await?;
    Ok(adapter)
}

/// As many under way as with the adapter, each acknowledged before it counts.
async fn with_driver(url: &str, callers: usize, messages: usize) -> Result<f64> {
    let address = url.trim_start_matches("mqtt://").trim_end_matches('/');
    let (host, port) = address.split_once(':').unwrap_or((address, "1883"));
    let mut options = MqttOptions::new("overhead", host, port.parse()?);
    options.set_inflight(u16::try_from(callers)?);
    let (client, mut events) = AsyncClient::new(options, callers);
    connected(&mut events).await?;
    let before = processor_time()?;
    let publishing = tokio::spawn(async move {
        for _ in 0..messages {
            client.publish("overhead", DriverQos::AtLeastOnce, false, PAYLOAD).await?;
        }
        Ok::<_, ClientError>(client)
    });
    let mut acknowledged = 0;
    while acknowledged < messages {
        if let Event::Incoming(Packet::PubAck(_)) = events.poll().await? {
            acknowledged += 1;
        }
    }
    let spent = processor_time()? - before;
    drop(publishing.await??);
    Ok(each(spent, messages))
}

async fn connected(events: &mut EventLoop) -> Result<()> {
    while !matches!(events.poll().await?, Event::Incoming(Packet::ConnAck(_))) {}
    Ok(())
}

async fn with_adapter(adapter: &Mqtt, callers: usize, messages: usize) -> Result<f64> {
    let before = processor_time()?;
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let adapter = adapter.clone();
        tasks.spawn(async move {
            for _ in 0..messages / callers {
                let payload = PAYLOAD.to_vec();
                adapter.publish("overhead", payload, Qos::AtLeastOnce, false).await?;
            }
            Ok::<_, workyard_mqtt::Error>(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(each(processor_time()? - before, messages))
}

fn each(spent: Duration, messages: usize) -> f64 {
    spent.as_secs_f64() * 1e6 / messages as f64
}

/// Of the thread that everything runs on, in the system and out of it.
fn processor_time() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
