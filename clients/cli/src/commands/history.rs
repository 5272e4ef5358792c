//! `workyard history keep|drop|list`.

use super::channel_client;
use crate::args::{Global, History, HistoryDrop, HistoryKeep, HistoryList};
use crate::exit::Status;
use crate::output::Output;
use serde_json::json;
use workyard_channel::{Error, Keep, Reason};

pub(crate) async fn history(
    global: &Global,
    args: &History,
    output: &Output,
) -> anyhow::Result<Status> {
    match args {
        History::Keep(args) => keep(global, args).await,
        History::Drop(args) => drop_rule(global, args).await,
        History::List(args) => list(global, args, *output).await,
    }
}

async fn keep(global: &Global, args: &HistoryKeep) -> anyhow::Result<Status> {
    let HistoryKeep { pattern, messages_max, bytes_max, age } = args;
    let keep = Keep { messages_max: *messages_max, bytes_max: *bytes_max, age: *age };
    channel_client(global).await?.keep_history(pattern, keep).await?;
    Ok(Status::Done)
}

async fn drop_rule(global: &Global, args: &HistoryDrop) -> anyhow::Result<Status> {
    match channel_client(global).await?.drop_history(&args.pattern).await {
        Ok(()) => Ok(Status::Done),
        Err(error) if Error::reason(&error) == Some(Reason::UnknownRule) => Ok(Status::No),
        Err(error) => Err(error.into()),
    }
}

async fn list(global: &Global, args: &HistoryList, output: Output) -> anyhow::Result<Status> {
    let client = channel_client(global).await?;
    let mut rules = client.histories(&args.prefix);
    while let Some(rule) = rules.next().await.transpose()? {
        let Keep { messages_max, bytes_max, age } = rule.keep;
        let (pattern, time) = (rule.pattern_str(), humantime::format_duration(age));
        output.say(
            || format!("{pattern}: {messages_max} messages, {bytes_max} bytes, {time}"),
            || {
                let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
                json!({
                    "pattern": pattern, "messages_max": messages_max, "bytes_max": bytes_max,
                    "age_ms": age_ms,
                })
            },
        )?;
    }
    Ok(Status::Done)
}
