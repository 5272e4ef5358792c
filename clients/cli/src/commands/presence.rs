//! `workyard presence`: who is in a channel, and who comes and goes.

use super::{channel_client, check_restored};
use crate::args::{Global, Presence};
use crate::exit::{Revoked, Status};
use crate::output::Output;
use crate::signals::Signals;
use serde_json::json;
use workyard_channel::{self as channel, ChannelClient, PresenceEvent};

pub(crate) async fn presence(
    global: &Global,
    args: &Presence,
    output: &Output,
) -> anyhow::Result<Status> {
    let mut signals = Signals::new()?;
    let client = channel_client(global).await?;
    let room = client.presence(&args.channel);
    if let Some(identity) = &args.enter {
        room.enter(identity).await?;
    }
    if args.follow {
        follow(&client, &room, args, &mut signals, *output).await?;
    } else {
        list(&room, *output).await?;
        if args.enter.is_some() {
            stay(&client, &mut signals).await?;
        }
    }
    if args.enter.is_some() {
        room.leave().await?;
    }
    Ok(Status::Done)
}

async fn list(room: &channel::Presence, output: Output) -> anyhow::Result<()> {
    let counts = room.counts().await?;
    output.say(
        || {
            format!(
                "{} entered, {} subscribe, {} by patterns, {} groups, {} serve",
                counts.members,
                counts.subscribers,
                counts.pattern_subscribers,
                counts.groups,
                counts.responders
            )
        },
        || {
            let group = |group: &channel::GroupCount| {
                json!({ "group": group.group_str(), "subscriptions": group.subscriptions })
            };
            let groups: Vec<_> = counts.group_list.iter().map(group).collect();
            json!({
                "members": counts.members, "subscribers": counts.subscribers,
                "pattern_subscribers": counts.pattern_subscribers, "groups": counts.groups,
                "group_list": groups, "responders": counts.responders,
            })
        },
    )?;
    let mut members = room.members();
    while let Some(member) = members.next().await.transpose()? {
        output.say(|| text("", &member), || document(None, &member))?;
    }
    Ok(())
}

async fn follow(
    client: &ChannelClient,
    room: &channel::Presence,
    args: &Presence,
    signals: &mut Signals,
    output: Output,
) -> anyhow::Result<()> {
    let mut changes = room.follow().await?;
    let mut events = client.events();
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        tokio::select! {
            change = changes.next() => match change {
                Some(change) => print(&change, output)?,
                None => return Err(Revoked("the server ended the following".to_owned()).into()),
            },
            event = events.next() => {
                check_restored(event)?;
                continue;
            }
            () = signals.next() => break,
        }
        left -= 1;
    }
    Ok(())
}

/// Returns when it is told to stop.
async fn stay(client: &ChannelClient, signals: &mut Signals) -> anyhow::Result<()> {
    let mut events = client.events();
    loop {
        tokio::select! {
            event = events.next() => check_restored(event)?,
            () = signals.next() => return Ok(()),
        }
    }
}

fn print(change: &PresenceEvent, output: Output) -> anyhow::Result<()> {
    match change {
        PresenceEvent::Joined(member) => {
            output.say(|| text("+ ", member), || document(Some("joined"), member))
        }
        PresenceEvent::Left(member) => {
            output.say(|| text("- ", member), || document(Some("left"), member))
        }
        PresenceEvent::CaughtUp => {
            output.say(|| "= that is everybody".to_owned(), || json!({ "event": "caught_up" }))
        }
    }
}

fn text(sign: &str, member: &channel::Member) -> String {
    format!("{sign}{} (session {})", member.identity_str(), member.session)
}

fn document(event: Option<&str>, member: &channel::Member) -> serde_json::Value {
    let (identity, session) = (member.identity_str(), member.session);
    match event {
        Some(event) => json!({ "event": event, "identity": identity, "session": session }),
        None => json!({ "identity": identity, "session": session }),
    }
}
