//! What subscriptions say of messages for which their sessions have no room, where it is not the usual.

use super::{GroupId, Subscription, TopicId};
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use workyard_engine::SessionId;
use workyard_protocol::channel::WhenSlow;

/// All of them, found by what is published to.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    by_topic: HashMap<TopicId, BTreeMap<(Option<GroupId>, SessionId), WhenSlow>>,
}

/// A session that shall not just lose a message, and the subscription that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Careful {
    pub(crate) session: SessionId,
    pub(crate) subscription: Subscription,
    pub(crate) when_slow: WhenSlow,
}

impl Policies {
    /// Whether all subscriptions are content with losing the newest.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_topic.is_empty()
    }

    /// Notes what one says. Returns whether it said something else before.
    pub(crate) fn set(&mut self, careful: Careful) -> bool {
        let Careful { session, subscription: Subscription { topic, group }, when_slow } = careful;
        if when_slow != WhenSlow::DropNewest {
            let here = self.by_topic.entry(topic).or_default();
            return here.insert((group, session), when_slow) != Some(when_slow);
        }
        let Some(here) = self.by_topic.get_mut(&topic) else { return false };
        let known = here.remove(&(group, session)).is_some();
        if here.is_empty() {
            self.by_topic.remove(&topic);
        }
        known
    }

    /// What counts for a session of what it says of these topics: that by which the least is lost.
    pub(crate) fn strongest(
        &self,
        session: SessionId,
        topics: &[TopicId],
        group: Option<GroupId>,
    ) -> Option<Careful> {
        let of_topic = |topic: &TopicId| {
            let when_slow = *self.by_topic.get(topic)?.get(&(group, session))?;
            let subscription = Subscription { topic: *topic, group };
            Some(Careful { session, subscription, when_slow })
        };
        topics
            .iter()
            .filter_map(of_topic)
            .reduce(|best, other| if other.when_slow > best.when_slow { other } else { best })
    }

    /// The same of all sessions that are in no group, ascending.
    pub(crate) fn everybody(&self, topics: &[TopicId], found: &mut Vec<Careful>) {
        found.clear();
        for topic in topics {
            let here = self.by_topic.get(topic).into_iter().flatten();
            let plain = here.take_while(|((group, _), _)| group.is_none());
            found.extend(plain.map(|((group, session), when_slow)| Careful {
                session: *session,
                subscription: Subscription { topic: *topic, group: *group },
                when_slow: *when_slow,
            }));
        }
        if topics.len() > 1 {
            found.sort_by_key(|careful| (careful.session, Reverse(careful.when_slow)));
            found.dedup_by_key(|careful| careful.session);
        }
    }
}
