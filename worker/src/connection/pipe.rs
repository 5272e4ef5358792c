//! Two connections joined: what comes on one goes out on the other.

use super::{Connection, ConnectionState};
use crate::client::Client;
use crate::scheme::Scheme;

/// The other end of a pipe.
pub(super) trait Partner<M> {
    /// Sends what has come on the one; returns whether it is to wait before it reads more.
    fn give(&self, message: M) -> bool;

    /// The one has sent all that waited.
    fn resume(&self);

    /// The one has ended.
    fn close(&self);
}

impl<S: Scheme, D: 'static, M: Into<S::Reply>> Partner<M> for Connection<S, D> {
    fn give(&self, message: M) -> bool {
        let sent = self.send(message);
        self.note_fullness();
        sent.is_accepted() && self.0.is_full.get()
    }

    fn resume(&self) {
        Self::resume(self);
    }

    fn close(&self) {
        Self::close(self);
    }
}

/// A connection of either kind: one that was accepted, or one that was made.
pub trait Pipe {
    /// Its protocol.
    type Scheme: Scheme;
    /// What is kept for it.
    #[doc(hidden)]
    type Data: 'static;

    #[doc(hidden)]
    fn to_connection(&self) -> Connection<Self::Scheme, Self::Data>;

    /// Joins two connections, until one of them ends, which ends the other. Messages go from each to the other, and
    /// are not told of any more; a side that does not read makes the other wait, so that nothing is lost and little
    /// is kept.
    fn pipe<P: Pipe>(&self, other: &P)
    where
        <Self::Scheme as Scheme>::Message: Into<<P::Scheme as Scheme>::Reply>,
        <P::Scheme as Scheme>::Message: Into<<Self::Scheme as Scheme>::Reply>,
    {
        let (one, other) = (self.to_connection(), other.to_connection());
        let is_over = |state| matches!(state, ConnectionState::Closing | ConnectionState::Closed);
        if is_over(one.state()) || is_over(other.state()) {
            one.close();
            other.close();
            return;
        }
        *one.0.partner.borrow_mut() = Some(Box::new(other.clone()));
        *other.0.partner.borrow_mut() = Some(Box::new(one));
    }
}

impl<S: Scheme, D: 'static> Pipe for Connection<S, D> {
    type Scheme = S;
    type Data = D;

    fn to_connection(&self) -> Self {
        self.clone()
    }
}

impl<S: Scheme, D: 'static> Pipe for Client<S, D> {
    type Scheme = S;
    type Data = ();

    fn to_connection(&self) -> Connection<S, ()> {
        self.connection()
    }
}
