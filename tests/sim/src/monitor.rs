//! What an observer at the server's door sees: every word in and out, and nothing of the core.

use workyard_engine::{SessionId, Time};
use workyard_protocol::{Refusal, RequestId, Wire};

/// Looks on. What must not happen it reports by itself.
pub(crate) trait Monitor<W: Wire> {
    /// It is so late on the clock of the server process: true of all that follows.
    fn at(&mut self, now: Time);

    /// A server process has started.
    fn started(&mut self, epoch: u64);

    /// It is gone, and all of its sessions with it.
    fn crashed(&mut self);

    /// A session is gone; the core is about to be told.
    fn closed(&mut self, session: SessionId);

    /// A request is about to be carried out. Returns whether it may be answered later than those
    /// that come after it.
    fn asked(&mut self, session: SessionId, id: RequestId, request: &W::Request<'_>) -> bool;

    /// It is answered.
    fn answered(&mut self, session: SessionId, id: RequestId, reply: &W::Reply<'_>);

    /// It is refused.
    fn refused(&mut self, session: SessionId, id: RequestId, refusal: &Refusal);

    /// Something is sent that nobody asked for and that must arrive.
    fn pushed(&mut self, session: SessionId, push: &W::Push<'_>);

    /// Something is sent to many that may be dropped for each of them.
    fn published(&mut self, recipients: &[SessionId], push: &W::Push<'_>);

    /// It is sent to one of them, or is dropped as there is no room.
    fn delivered(&mut self, _session: SessionId, _push: &W::Push<'_>, _is_sent: bool) {}

    /// A session is told of what was dropped.
    fn told_lost(&mut self, _session: SessionId, _push: &W::Push<'_>) {}

    /// The core has a session ended. Returns whether that may be.
    fn disconnects(&mut self, _session: SessionId, _refusal: &Refusal) -> bool {
        false
    }
}
