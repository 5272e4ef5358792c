//! What sessions ask about messages that are kept.

use super::{Asking, EPOCH, Seen, parse};
use workyard_protocol::channel::{
    DropHistory, Histories, HistoryBounds, KeepHistory, Request, Start, Subscribe, Subscription,
};
use workyard_protocol::{Pattern, Ttl};

impl Asking<'_> {
    /// Subscribes from the last messages: `subscribes_from("a, ~b.*", 3, &[1, 2])` as replays 1 and 2.
    pub(crate) fn subscribes_to_last(self, interests: &str, count: u64, replays: &[u32]) -> Seen {
        let starts = replays.iter().map(|replay| Start::Last { replay: *replay, count });
        self.subscribes_from(interests, starts)
    }

    /// Subscribes from a mark of this epoch.
    pub(crate) fn resumes(self, interest: &str, mark: u64, replay: u32) -> Seen {
        self.subscribes_from(interest, [Start::Resume { replay, epoch: EPOCH, mark }])
    }

    /// Subscribes from other starts than now.
    pub(crate) fn subscribes_from(
        self,
        interests: &str,
        starts: impl IntoIterator<Item = Start>,
    ) -> Seen {
        let subscription =
            |(interest, start)| Subscription { start, ..Subscription::live(interest) };
        let subscriptions = parse(interests).into_iter().zip(starts).map(subscription).collect();
        self.asks(Request::Subscribe(Subscribe { subscriptions }))
    }

    pub(crate) fn keeps(self, pattern: &str, messages_max: u64, bytes_max: u64, ms: u64) -> Seen {
        let age = Ttl::from_millis(ms).unwrap();
        let bounds = HistoryBounds { messages_max, bytes_max, age };
        let pattern = Pattern::new(pattern).unwrap();
        self.asks(Request::KeepHistory(KeepHistory { pattern, bounds }))
    }

    pub(crate) fn drops_history(self, pattern: &str) -> Seen {
        self.asks(Request::DropHistory(DropHistory { pattern: Pattern::new(pattern).unwrap() }))
    }

    pub(crate) fn lists_histories(self, prefix: &str, cursor: u64, limit: u32) -> Seen {
        let prefix = prefix.as_bytes();
        self.asks(Request::Histories(Histories { prefix, cursor, limit }))
    }
}
