//! `workyard get|set|add|cas|incr|del|keys`.

use super::globaldata_client;
use super::lifetimes::{in_millis, in_words};
use super::locks::fenced;
use super::modifications::say_number;
use crate::args::{
    Cas, Count, Del, Expected, FencedSet, Get, Global, Incr, Keys, Kind, KindName, Lifetime,
};
use crate::exit::{Status, Usage};
use crate::output::Output;
use crate::value;
use serde_json::json;
use workyard_globaldata::{Bounds, Conflict, Entry, Expiry, GlobalDataClient, KeyInfo, Number};

pub(crate) async fn get(global: &Global, args: &Get, output: &Output) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let entries = client.entries(&args.key).await?;
    let mut status = Status::Done;
    for (key, entry) in args.key.iter().zip(entries) {
        let Some(entry) = entry else {
            status = Status::No;
            say_missing(*output, key)?;
            continue;
        };
        say_entry(*output, key, &entry)?;
    }
    Ok(status)
}

pub(super) fn say_entry(output: Output, key: &str, entry: &Entry) -> anyhow::Result<()> {
    output.say(
        || value::shown(&entry.value),
        || {
            let kind = entry.value.as_ref().tag().name();
            let (value, revision) = (value::to_json(&entry.value), entry.revision);
            let ttl_ms = in_millis(entry.ttl);
            json!({
                "key": key, "value": value, "kind": kind, "revision": revision, "ttl_ms": ttl_ms,
            })
        },
    )
}

/// On standard error, so that a script that reads values reads only values.
pub(super) fn say_missing(output: Output, key: &str) -> anyhow::Result<()> {
    if !output.is_json() {
        anstream::eprintln!("{key} does not exist");
    }
    output.say(String::new, || json!({ "key": key, "value": null }))
}

pub(crate) async fn set(
    global: &Global,
    FencedSet { set: args, fence }: &FencedSet,
    output: &Output,
) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let value = value::parse(&args.value, args.kind)?;
    let client = client.with_expiry(args.lifetime.expiry());
    let revision = match fence.fenced {
        true => fenced(&client)?.set_value(&args.key, &value).await?,
        false => client.set_value(&args.key, &value).await?,
    };
    output.say(String::new, || json!({ "key": args.key, "revision": revision }))?;
    Ok(Status::Done)
}

pub(crate) async fn add(
    global: &Global,
    FencedSet { set: args, fence }: &FencedSet,
    output: &Output,
) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let value = value::parse(&args.value, args.kind)?;
    let client = client.with_expiry(args.lifetime.expiry());
    let added = match fence.fenced {
        true => fenced(&client)?.add_value(&args.key, &value).await?,
        false => client.add_value(&args.key, &value).await?,
    };
    if !added && !output.is_json() {
        anstream::eprintln!("{} exists already", args.key);
    }
    output.say(String::new, || json!({ "key": args.key, "added": added }))?;
    Ok(if added { Status::Done } else { Status::No })
}

pub(crate) async fn cas(global: &Global, args: &Cas, output: &Output) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let value = value::parse(&args.value, args.kind)?;
    let client = client.with_expiry(args.lifetime.expiry());
    let Expected { expect, revision } = &args.expected;
    let old = expect.as_deref().map(|old| value::from_text(old, args.kind)).transpose()?;
    let revision = revision.unwrap_or_default();
    let outcome = match (&old, args.fence.fenced) {
        (Some(old), false) => client.cas_value(&args.key, old, &value).await?,
        (Some(old), true) => fenced(&client)?.cas_value(&args.key, old, &value).await?,
        (None, false) => client.cas_to_value(&args.key, revision, &value).await?,
        (None, true) => fenced(&client)?.cas_to_value(&args.key, revision, &value).await?,
    };
    match outcome {
        Ok(revision) => {
            output.say(
                || revision.to_string(),
                || json!({ "key": args.key, "stored": true, "revision": revision }),
            )?;
            Ok(Status::Done)
        }
        Err(conflict) => {
            say_conflict(*output, &args.key, conflict)?;
            Ok(Status::No)
        }
    }
}

fn say_conflict(output: Output, key: &str, conflict: Conflict) -> anyhow::Result<()> {
    if !output.is_json() {
        anstream::eprintln!("{key}: {conflict}");
    }
    output.say(String::new, || json!({ "key": key, "stored": false, "current": conflict.current }))
}

pub(crate) async fn increment(
    global: &Global,
    args: &Incr,
    output: &Output,
) -> anyhow::Result<Status> {
    let by = value::require_number(&args.by)?;
    let initial = value::require_number(&args.initial)?;
    let client = globaldata_client(global).await?.with_expiry(counted(args));
    if args.fenced {
        let number = fenced(&client)?.increment(&args.key, by).await?;
        return say_number(*output, &args.key, number);
    }
    if let Some(bounds) = bounds(args)? {
        return increment_within(&client, args, by, bounds, *output).await;
    }
    let number = if args.existing {
        client.increment_existing(&args.key, by).await?
    } else {
        client.increment_from(&args.key, by, initial).await?
    };
    say_number(*output, &args.key, number)
}

