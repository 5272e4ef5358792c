//! What is told of messages that will not come.

use workyard_engine::Loss;
use workyard_protocol::ChannelName;
use workyard_protocol::channel::Push;

/// They belong to no replay.
pub(crate) fn gap(loss: Loss<'_>) -> Push<'_> {
    let Loss { topic, from, to, missed } = loss;
    Push::Gap { channel: topic.map(known), from, to, missed, replay: 0 }
}

/// The channel under whose name something was counted, or held.
pub(crate) fn known(name: &[u8]) -> ChannelName<'_> {
    ChannelName::new(name).expect("it was a channel's name when it came")
}
