//! How many subscribe to a channel, by its name, by patterns and in groups.

use super::Channels;
use std::collections::BTreeMap;
use workyard_protocol::{ChannelName, GroupName};

/// Most groups that are told by name. A page has room for so many names and a thousand members.
const GROUPS_LISTED_MAX: usize = 100;

/// The subscribers of one channel.
#[derive(Debug)]
pub(crate) struct Counts<'c> {
    /// Sessions that subscribed to it by its name, groups apart.
    pub(crate) by_name: u64,
    /// Subscriptions to patterns that match it, groups apart.
    pub(crate) by_pattern: u64,
    /// Groups, each counted for the name and for every pattern.
    pub(crate) groups: u64,
    /// Some of them, with their subscriptions.
    pub(crate) group_list: Vec<(GroupName<'c>, u64)>,
}

impl Channels {
    /// Counts the subscribers of a channel. The time it takes grows with the patterns that match.
    pub(crate) fn counts(&self, channel: ChannelName<'_>) -> Counts<'_> {
        let mut topics = Vec::new();
        self.topics.matching(channel, &mut topics);
        let by_name = self.topics.channel(channel);
        let mut counts = Counts { by_name: 0, by_pattern: 0, groups: 0, group_list: Vec::new() };
        let mut listed = BTreeMap::new();
        for id in topics {
            let audience = &self.topics[id];
            let everybody = audience.everybody.len() as u64;
            match by_name == Some(id) {
                true => counts.by_name = everybody,
                false => counts.by_pattern += everybody,
            }
            counts.groups += audience.groups.len() as u64;
            for (group, members) in audience.groups.iter().take(GROUPS_LISTED_MAX) {
                *listed.entry(group).or_insert(0) += members.len() as u64;
            }
        }
        let listed = listed.into_iter().take(GROUPS_LISTED_MAX);
        counts.group_list = listed.map(|(group, count)| (self.groups.name(group), count)).collect();
        counts
    }
}