fn bounds(args: &Incr) -> anyhow::Result<Option<Bounds>> {
    let number = |text: &Option<String>| text.as_deref().map(value::require_number).transpose();
    Ok(match (number(&args.at_least)?, number(&args.at_most)?) {
        (Some(least), Some(greatest)) => Some(Bounds::between(least, greatest)),
        (Some(least), None) => Some(Bounds::at_least(least)),
        (None, Some(greatest)) => Some(Bounds::at_most(greatest)),
        (None, None) if args.clamp => {
            return Err(Usage("--clamp needs --at-least or --at-most".to_owned()).into());
        }
        (None, None) => None,
    })
}

async fn increment_within(
    client: &GlobalDataClient,
    args: &Incr,
    by: Number,
    bounds: Bounds,
    output: Output,
) -> anyhow::Result<Status> {
    if args.clamp {
        let number = client.increment_clamped(&args.key, by, bounds).await?;
        return say_number(output, &args.key, number);
    }
    let stays = match client.increment_within(&args.key, by, bounds).await? {
        Ok(number) => return say_number(output, &args.key, number),
        Err(stays) => stays,
    };
    if !output.is_json() {
        anstream::eprintln!("{}: {stays}", args.key);
    }
    let current = value::to_json(&value::to_value(stays.current));
    output
        .say(String::new, || json!({ "key": args.key, "out_of_bounds": true, "value": current }))?;
    Ok(Status::No)
}

impl Lifetime {
    pub(super) fn expiry(self) -> Expiry {
        match self.ttl {
            Some(ttl) => Expiry::After(ttl),
            None if self.keep_ttl => Expiry::Keep,
            None => Expiry::Never,
        }
    }
}

/// What an increment says of the lifetime.
fn counted(args: &Incr) -> Expiry {
    match (args.ttl, args.ttl_if_new) {
        (Some(ttl), _) => Expiry::After(ttl),
        (None, Some(ttl)) => Expiry::AfterIfNew(ttl),
        (None, None) => Expiry::Keep,
    }
}

pub(crate) async fn delete(global: &Global, args: &Del, output: &Output) -> anyhow::Result<Status> {
    let auto = Kind { kind: KindName::Auto };
    let expected = args.only.expect.as_deref().map(|text| value::from_text(text, auto));
    let expected = expected.transpose()?;
    let client = globaldata_client(global).await?;
    let mut status = Status::Done;
    for key in &args.key {
        let outcome = match (&expected, args.only.revision, args.fence.fenced) {
            (Some(value), _, false) => client.delete_value(key, value).await?,
            (Some(value), _, true) => fenced(&client)?.delete_value(key, value).await?,
            (None, Some(revision), false) => client.delete_at(key, revision).await?,
            (None, Some(revision), true) => fenced(&client)?.delete_at(key, revision).await?,
            (None, None, false) => existing(client.delete(key).await?),
            (None, None, true) => existing(fenced(&client)?.delete(key).await?),
        };
        if outcome.is_err() {
            status = Status::No;
        }
        match outcome {
            Err(conflict @ Conflict { current: Some(_) }) => say_kept(*output, key, conflict)?,
            gone => output.say(String::new, || json!({ "key": key, "existed": gone.is_ok() }))?,
        }
    }
    Ok(status)
}

fn existing(existed: bool) -> Result<(), Conflict> {
    existed.then_some(()).ok_or(Conflict { current: None })
}

fn say_kept(output: Output, key: &str, conflict: Conflict) -> anyhow::Result<()> {
    if !output.is_json() {
        anstream::eprintln!("{key}: {conflict}");
    }
    output.say(String::new, || json!({ "key": key, "existed": true, "current": conflict.current }))
}

pub(crate) async fn keys(global: &Global, args: &Keys, output: &Output) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let mut keys = client.keys(&args.prefix);
    while let Some(info) = keys.next().await.transpose()? {
        output.say(
            || if args.long { in_full(&info) } else { info.key_str().into_owned() },
            || {
                json!({
                    "key": info.key_str(), "kind": info.tag.name(), "bytes": info.size,
                    "revision": info.revision, "ttl_ms": in_millis(info.ttl),
                })
            },
        )?;
    }
    Ok(Status::Done)
}

pub(crate) async fn count(
    global: &Global,
    args: &Count,
    output: &Output,
) -> anyhow::Result<Status> {
    let count = globaldata_client(global).await?.count(&args.prefix).await?;
    output.say(|| count.to_string(), || json!({ "count": count }))?;
    Ok(Status::Done)
}

/// The key comes last, as it may hold anything.
fn in_full(info: &KeyInfo) -> String {
    let (kind, left) = (info.tag.name(), in_words(info.ttl));
    format!("{:>10}  {kind:<11}  {left:>15}  {}", info.size, info.key_str())
}
