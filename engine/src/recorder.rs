//! An outbox that writes down what happened, for tests and simulations.

use crate::{Caller, Outbox, Publication, Route, SessionId};
use std::collections::HashSet;
use workyard_protocol::{Message, Refusal, RequestId, ToClient, Wire};

/// One thing that a core did, with the frame that the recipient would see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// An answer, as its frame.
    Reply(SessionId, RequestId, Vec<u8>),
    /// A refusal.
    Refused(SessionId, RequestId, Refusal),
    /// A push that must not be dropped, as its frame.
    Push(SessionId, Vec<u8>),
    /// A publication, as its frame.
    Publish(Vec<SessionId>, Vec<u8>),
    /// The end of a session.
    Disconnected(SessionId, Refusal),
}

/// Records effects in order, and checks what the contract asks of a core.
#[derive(Debug, Default)]
pub struct Recorder {
    /// What happened so far, oldest first. Take or clear it between steps.
    pub effects: Vec<Effect>,
    /// Sessions that have no room.
    pub full: HashSet<SessionId>,
    route: Option<(Route, Vec<SessionId>)>,
}

impl Recorder {
    /// Takes what happened since the last call.
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn frame<'a, W: Wire>(frame: &ToClient<'a, W::Reply<'a>, W::Push<'a>>) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        bytes
    }
}

impl<W: Wire> Outbox<W> for Recorder {
    fn reply(&mut self, to: Caller, reply: W::Reply<'_>) {
        let bytes = Self::frame::<W>(&ToClient::Reply(to.request, reply));
        self.effects.push(Effect::Reply(to.session, to.request, bytes));
    }

    fn refuse(&mut self, to: Caller, refusal: Refusal) {
        self.effects.push(Effect::Refused(to.session, to.request, refusal));
    }

    fn push(&mut self, to: SessionId, push: W::Push<'_>) {
        let bytes = Self::frame::<W>(&ToClient::Push(push));
        self.effects.push(Effect::Push(to, bytes));
    }

    /// # Panics
    /// When a route comes back with other recipients than it had.
    fn publish(
        &mut self,
        publication: Publication<'_, W::Push<'_>>,
        recipients: impl IntoIterator<Item = SessionId>,
    ) {
        let recipients: Vec<_> = recipients.into_iter().collect();
        if let Some((route, known)) = &self.route
            && *route == publication.route
        {
            assert_eq!(known, &recipients, "equal routes mean equal recipients");
        }
        self.route = Some((publication.route, recipients.clone()));
        let bytes = Self::frame::<W>(&ToClient::Push(publication.push));
        self.effects.push(Effect::Publish(recipients, bytes));
    }

    fn has_room(&mut self, session: SessionId) -> bool {
        !self.full.contains(&session)
    }

    fn disconnect(&mut self, session: SessionId, refusal: Refusal) {
        self.effects.push(Effect::Disconnected(session, refusal));
    }
}

/// Reads a recorded frame back.
///
/// # Panics
/// When it is not one whole frame of the service: a core cannot have made it.
#[must_use]
pub fn read<'a, R: Message<'a>, P: Message<'a>>(frame: &'a [u8]) -> ToClient<'a, R, P> {
    ToClient::decode(&frame[4..]).expect("recorded frames decode")
}
