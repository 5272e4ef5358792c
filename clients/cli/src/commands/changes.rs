//! `workyard changes|wait`: variables as they change.

use super::lifetimes::in_millis;
use super::variables::{say_entry, say_missing};
use super::{check_restored, globaldata_client};
use crate::args::{Changes, Global, Wait};
use crate::exit::{Revoked, Status};
use crate::output::Output;
use crate::signals::Signals;
use crate::value;
use serde_json::{Value as Json, json};
use std::time::Duration;
use workyard_globaldata::{Position, Value, Waited, WatchEvent};

pub(crate) async fn changes(
    global: &Global,
    args: &Changes,
    output: &Output,
) -> anyhow::Result<Status> {
    let mut signals = Signals::new()?;
    let client = globaldata_client(global).await?;
    let mut events = client.events();
    let mut watching =
        if args.prefix { client.watch_prefix(&args.key) } else { client.watch(&args.key) };
    if args.from_now {
        watching = watching.from_now();
    }
    if args.no_values {
        watching = watching.without_values();
    }
    if let Some(position) = &args.after {
        watching = watching.after(position.clone());
    }
    let mut watcher = watching.await?;
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        tokio::select! {
            change = watcher.next() => match change {
                Some(change) => say(&change, watcher.position().as_ref(), *output)?,
                None => return Err(Revoked("the server ended the watch".to_owned()).into()),
            },
            event = events.next() => {
                check_restored(event)?;
                continue;
            }
            () = signals.next() => break,
        }
        left -= 1;
    }
    Ok(Status::Done)
}

fn say(event: &WatchEvent, position: Option<&Position>, output: Output) -> anyhow::Result<()> {
    let key = event.key().map(|key| String::from_utf8_lossy(key).into_owned());
    let key = key.unwrap_or_default();
    let document = |name: &str| {
        let position = position.map(ToString::to_string);
        match event.revision() {
            Some(revision) => {
                json!({ "event": name, "key": key, "revision": revision, "position": position })
            }
            None => json!({ "event": name, "position": position }),
        }
    };
    match event {
        WatchEvent::Stored { value, ttl, .. } => {
            let text = || match value {
                Some(value) => format!("{key} = {}", value::shown(value)),
                None => format!("{key} stored"),
            };
            output.say(text, || stored(document("stored"), value.as_ref(), *ttl))
        }
        WatchEvent::Deleted { .. } => {
            output.say(|| format!("{key} deleted"), || document("deleted"))
        }
        WatchEvent::Expired { .. } => {
            output.say(|| format!("{key} expired"), || document("expired"))
        }
        WatchEvent::CaughtUp => {
            output.say(|| "(that is how it stands)".to_owned(), || document("caught_up"))
        }
        WatchEvent::Restarted { shard } => output.say(
            || "(some changes are not known: it begins anew)".to_owned(),
            || json!({ "event": "restarted", "server": shard, "position": null }),
        ),
        _ => Ok(()),
    }
}

fn stored(mut document: Json, value: Option<&Value>, ttl: Option<Duration>) -> Json {
    document["ttl_ms"] = json!(in_millis(ttl));
    if let Some(value) = value {
        document["value"] = value::to_json(value);
        document["kind"] = json!(value.as_ref().tag().name());
    }
    document
}

pub(crate) async fn wait(global: &Global, args: &Wait, output: &Output) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    let known = match args.revision {
        None if !args.absent => client.revision(&args.key).await?,
        revision => revision,
    };
    let time = args.time.unwrap_or(Duration::MAX);
    match client.wait_until_changed(&args.key, known, time).await? {
        Waited::Changed(Some(entry)) => say_entry(*output, &args.key, &entry)?,
        Waited::Changed(None) => say_missing(*output, &args.key)?,
        Waited::TimedOut => {
            if !output.is_json() {
                anstream::eprintln!("{} has not changed", args.key);
            }
            output.say(String::new, || json!({ "key": args.key, "changed": false }))?;
            return Ok(Status::No);
        }
    }
    Ok(Status::Done)
}
