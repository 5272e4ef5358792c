//! `workyard append|prepend|min|max|swap|take|rate-limit`: what changes a variable by what it holds.

use super::globaldata_client;
use super::lifetimes::{in_millis, in_words};
use super::variables::say_missing;
use crate::args::{Append, Global, OneKey, OneNumber, RateLimit, Set};
use crate::exit::Status;
use crate::output::Output;
use crate::value;
use serde_json::json;
use std::io::Read;
use workyard_globaldata::{GlobalDataClient, Number, Value, Verdict};

/// Which end of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Behind,
    Before,
}

pub(crate) async fn append(
    global: &Global,
    args: &Append,
    side: Side,
    output: &Output,
) -> anyhow::Result<Status> {
    let text = text(&args.text)?;
    let client = lasting(globaldata_client(global).await?, args.ttl);
    let length = match side {
        Side::Behind => client.append(&args.key, text).await?,
        Side::Before => client.prepend(&args.key, text).await?,
    };
    output.say(|| length.to_string(), || json!({ "key": args.key, "bytes": length }))?;
    Ok(Status::Done)
}

/// Text as it stands on the command line; `-` reads standard input, all of it.
fn text(argument: &str) -> anyhow::Result<Vec<u8>> {
    if argument != "-" {
        return Ok(argument.as_bytes().to_vec());
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(crate) async fn min(
    global: &Global,
    args: &OneNumber,
    output: &Output,
) -> anyhow::Result<Status> {
    let number = value::require_number(&args.number)?;
    let client = lasting(globaldata_client(global).await?, args.ttl);
    say_number(*output, &args.key, client.min(&args.key, number).await?)
}

pub(crate) async fn max(
    global: &Global,
    args: &OneNumber,
    output: &Output,
) -> anyhow::Result<Status> {
    let number = value::require_number(&args.number)?;
    let client = lasting(globaldata_client(global).await?, args.ttl);
    say_number(*output, &args.key, client.max(&args.key, number).await?)
}

pub(super) fn say_number(output: Output, key: &str, number: Number) -> anyhow::Result<Status> {
    let document = || json!({ "key": key, "value": value::to_json(&value::to_value(number)) });
    output.say(|| number.to_string(), document)?;
    Ok(Status::Done)
}

pub(crate) async fn swap(global: &Global, args: &Set, output: &Output) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let value = value::parse(&args.value, args.kind)?;
    let client = client.with_expiry(args.lifetime.expiry());
    let old = client.swap_value(&args.key, &value).await?;
    say_old(*output, &args.key, old)
}

pub(crate) async fn take(
    global: &Global,
    args: &OneKey,
    output: &Output,
) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let old = client.take_value(&args.key).await?;
    say_old(*output, &args.key, old)
}

fn say_old(output: Output, key: &str, old: Option<Value>) -> anyhow::Result<Status> {
    let Some(value) = old else {
        say_missing(output, key)?;
        return Ok(Status::No);
    };
    let kind = value.as_ref().tag().name();
    let document = || json!({ "key": key, "value": value::to_json(&value), "kind": kind });
    output.say(|| value::shown(&value), document)?;
    Ok(Status::Done)
}

pub(crate) async fn rate_limit(
    global: &Global,
    args: &RateLimit,
    output: &Output,
) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let limit = client.rate_limit(&args.key, args.most, args.per);
    let verdict = limit.check_many(args.count).await?;
    let Verdict { allowed, remaining, reset_in, .. } = verdict;
    let text = || {
        let word = if allowed { "allowed" } else { "not allowed" };
        let end = reset_in.map_or_else(
            || "it does not end".to_owned(),
            |left| format!("it ends in {}", in_words(Some(left))),
        );
        format!("{word}, {remaining} left in this window: {end}")
    };
    let document = || {
        json!({
            "key": args.key, "allowed": allowed, "remaining": remaining,
            "reset_in_ms": in_millis(reset_in),
        })
    };
    output.say(text, document)?;
    Ok(if allowed { Status::Done } else { Status::No })
}

/// What these say of the lifetime: as long as there was, unless a time is given.
pub(super) fn lasting(
    client: GlobalDataClient,
    ttl: Option<std::time::Duration>,
) -> GlobalDataClient {
    match ttl {
        Some(ttl) => client.with_ttl(ttl),
        None => client,
    }
}
