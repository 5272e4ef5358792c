//! The recorder, with an eye on routes.

use std::collections::{HashMap, HashSet};
use workyard_engine::{Caller, Effect, Outbox, Publication, Recorder, Route, SessionId};
use workyard_protocol::Refusal;
use workyard_protocol::channel::{ChannelWire, Push, Reply};

/// Records effects, and checks of every route that it always has the same recipients.
#[derive(Default)]
pub(crate) struct Watched {
    recorder: Recorder,
    known: HashMap<Route, Vec<SessionId>>,
    /// The routes of the publications since the last [`Watched::take`].
    pub(crate) routes: Vec<Route>,
}

impl Watched {
    /// Takes what happened since the last call.
    pub(crate) fn take(&mut self) -> Vec<Effect> {
        self.routes.clear();
        self.recorder.take()
    }

    /// Sessions that have no room.
    pub(crate) fn full(&mut self) -> &mut HashSet<SessionId> {
        &mut self.recorder.full
    }
}

impl Outbox<ChannelWire> for Watched {
    fn reply(&mut self, to: Caller, reply: Reply<'_>) {
        Outbox::<ChannelWire>::reply(&mut self.recorder, to, reply);
    }

    fn refuse(&mut self, to: Caller, refusal: Refusal) {
        Outbox::<ChannelWire>::refuse(&mut self.recorder, to, refusal);
    }

    fn push(&mut self, to: SessionId, push: Push<'_>) {
        Outbox::<ChannelWire>::push(&mut self.recorder, to, push);
    }

    fn publish(
        &mut self,
        publication: Publication<'_, Push<'_>>,
        recipients: impl IntoIterator<Item = SessionId>,
    ) {
        let recipients: Vec<SessionId> = recipients.into_iter().collect();
        assert!(!recipients.is_empty(), "nobody is never a recipient");
        let known = self.known.entry(publication.route).or_insert_with(|| recipients.clone());
        assert_eq!(*known, recipients, "equal routes mean equal recipients, for ever");
        self.routes.push(publication.route);
        Outbox::<ChannelWire>::publish(&mut self.recorder, publication, recipients);
    }

    fn has_room(&mut self, session: SessionId) -> bool {
        Outbox::<ChannelWire>::has_room(&mut self.recorder, session)
    }

    fn disconnect(&mut self, session: SessionId, refusal: Refusal) {
        Outbox::<ChannelWire>::disconnect(&mut self.recorder, session, refusal);
    }
}
