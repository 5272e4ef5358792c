//! Any interest, where it begins, and any rule by which messages are kept.

use super::{channel, group, ttl, wide};
use proptest::option;
use proptest::prelude::*;
use workyard_protocol::Pattern;
use workyard_protocol::channel::{
    HistoryBounds, HistoryRule, Interest, Start, Subscription, Topic, WhenSlow,
};

pub(crate) fn pattern() -> impl Strategy<Value = Pattern<'static>> {
    "[a-c]{0,2}(\\.[a-c*]){0,3}(\\.>)?"
        .prop_map(|text| Pattern::new(&*text.leak()).expect("the expression makes patterns"))
}

pub(crate) fn interest() -> impl Strategy<Value = Interest<'static>> {
    let topic = prop_oneof![channel().prop_map(Topic::Channel), pattern().prop_map(Topic::Pattern)];
    (topic, option::of(group())).prop_map(|(topic, group)| Interest { topic, group })
}

/// A group begins live, and only what begins live says what becomes of it while its session is slow.
pub(crate) fn subscription() -> impl Strategy<Value = Subscription<'static>> {
    (interest(), start(), when_slow()).prop_map(|(interest, start, when_slow)| {
        match (interest.group, start) {
            (None, Start::Last { .. } | Start::Resume { .. }) => {
                Subscription { start, ..Subscription::live(interest) }
            }
            _ => Subscription { when_slow, ..Subscription::live(interest) },
        }
    })
}

pub(crate) fn when_slow() -> impl Strategy<Value = WhenSlow> {
    prop_oneof![
        Just(WhenSlow::DropNewest),
        Just(WhenSlow::Latest),
        Just(WhenSlow::DropOldest),
        Just(WhenSlow::Disconnect),
    ]
}

pub(crate) fn start() -> impl Strategy<Value = Start> {
    prop_oneof![
        Just(Start::Live),
        (1..=u32::MAX, wide()).prop_map(|(replay, count)| Start::Last { replay, count }),
        (1..=u32::MAX, wide(), wide()).prop_map(|(replay, epoch, mark)| Start::Resume {
            replay,
            epoch,
            mark
        }),
    ]
}

pub(crate) fn history_rule() -> impl Strategy<Value = HistoryRule<'static>> {
    let some = || wide().prop_map(|number| number.max(1));
    (pattern(), some(), some(), ttl()).prop_map(|(pattern, messages_max, bytes_max, age)| {
        HistoryRule { pattern, bounds: HistoryBounds { messages_max, bytes_max, age } }
    })
}
