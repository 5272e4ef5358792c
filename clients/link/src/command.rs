//! What handles tell the task of their connection.

use crate::error::Error;
use crate::in_flight::Answer;
use crate::outgoing::Body;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What is taken in order and only while there is a connection.
#[derive(Debug)]
pub(crate) enum Command<C> {
    Request(Request),
    Send(Sending),
    Ping(oneshot::Sender<Result<Duration, Error>>),
    Session(C),
}

/// A request whose answer somebody waits for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) body: Body,
    pub(crate) caller: oneshot::Sender<Answer>,
    /// The only connection that it makes sense on.
    pub(crate) only_on: Option<u64>,
    /// Its share of the memory for large requests, given back when it leaves the command queue.
    pub(crate) _share: Option<OwnedSemaphorePermit>,
}

/// A request that is not answered.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) body: Body,
    pub(crate) _share: Option<OwnedSemaphorePermit>,
}

/// What cannot wait for a connection, nor for room: there is at most one per handle that ends.
#[derive(Debug)]
pub(crate) enum Control<C> {
    Session(C),
    Close { within: Duration, done: oneshot::Sender<Result<(), Error>> },
}
