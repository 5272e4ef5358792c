//! Requests that wait for their replies, and the ids that tie both together.

use crate::error::{DisconnectReason, Error};
use crate::received::Received;
use std::collections::HashMap;
use tokio::sync::oneshot;
use workyard_planted::planted;
use workyard_protocol::{NO_REPLY, RequestId};

/// What a request comes to.
pub(crate) type Answer = Result<Received, Error>;

/// Who waits for a reply.
#[derive(Debug)]
pub(crate) enum Waiter {
    Caller(oneshot::Sender<Answer>),
    /// The session, by the token that it gave.
    Session(u64),
}

/// The requests in flight. An id is free again only when its reply came: a caller that gives up
/// leaves its entry behind, so that a late reply finds it and not a younger request.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    last: RequestId,
    waiters: HashMap<RequestId, Waiter>,
}

impl InFlight {
    pub(crate) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Takes an id that no request in flight has.
    pub(crate) fn insert(&mut self, waiter: Waiter) -> RequestId {
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last != NO_REPLY && !self.waiters.contains_key(&self.last) {
                self.waiters.insert(self.last, waiter);
                return self.last;
            }
        }
    }

    /// Whose reply this is.
    pub(crate) fn take(&mut self, id: RequestId) -> Option<Waiter> {
        let waiter = self.waiters.remove(&id);
        if planted!("reply-goes-to-the-wrong-request")
            && matches!(&waiter, Some(Waiter::Caller(caller)) if caller.is_closed())
            && let Some(next) = self.waiters.keys().min().copied()
        {
            return self.waiters.remove(&next);
        }
        waiter
    }

    /// Tells every caller that the connection is gone. Sessions know it already.
    pub(crate) fn fail(&mut self, reason: &DisconnectReason) {
        let mut waiters: Vec<_> = self.waiters.drain().collect();
        // They wake in the order in which they asked, as far as the ids tell.
        waiters.sort_unstable_by_key(|(id, _)| *id);
        for (_, waiter) in waiters {
            if let Waiter::Caller(caller) = waiter {
                let _ = caller.send(Err(Error::Disconnected { reason: reason.clone() }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_never_zero_and_never_doubled() {
        let mut in_flight = InFlight { last: RequestId::MAX - 1, ..InFlight::default() };
        assert_eq!(in_flight.insert(Waiter::Session(1)), RequestId::MAX);
        assert_eq!(in_flight.insert(Waiter::Session(2)), 1);
        assert_eq!(in_flight.insert(Waiter::Session(3)), 2);
        in_flight.last = RequestId::MAX - 1;
        assert!(matches!(in_flight.take(1), Some(Waiter::Session(2))));
        assert_eq!(in_flight.insert(Waiter::Session(4)), 1, "the others still wait");
        assert_eq!(in_flight.insert(Waiter::Session(5)), 3);
        assert_eq!(in_flight.len(), 4);
    }

    #[test]
    fn an_id_stays_taken_when_its_caller_has_gone() {
        let mut in_flight = InFlight::default();
        let (waiter, answer) = oneshot::channel();
        let id = in_flight.insert(Waiter::Caller(waiter));
        drop(answer);
        in_flight.last = id - 1;
        assert_ne!(in_flight.insert(Waiter::Session(1)), id);
    }
}
