//! The callbacks of a worker.

use super::WorkerProcess;
use crate::activity::Callback;
use crate::connection::{Connection, ConnectionError};
use crate::outcome::{Outcome, Running};
use crate::scheme::Scheme;
use std::rc::Rc;

/// A callback that gets one thing more than its connection.
type With<S, D, T> = Option<Rc<dyn Fn(Connection<S, D>, T) -> Running>>;
pub(crate) type Of<T> = Option<Rc<dyn Fn(T) -> Running>>;

/// All of them; those that are not there do nothing.
pub(crate) struct Handlers<S: Scheme, D> {
    pub(crate) worker_start: Of<WorkerProcess<S, D>>,
    pub(crate) worker_reload: Of<WorkerProcess<S, D>>,
    pub(crate) worker_stop: Of<WorkerProcess<S, D>>,
    pub(crate) connect: Of<Connection<S, D>>,
    pub(crate) opening: With<S, D, S::Opening>,
    pub(crate) message: With<S, D, S::Message>,
    pub(crate) close: Of<Connection<S, D>>,
    pub(crate) buffer_full: Of<Connection<S, D>>,
    pub(crate) buffer_drain: Of<Connection<S, D>>,
    pub(crate) error: With<S, D, ConnectionError>,
}

/// Keeps a callback.
pub(crate) fn of<T: 'static, F, O>(callback: F) -> Of<T>
where
    F: AsyncFn(T) -> O + 'static,
    O: Outcome + 'static,
{
    let callback = Rc::new(callback);
    Some(Rc::new(move |of| {
        let callback = Rc::clone(&callback);
        Running::new(async move { callback(of).await })
    }))
}

/// The same of one that gets two things.
pub(super) fn with<S, D, T, F, O>(callback: F) -> With<S, D, T>
where
    S: Scheme,
    D: 'static,
    T: 'static,
    F: AsyncFn(Connection<S, D>, T) -> O + 'static,
    O: Outcome + 'static,
{
    let callback = Rc::new(callback);
    Some(Rc::new(move |connection, with| {
        let callback = Rc::clone(&callback);
        Running::new(async move { callback(connection, with).await })
    }))
}

impl<S: Scheme, D: 'static> Handlers<S, D> {
    pub(super) fn worker_start(&self, process: &WorkerProcess<S, D>) -> Option<Running> {
        let running = self.worker_start.as_ref().map(|callback| callback(process.clone()))?;
        Some(running.of(Callback::WorkerStart, 0))
    }

    pub(super) fn worker_reload(&self, process: &WorkerProcess<S, D>) -> Option<Running> {
        let running = self.worker_reload.as_ref().map(|callback| callback(process.clone()))?;
        Some(running.of(Callback::WorkerReload, 0))
    }

    pub(super) fn worker_stop(&self, process: &WorkerProcess<S, D>) -> Option<Running> {
        let running = self.worker_stop.as_ref().map(|callback| callback(process.clone()))?;
        Some(running.of(Callback::WorkerStop, 0))
    }

    pub(crate) fn connect(&self, connection: &Connection<S, D>) -> Option<Running> {
        let running = self.connect.as_ref().map(|callback| callback(connection.clone()))?;
        Some(running.of(Callback::Connect, connection.id()))
    }

    pub(crate) fn opening(
        &self,
        connection: &Connection<S, D>,
        opening: S::Opening,
    ) -> Option<Running> {
        let running =
            self.opening.as_ref().map(|callback| callback(connection.clone(), opening))?;
        Some(running.of(Callback::Opening, connection.id()))
    }

    pub(crate) fn message(
        &self,
        connection: &Connection<S, D>,
        message: S::Message,
    ) -> Option<Running> {
        let running =
            self.message.as_ref().map(|callback| callback(connection.clone(), message))?;
        Some(running.of(Callback::Message, connection.id()))
    }

    pub(crate) fn close(&self, connection: &Connection<S, D>) -> Option<Running> {
        let running = self.close.as_ref().map(|callback| callback(connection.clone()))?;
        Some(running.of(Callback::Close, connection.id()))
    }

    pub(crate) fn buffer_full(&self, connection: &Connection<S, D>) -> Option<Running> {
        let running = self.buffer_full.as_ref().map(|callback| callback(connection.clone()))?;
        Some(running.of(Callback::BufferFull, connection.id()))
    }

    pub(crate) fn buffer_drain(&self, connection: &Connection<S, D>) -> Option<Running> {
        let running = self.buffer_drain.as_ref().map(|callback| callback(connection.clone()))?;
        Some(running.of(Callback::BufferDrain, connection.id()))
    }

    pub(crate) fn error(
        &self,
        connection: &Connection<S, D>,
        error: ConnectionError,
    ) -> Option<Running> {
        let running = self.error.as_ref().map(|callback| callback(connection.clone(), error))?;
        Some(running.of(Callback::Error, connection.id()))
    }
}

impl<S: Scheme, D> Default for Handlers<S, D> {
    fn default() -> Self {
        Self {
            worker_start: None,
            worker_reload: None,
            worker_stop: None,
            connect: None,
            opening: None,
            message: None,
            close: None,
            buffer_full: None,
            buffer_drain: None,
            error: None,
        }
    }
}
