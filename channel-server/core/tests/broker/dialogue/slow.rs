//! What sessions say about messages for which they have no room.

use super::{Asking, Seen, parse};
use workyard_protocol::channel::{Request, Subscribe, Subscription, WhenSlow};

impl Asking<'_> {
    pub(crate) fn subscribes_when_slow(self, interests: &str, when_slow: WhenSlow) -> Seen {
        let wanted = |interest| Subscription { when_slow, ..Subscription::live(interest) };
        let subscriptions = parse(interests).into_iter().map(wanted).collect();
        self.asks(Request::Subscribe(Subscribe { subscriptions }))
    }

    /// The session has room, and the broker does not know yet.
    pub(crate) fn has_room_again(self) {
        self.0.outbox.full().remove(&self.1);
    }
}
