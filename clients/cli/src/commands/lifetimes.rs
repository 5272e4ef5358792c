//! `workyard touch|persist|ttl`, and how long variables live in words.

use super::globaldata_client;
use crate::args::{Global, OneKey, Touch};
use crate::exit::Status;
use crate::output::Output;
use serde_json::json;
use std::time::Duration;
use workyard_globaldata::TimeLeft;

pub(crate) async fn touch(
    global: &Global,
    args: &Touch,
    output: &Output,
) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let existed = client.touch(&args.key, args.ttl).await?;
    say_existed(*output, &args.key, existed)
}

pub(crate) async fn persist(
    global: &Global,
    args: &OneKey,
    output: &Output,
) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let existed = client.persist(&args.key).await?;
    say_existed(*output, &args.key, existed)
}

pub(crate) async fn ttl(global: &Global, args: &OneKey, output: &Output) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let left = match client.ttl(&args.key).await? {
        TimeLeft::Missing => return say_existed(*output, &args.key, false),
        TimeLeft::Forever => None,
        TimeLeft::Left(left) => Some(left),
    };
    output.say(
        || in_words(left),
        || json!({ "key": args.key, "existed": true, "ttl_ms": in_millis(left) }),
    )?;
    Ok(Status::Done)
}

/// A lifetime for people.
pub(super) fn in_words(left: Option<Duration>) -> String {
    match left {
        Some(left) => humantime::format_duration(left).to_string(),
        None => "forever".to_owned(),
    }
}

/// A lifetime in a document: `null` for ever.
pub(super) fn in_millis(left: Option<Duration>) -> Option<u64> {
    left.and_then(|left| u64::try_from(left.as_millis()).ok())
}

fn say_existed(output: Output, key: &str, existed: bool) -> anyhow::Result<Status> {
    if !existed && !output.is_json() {
        anstream::eprintln!("{key} does not exist");
    }
    output.say(String::new, || json!({ "key": key, "existed": existed }))?;
    Ok(if existed { Status::Done } else { Status::No })
}
