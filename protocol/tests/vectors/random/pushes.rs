//! Anything that channel-server sends unasked.

use super::*;

pub(crate) fn channel_push() -> impl Strategy<Value = channel::Push<'static>> {
    use channel::{Push, Question};
    let delivery = prop_oneof![
        Just(Delivery::Everybody),
        Just(Delivery::One),
        group().prop_map(Delivery::Group)
    ];
    prop_oneof![
        (delivery, channel(), wide(), wide(), value()).prop_map(
            |(delivery, channel, sequence, position, value)| Push::Message {
                delivery,
                channel,
                sequence,
                position,
                value
            }
        ),
        (option::of(channel()), wide(), wide(), wide(), any::<u32>()).prop_map(
            |(channel, from, to, missed, replay)| Push::Gap { channel, from, to, missed, replay }
        ),
        (any::<u32>(), channel(), wide(), wide(), value()).prop_map(
            |(replay, channel, sequence, position, value)| Push::Replayed {
                replay,
                channel,
                sequence,
                position,
                value
            }
        ),
        (any::<u32>(), wide()).prop_map(|(replay, mark)| Push::CaughtUp { replay, mark }),
        (queue(), wide(), any::<u32>(), wide(), any::<u32>(), value()).prop_map(
            |(queue, job, attempt, lease, lease_ms, value)| Push::Job {
                queue,
                job,
                attempt,
                lease,
                lease_ms,
                value
            }
        ),
        (wide(), channel(), any::<u32>(), any::<u32>(), value()).prop_map(
            |(question, channel, attempt, timeout_ms, value)| Push::Question(Question {
                question,
                channel,
                attempt,
                timeout_ms,
                value
            })
        ),
        answer().prop_map(Push::Answered),
        (channel(), change())
            .prop_map(|(channel, change)| Push::Presence(PresenceChange { channel, change })),
        (wide(), cause())
            .prop_map(|(question, cause)| Push::Unanswered(Unanswered { question, cause })),
    ]
}
