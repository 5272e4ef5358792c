//! What a broker did, as short texts.

use workyard_engine::{Effect, read};
use workyard_protocol::channel::{
    Answer, Change, Delivery, HistoryBounds, HistoryRule, Member, NackReason, PresenceChange, Push,
    Question, Reply, Unanswered,
};
use workyard_protocol::{GroupName, ToClient, Value};

/// One effect; messages with their numbers, if so.
pub(crate) fn text(effect: &Effect, numbers: bool) -> String {
    let text_of_frame = |frame: &[u8]| text_of_frame(frame, numbers);
    match effect {
        Effect::Reply(to, _, frame) => format!("{}: {}", to.slot(), text_of_frame(frame)),
        Effect::Refused(to, _, refusal) => format!("{}: {refusal}", to.slot()),
        Effect::Push(to, frame) => format!("{} <- {}", to.slot(), text_of_frame(frame)),
        Effect::Publish(to, frame) => {
            let to: Vec<String> = to.iter().map(|session| session.slot().to_string()).collect();
            format!("{} <- {}", to.join(" "), text_of_frame(frame))
        }
        Effect::Disconnected(who, refusal) => format!("{} ends: {}", who.slot(), refusal.reason),
    }
}

fn text_of_frame(frame: &[u8], numbers: bool) -> String {
    match read(frame) {
        ToClient::Reply(_, reply) => text_of_reply(&reply),
        ToClient::Push(push) => text_of_push(push, numbers),
        other => panic!("a core sends no {other:?}"),
    }
}

fn text_of_reply(reply: &Reply<'_>) -> String {
    match reply {
        Reply::Done => "done".to_owned(),
        Reply::Published { receivers } => format!("published to {receivers}"),
        Reply::Subscribed { marks } => format!("subscribed at {marks:?}"),
        Reply::Histories { cursor, rules } => {
            let mut text = String::new();
            for HistoryRule { pattern, bounds: HistoryBounds { messages_max, bytes_max, age } } in
                rules
            {
                text +=
                    &format!("{pattern}: {messages_max}, {bytes_max} B, {} ms; ", age.as_millis());
            }
            format!("{text}next {cursor}")
        }
        Reply::Enqueued { job, duplicate: false } => format!("enqueued {job}"),
        Reply::Enqueued { job, duplicate: true } => format!("{job} already"),
        Reply::Presence(page) => {
            let members: Vec<String> = page.member_list.iter().map(text_of_member).collect();
            let group = |(name, count): &(GroupName<'_>, u64)| format!("{name}: {count}");
            let groups: Vec<String> = page.group_list.iter().map(group).collect();
            format!(
                "{} by name, {} by pattern, {} groups [{}], {} serve; {} members [{}], next {}",
                page.subscribers,
                page.pattern_subscribers,
                page.groups,
                groups.join(", "),
                page.responders,
                page.members,
                members.join(", "),
                page.cursor
            )
        }
        Reply::Asked { question } => format!("asked {question}"),
        Reply::Queues { cursor, queues } => {
            let mut text = String::new();
            for stats in queues {
                text += &format!(
                    "{}: ready {} leased {} consumers {} oldest {} ms; ",
                    stats.queue, stats.ready, stats.leased, stats.consumers, stats.oldest_ms
                );
                if stats.delayed + stats.dead > 0 {
                    text += &format!("delayed {} dead {}; ", stats.delayed, stats.dead);
                }
            }
            format!("{text}next {cursor}")
        }
        Reply::Renewed { lost } => format!("renewed but for {lost:?}"),
        Reply::Counted { jobs, cursor } => format!("{jobs} jobs, next {cursor}"),
        Reply::Settings { own, in_force } => format!("{own:?} in force {in_force:?}"),
        Reply::Dead { cursor, jobs } => {
            let mut text = String::new();
            for dead in jobs {
                let reason = dead.reason.map_or("", NackReason::as_str);
                text += &format!(
                    "{} after {} by {:?} ({reason}) {} ms ago; ",
                    dead.job, dead.attempts, dead.cause, dead.age_ms
                );
            }
            format!("{text}next {cursor}")
        }
    }
}

fn text_of_member(member: &Member<'_>) -> String {
    format!("{} {}", member.session as u32, String::from_utf8_lossy(member.identity))
}

fn text_of_push(push: Push<'_>, numbers: bool) -> String {
    match push {
        Push::Message { delivery, channel, sequence, position, value } => {
            let value = value.to_value();
            let channel = match numbers {
                true if position > 0 => format!("{channel} #{sequence} @{position}"),
                true => format!("{channel} #{sequence}"),
                false => channel.to_string(),
            };
            match delivery {
                Delivery::Everybody => format!("{channel}: {value}"),
                Delivery::One => format!("{channel}: {value} (one)"),
                Delivery::Group(group) => format!("{channel}: {value} (group {group})"),
            }
        }
        Push::Job { queue, job, attempt, value, .. } => {
            let value: Value = value.to_value();
            match attempt {
                1 => format!("job {job} of {queue}: {value}"),
                _ => format!("job {job} of {queue}: {value} (attempt {attempt})"),
            }
        }
        Push::Question(Question { question, channel, attempt, timeout_ms, value }) => {
            let again = if attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
            format!(
                "question {question} on {channel}: {} ({timeout_ms} ms{again})",
                value.to_value()
            )
        }
        Push::Answered(Answer { question, declined, value }) => {
            let what = if declined { "declined" } else { "answer" };
            format!("{what} {question}: {}", value.to_value())
        }
        Push::Unanswered(Unanswered { question, cause }) => {
            format!("unanswered {question}: {cause:?}")
        }
        Push::Presence(PresenceChange { channel, change }) => match change {
            Change::Joined(member) => format!("{channel}: joined {}", text_of_member(&member)),
            Change::Left { session } => format!("{channel}: left {}", session as u32),
            Change::Missed => format!("{channel}: missed"),
        },
        Push::Gap { channel, from, to, missed, replay: 0 } => {
            let channel = channel.map_or("something".to_owned(), |name| name.to_string());
            format!("{channel} #{from}..#{to} missed, {missed}")
        }
        Push::Gap { channel, from, to, missed, replay } => {
            let channel = channel.map_or("something".to_owned(), |name| name.to_string());
            format!("replay {replay}: {channel} #{from}..#{to} gone, {missed}")
        }
        Push::Replayed { replay, channel, sequence, position, value } => {
            format!("replay {replay}: {channel} #{sequence} @{position}: {}", value.to_value())
        }
        Push::CaughtUp { replay, mark } => format!("replay {replay}: done at {mark}"),
    }
}
