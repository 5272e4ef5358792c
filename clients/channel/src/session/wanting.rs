//! What the session does for subscriptions without history.

use super::asked::Asked;
use super::subscriptions::Removed;
use super::{ChannelSession, Done, LocalId, finish};
use crate::wanted::Wanted;
use workyard_link::{Event, Outbox};
use workyard_protocol::Refusal;
use workyard_protocol::channel::{Request, Subscribe, Subscription, Unsubscribe};

impl ChannelSession {
    pub(super) fn subscribe(&mut self, wanted: Vec<Wanted>, outbox: &mut Outbox) {
        if wanted.is_empty() {
            return;
        }
        let mut subscriptions = Vec::with_capacity(wanted.len());
        for wanted in &wanted {
            let when_slow = self.subscriptions.when_slow(wanted);
            subscriptions.push(Subscription { when_slow, ..Subscription::live(wanted.interest()) });
        }
        let subscribe = Request::Subscribe(Subscribe { subscriptions });
        let token = self.send(&subscribe, outbox);
        self.subscriptions.asked(token, &wanted);
        self.remember(token, Asked::Subscribe(wanted));
    }

    /// A subscription is gone. What is still wanted may be so with less care.
    pub(super) fn removed(&mut self, removed: Removed, done: Option<Done>, outbox: &mut Outbox) {
        match removed {
            Removed::Last(wanted, had_policy) if self.is_wanted(&wanted) => {
                finish(done);
                if had_policy {
                    self.subscribe(vec![wanted], outbox);
                }
            }
            Removed::Last(wanted, _) => self.unsubscribe(&wanted, done, outbox),
            Removed::Weaker(wanted) => {
                finish(done);
                self.subscribe(vec![wanted], outbox);
            }
            Removed::Unchanged => finish(done),
        }
    }

    /// A subscription that shall lose nothing had no room, here or at the server.
    pub(super) fn end_slow(&mut self, id: LocalId, outbox: &mut Outbox) {
        if let Some(name) = self.subscriptions.name(id)
            && let Some(removed) = self.subscriptions.remove(id)
        {
            self.removed(removed, None, outbox);
            outbox.event(Event::TooSlow { name });
        }
    }

    /// Finds out which of several interests the server does not want, by asking for halves.
    pub(super) fn not_subscribed(
        &mut self,
        token: u64,
        mut all: Vec<Wanted>,
        refusal: &Refusal,
        outbox: &mut Outbox,
    ) {
        if all.len() > 1 {
            let half = all.split_off(all.len() / 2);
            for part in [all, half] {
                let part = self.subscriptions.only_asked(token, part);
                self.subscribe(part, outbox);
            }
        } else if let Some(wanted) = all.pop()
            && self.subscriptions.refused(token, &wanted, refusal)
        {
            let refusal = refusal.clone();
            outbox.event(Event::RestoreRefused { name: wanted.name, refusal });
        }
    }

    pub(super) fn unsubscribe(&mut self, wanted: &Wanted, done: Option<Done>, outbox: &mut Outbox) {
        let interests = vec![wanted.interest()];
        let unsubscribe = Request::Unsubscribe(Unsubscribe { interests });
        self.request(&unsubscribe, Asked::End(done), outbox);
    }
}
