//! What the session has asked of the server, and is not answered yet.

use super::visits::Visited;
use super::{ChannelSession, Done, LocalId, Outcome, Waiter, finish};
use crate::wanted::Wanted;
use bytes::Bytes;
use workyard_link::Outbox;
use workyard_protocol::channel::Request;

/// What an answer of the server is about.
#[derive(Debug)]
pub(super) enum Asked {
    Subscribe(Vec<Wanted>),
    Follow(LocalId),
    Consume(Bytes),
    /// That a consumer, the last one of its queue, is to get no more jobs.
    Cancel(LocalId),
    Question(Waiter),
    Serve(Bytes),
    /// That a responder, the last one of its channel, is to get no more questions.
    EndService(LocalId),
    Visit(Visited),
    /// That leases are prolonged.
    Renew,
    /// Nothing to be done about it but to tell.
    End(Option<Done>),
}

impl ChannelSession {
    /// Sends a request, and remembers what its answer will be about.
    pub(super) fn request(
        &mut self,
        request: &Request<'_>,
        asked: Asked,
        outbox: &mut Outbox,
    ) -> u64 {
        let token = self.send(request, outbox);
        self.remember(token, asked);
        token
    }

    pub(super) fn send(&mut self, request: &Request<'_>, outbox: &mut Outbox) -> u64 {
        self.last_token += 1;
        outbox.request(self.last_token, request);
        self.last_token
    }

    /// Without a connection no answer will come, and nothing was sent.
    pub(super) fn remember(&mut self, token: u64, asked: Asked) {
        match self.connection {
            Some(_) => drop(self.asked.insert(token, asked)),
            None => self.lost(asked),
        }
    }

    /// What was asked will not be answered.
    pub(super) fn lost(&mut self, asked: Asked) {
        match asked {
            // What is not asked for again has ended with the connection.
            Asked::End(done) => finish(done),
            Asked::Cancel(id) => drop(self.consumers.remove(id)),
            Asked::EndService(id) => drop(self.questions.remove(id)),
            Asked::Question(waiter) => drop(waiter.send(Ok(Outcome::Lost))),
            Asked::Visit(visited) => self.visit_lost(visited),
            Asked::Subscribe(_)
            | Asked::Follow(_)
            | Asked::Consume(_)
            | Asked::Serve(_)
            | Asked::Renew => {}
        }
    }
}
