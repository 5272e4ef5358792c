//! What callbacks may return.

use crate::activity::{Activity, Callback};
use crate::connection::Sent;
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// An error of a callback, of whatever kind.
pub type CallbackError = Box<dyn std::error::Error>;

/// What a callback may return: nothing, what `send` says, to how many was sent, or a `Result` of these.
pub trait Outcome {
    /// Whether the callback has failed.
    ///
    /// # Errors
    /// Its own.
    fn into_result(self) -> Result<(), CallbackError>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), CallbackError> {
        Ok(())
    }
}

impl Outcome for Sent {
    fn into_result(self) -> Result<(), CallbackError> {
        Ok(())
    }
}

impl Outcome for usize {
    fn into_result(self) -> Result<(), CallbackError> {
        Ok(())
    }
}

impl<T: Outcome, E: Into<CallbackError>> Outcome for Result<T, E> {
    fn into_result(self) -> Result<(), CallbackError> {
        self.map_err(Into::into)?.into_result()
    }
}

/// A callback that is under way.
pub(crate) struct Running {
    activity: Activity,
    future: Pin<Box<dyn Future<Output = Result<(), CallbackError>>>>,
}

/// How a callback has failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It returned this.
    Error(CallbackError),
    /// It panicked, saying this.
    Panic(String),
}

impl Running {
    pub(crate) fn new<O: Outcome>(future: impl Future<Output = O> + 'static) -> Self {
        let future = Box::pin(async move { future.await.into_result() });
        Self { activity: Activity::default(), future }
    }

    /// Which callback it is, and of which connection, for whom looks on.
    pub(crate) fn of(self, callback: Callback, connection: u64) -> Self {
        Self { activity: Activity::new(callback, connection), ..self }
    }
}

impl Future for Running {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let _active = self.activity.begin();
        let future = &mut self.future;
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map_err(Failure::Error),
            Err(payload) => Poll::Ready(Err(Failure::Panic(text_of(payload.as_ref())))),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Error(error) => write!(formatter, "{error}"),
            Self::Panic(text) => write!(formatter, "panicked: {text}"),
        }
    }
}

/// What a panic says.
pub(crate) fn text_of(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "with no text".to_owned())
}
