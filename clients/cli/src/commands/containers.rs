//! `workyard list|members|map`: lists, sets and maps, item by item.

use super::globaldata_client;
use super::modifications::lasting;
use crate::args::{
    Fields, Global, Items, List, ListPop, ListPush, ListRange, Map, MapIncr, MapSet, Members,
};
use crate::exit::Status;
use crate::output::Output;
use crate::value;
use serde_json::json;
use workyard_globaldata::{Error, GlobalDataClient, Value};

pub(crate) async fn list(global: &Global, list: &List, output: &Output) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    match list {
        List::Push(args) => push(client, args, *output).await,
        List::Pop(args) => pop(&client, args, *output).await,
        List::Range(args) => range(&client, args, *output).await,
        List::Len(args) => say_length(*output, &args.key, client.list(&args.key).len().await),
    }
}

async fn push(client: GlobalDataClient, args: &ListPush, output: Output) -> anyhow::Result<Status> {
    let items = parse_all(&args.item, args.kind)?;
    let mut list = lasting(client, args.prolonged.ttl).list(&args.key);
    if let Some(keep) = args.keep {
        list = list.keep(keep);
    }
    let pushed = match args.front {
        true => list.push_front_values(&items).await,
        false => list.push_back_values(&items).await,
    };
    say_length(output, &args.key, pushed)
}

async fn pop(client: &GlobalDataClient, args: &ListPop, output: Output) -> anyhow::Result<Status> {
    let list = client.list(&args.key);
    let items = match args.back {
        true => list.pop_back_values(args.count).await?,
        false => list.pop_front_values(args.count).await?,
    };
    say_items(output, &items)?;
    Ok(if items.is_empty() { Status::No } else { Status::Done })
}

async fn range(
    client: &GlobalDataClient,
    args: &ListRange,
    output: Output,
) -> anyhow::Result<Status> {
    let count = usize::try_from(args.count)?;
    let items = client.list(&args.key).range_values(args.start, count).await?;
    say_items(output, &items)?;
    Ok(Status::Done)
}

fn say_items(output: Output, items: &[Value]) -> anyhow::Result<()> {
    for item in items {
        let kind = item.as_ref().tag().name();
        let document = || json!({ "value": value::to_json(item), "kind": kind });
        output.say(|| value::shown(item), document)?;
    }
    Ok(())
}

fn say_length(output: Output, key: &str, length: Result<u64, Error>) -> anyhow::Result<Status> {
    let length = length?;
    output.say(|| length.to_string(), || json!({ "key": key, "items": length }))?;
    Ok(Status::Done)
}

pub(crate) async fn members(
    global: &Global,
    members: &Members,
    output: &Output,
) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    match members {
        Members::Add(args) => {
            let set = lasting(client, args.prolonged.ttl).set_of(&args.key);
            let added = set.add_values(&parse_all(&args.item, args.kind)?).await?;
            say_count(*output, &args.key, "added", added)
        }
        Members::Remove(args) => {
            let set = lasting(client, args.prolonged.ttl).set_of(&args.key);
            let removed = set.remove_values(&parse_all(&args.item, args.kind)?).await?;
            say_count(*output, &args.key, "removed", removed)
        }
        Members::Has(args) => has(&client, args, *output).await,
        Members::Len(args) => say_length(*output, &args.key, client.set_of(&args.key).len().await),
    }
}

async fn has(client: &GlobalDataClient, args: &Items, output: Output) -> anyhow::Result<Status> {
    let items = parse_all(&args.item, args.kind)?;
    let flags = client.set_of(&args.key).contains_values(&items).await?;
    for (item, there) in args.item.iter().zip(&flags) {
        let word = if *there { "yes" } else { "no" };
        let document = || json!({ "key": args.key, "item": item, "there": there });
        output.say(|| format!("{word} {item}"), document)?;
    }
    Ok(if flags.iter().all(|there| *there) { Status::Done } else { Status::No })
}

/// None at all is the answer no.
fn say_count(output: Output, key: &str, what: &str, count: u64) -> anyhow::Result<Status> {
    output.say(|| count.to_string(), || json!({ "key": key, what: count }))?;
    Ok(if count > 0 { Status::Done } else { Status::No })
}

pub(crate) async fn map(global: &Global, map: &Map, output: &Output) -> anyhow::Result<Status> {
    let client = globaldata_client(global).await?;
    match map {
        Map::Set(args) => map_set(client, args, *output).await,
        Map::Get(args) => map_get(&client, args, *output).await,
        Map::Del(args) => {
            let removed = client.map(&args.key).remove_many(&args.field).await?;
            say_count(*output, &args.key, "removed", removed)
        }
        Map::Incr(args) => map_increment(client, args, *output).await,
        Map::Len(args) => say_length(*output, &args.key, client.map(&args.key).len().await),
    }
}

async fn map_set(
    client: GlobalDataClient,
    args: &MapSet,
    output: Output,
) -> anyhow::Result<Status> {
    let value = value::parse(&args.value, args.kind)?;
    let map = lasting(client, args.prolonged.ttl).map(&args.key);
    let is_new = map.set_values([(&args.field, &value)]).await? > 0;
    let document = || json!({ "key": args.key, "field": args.field, "new": is_new });
    output.say(String::new, document)?;
    Ok(Status::Done)
}

async fn map_get(
    client: &GlobalDataClient,
    args: &Fields,
    output: Output,
) -> anyhow::Result<Status> {
    let values = client.map(&args.key).field_values(&args.field).await?;
    let mut status = Status::Done;
    for (field, value) in args.field.iter().zip(values) {
        if value.is_none() {
            status = Status::No;
            if !output.is_json() {
                anstream::eprintln!("{field} does not exist");
            }
        }
        let document = || {
            let value = value.as_ref();
            let kind = value.map(|value| value.as_ref().tag().name());
            json!({ "field": field, "value": value.map(value::to_json), "kind": kind })
        };
        output.say(|| value.as_ref().map_or_else(String::new, value::shown), document)?;
    }
    Ok(status)
}

async fn map_increment(
    client: GlobalDataClient,
    args: &MapIncr,
    output: Output,
) -> anyhow::Result<Status> {
    let by = value::require_number(&args.by)?;
    let map = lasting(client, args.prolonged.ttl).map(&args.key);
    let number = map.increment(&args.field, by).await?;
    let value = value::to_value(number);
    let document =
        || json!({ "key": args.key, "field": args.field, "value": value::to_json(&value) });
    output.say(|| number.to_string(), document)?;
    Ok(Status::Done)
}

fn parse_all(items: &[String], kind: crate::args::Kind) -> anyhow::Result<Vec<Value>> {
    items.iter().map(|item| value::from_text(item, kind)).collect()
}
