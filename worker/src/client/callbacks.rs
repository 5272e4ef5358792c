//! The callbacks of a client.

use super::Client;
use super::handle::Inner;
use crate::connection::ConnectionError;
use crate::outcome::Running;
use crate::scheme::Scheme;
use crate::worker::{Handlers, Of};
use std::rc::{Rc, Weak};

/// All of them; those that are not there do nothing.
pub(super) struct Callbacks<S: Scheme, D> {
    pub(super) connect: Of<Client<S, D>>,
    pub(super) message: Of<(Client<S, D>, S::Message)>,
    pub(super) close: Of<Client<S, D>>,
    pub(super) buffer_full: Of<Client<S, D>>,
    pub(super) buffer_drain: Of<Client<S, D>>,
    pub(super) error: Of<(Client<S, D>, ConnectionError)>,
}

impl<S: Scheme, D: 'static> Callbacks<S, D> {
    /// The same as those of a connection of this client.
    pub(super) fn into_handlers(self, client: &Weak<Inner<S, D>>) -> Handlers<S, ()> {
        let alone = |callback: Of<Client<S, D>>| {
            let client = client.clone();
            let callback = callback?;
            let handler = move |_| callback(Client::of(&client));
            Some(Rc::new(handler) as Rc<dyn Fn(_) -> Running>)
        };
        let of = client.clone();
        let message = self.message.map(|callback| {
            let handler = move |_, message| callback((Client::of(&of), message));
            Rc::new(handler) as Rc<dyn Fn(_, _) -> Running>
        });
        let of = client.clone();
        let error = self.error.map(|callback| {
            let handler = move |_, error| callback((Client::of(&of), error));
            Rc::new(handler) as Rc<dyn Fn(_, _) -> Running>
        });
        Handlers {
            connect: alone(self.connect),
            message,
            close: alone(self.close),
            buffer_full: alone(self.buffer_full),
            buffer_drain: alone(self.buffer_drain),
            error,
            ..Handlers::default()
        }
    }
}

impl<S: Scheme, D> Default for Callbacks<S, D> {
    fn default() -> Self {
        Self {
            connect: None,
            message: None,
            close: None,
            buffer_full: None,
            buffer_drain: None,
            error: None,
        }
    }
}
