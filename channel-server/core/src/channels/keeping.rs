//! The rules by which messages are kept, as sessions make and see them; and what time does to them.

use super::Channels;
use super::replay::Budget;
use workyard_engine::{Caller, Outbox, SessionId, Time};
use workyard_protocol::Refusal;
use workyard_protocol::channel::{ChannelWire, DropHistory, Histories, KeepHistory, Reply};

impl Channels {
    /// Makes or replaces a rule.
    ///
    /// # Errors
    /// `LimitReached`.
    pub(crate) fn keep_history(&mut self, request: &KeepHistory<'_>) -> Result<(), Refusal> {
        self.history.set_rule(request.pattern, request.bounds)?;
        self.changed = self.numbers.next();
        Ok(())
    }

    /// Ends a rule. What only it has kept is forgotten soon.
    ///
    /// # Errors
    /// `UnknownRule`.
    pub(crate) fn drop_history(&mut self, request: &DropHistory<'_>) -> Result<(), Refusal> {
        self.history.remove_rule(request.pattern)?;
        self.changed = self.numbers.next();
        Ok(())
    }

    /// Answers with a page of the rules.
    pub(crate) fn histories(
        &self,
        caller: Caller,
        request: Histories<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let (cursor, rules) = self.history.page(request);
        outbox.reply(caller, Reply::Histories { cursor, rules });
    }

    /// The session has room again. What is held for it goes before what it has replayed.
    pub(crate) fn drained(&mut self, session: SessionId, outbox: &mut impl Outbox<ChannelWire>) {
        if self.slow.drain(session, &self.groups, outbox) {
            self.replays.drained(session);
        }
    }

    /// When [`Channels::expire`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        match self.replays.are_due() {
            true => Some(Time::default()),
            false => self.history.next_deadline(),
        }
    }

    /// Forgets what is too old, and lets replays go on.
    pub(crate) fn expire(&mut self, now: Time, outbox: &mut impl Outbox<ChannelWire>) {
        self.history.expire(now, &mut self.logs);
        self.advance(Budget::default(), outbox);
    }
}
