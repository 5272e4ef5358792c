//! What a connection is called, so that others can send to it.

use super::Connection;
use crate::scheme::Scheme;
use crate::worker::Kind;

impl<S: Scheme, D: 'static> Connection<S, D> {
    /// Says who the peer is, for [`WorkerProcess::send_to_user`](crate::WorkerProcess::send_to_user). A user may have
    /// several connections. This also tells that it has authenticated
    /// ([`Worker::authenticate_within`](crate::Worker::authenticate_within)).
    pub fn set_user(&self, user: &str) {
        let names = self.0.process.names();
        for before in names.names(self.id(), Kind::User) {
            names.remove(self.id(), Kind::User, &before);
        }
        self.named(Kind::User, user);
        self.set_authenticated();
    }

    /// Who the peer is, if it was said.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        self.0.process.names().names(self.id(), Kind::User).pop()
    }

    /// Adds it to a group, for [`WorkerProcess::send_to_group`](crate::WorkerProcess::send_to_group). Returns whether
    /// it was not in it.
    #[expect(clippy::must_use_candidate, reason = "most callers do not care")]
    pub fn join(&self, group: &str) -> bool {
        self.named(Kind::Group, group)
    }

    /// Takes it out of a group. Returns whether it was in it.
    #[expect(clippy::must_use_candidate, reason = "most callers do not care")]
    pub fn leave(&self, group: &str) -> bool {
        self.0.process.names().remove(self.id(), Kind::Group, group)
    }

    /// The groups that it is in, in order.
    #[must_use]
    pub fn groups(&self) -> Vec<String> {
        self.0.process.names().names(self.id(), Kind::Group)
    }

    /// The peer has shown who it is: it is not cut off for that.
    pub fn set_authenticated(&self) {
        self.0.is_authenticated.set(true);
    }

    /// One that has ended already is not called anything any more.
    fn named(&self, kind: Kind, name: &str) -> bool {
        let process = &self.0.process;
        process.connection(self.id()).is_some() && process.names().add(self.id(), kind, name)
    }
}
