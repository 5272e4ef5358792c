//! `workyard pub` and `workyard sub`.

use super::{channel_client, check_restored, input_lines};
use crate::args::{Global, Pub, Sub};
use crate::exit::{Revoked, Status};
use crate::output::Output;
use crate::signals::Signals;
use crate::value;
use futures_util::stream::select_all;
use futures_util::{FutureExt, StreamExt};
use serde_json::json;
use workyard_channel::{ChannelClient, Event, Message, Subscribing, Value};

pub(crate) async fn publish(
    global: &Global,
    args: &Pub,
    output: &Output,
) -> anyhow::Result<Status> {
    let client = channel_client(global).await?;
    let mut receivers = 0;
    if args.message == "-" {
        let mut lines = input_lines();
        while let Some(line) = lines.next_line().await? {
            receivers += publish_value(&client, args, &value::from_text(&line, args.kind)?).await?;
        }
    } else {
        let message = value::from_text(&args.message, args.kind)?;
        receivers = publish_value(&client, args, &message).await?;
    }
    output.say(|| receivers.to_string(), || json!({ "receivers": receivers }))?;
    let nobody = receivers == 0 && args.expect_receivers;
    Ok(if nobody { Status::No } else { Status::Done })
}

async fn publish_value(client: &ChannelClient, args: &Pub, value: &Value) -> anyhow::Result<u64> {
    let channels = std::iter::once(&args.channel).chain(&args.also);
    if !args.one {
        return Ok(client.publish_many_value(channels, value).await?);
    }
    let mut receivers = 0;
    for channel in channels {
        receivers += client.publish_one_value(channel, value).await?;
    }
    Ok(receivers)
}

pub(crate) async fn subscribe(
    global: &Global,
    args: &Sub,
    output: &Output,
) -> anyhow::Result<Status> {
    let mut signals = Signals::new()?;
    let client = channel_client(global).await?;
    let mut subscriptions = Vec::new();
    for channel in &args.channel {
        subscriptions.push(match &args.group {
            None => begun(args, client.subscribe(channel)).await?,
            Some(group) => begun(args, client.subscribe_group(channel, group)).await?,
        });
    }
    for pattern in &args.pattern {
        subscriptions.push(match &args.group {
            None => begun(args, client.subscribe_pattern(pattern)).await?,
            Some(group) => begun(args, client.subscribe_pattern_group(pattern, group)).await?,
        });
    }
    let several = args.channel.len() + args.pattern.len() > 1 || !args.pattern.is_empty();
    let mut messages = select_all(subscriptions);
    let mut events = client.events();
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => print(&message, several, *output)?,
                None => return Err(Revoked("the server ended the subscription".to_owned()).into()),
            },
            event = events.next() => {
                if let Some(Event::TooSlow { name }) = event {
                    // What came before it was too much is printed all the same.
                    while left > 0 && let Some(Some(message)) = messages.next().now_or_never() {
                        print(&message, several, *output)?;
                        left -= 1;
                    }
                    return Err(too_slow(&name));
                }
                check_restored(event)?;
                continue;
            }
            () = signals.next() => break,
        }
        left -= 1;
    }
    Ok(Status::Done)
}

fn too_slow(name: &[u8]) -> anyhow::Error {
    let name = String::from_utf8_lossy(name);
    Revoked(format!("{name}: a message found no room, and nothing shall be lost")).into()
}

/// With history and what is to be done when it is slow, as that is wanted.
fn begun(args: &Sub, subscribing: Subscribing) -> Subscribing {
    let subscribing = subscribing.when_slow(args.when_slow.into());
    match args.last {
        Some(count) => subscribing.last(count),
        None if args.history => subscribing.with_history(),
        None => subscribing,
    }
}

fn print(message: &Message, several: bool, output: Output) -> anyhow::Result<()> {
    let channel = message.channel_str();
    let (missed, interrupted) = (message.missed_before(), message.interrupted_before());
    output.say(
        || {
            let lost = if interrupted { "(the connection was lost for a while)\n" } else { "" };
            let gap = match message.missed_numbers_before() {
                Some(numbers) => {
                    format!("({missed} missed, {} to {})\n", numbers.start(), numbers.end())
                }
                None if missed > 0 => format!("({missed} missed)\n"),
                None => String::new(),
            };
            let source = if several { format!("{channel}: ") } else { String::new() };
            format!("{lost}{gap}{source}{}", message.value())
        },
        || {
            let value = value::to_json(message.value());
            let kind = message.value().as_ref().tag().name();
            json!({
                "channel": channel, "sequence": message.sequence(), "value": value, "kind": kind,
                "missed_before": missed,
                "interrupted_before": interrupted,
            })
        },
    )
}
