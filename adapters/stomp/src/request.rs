//! What a caller wants of the connection.

use crate::Result;
use crate::codec::Frame;
use crate::held::Held;
use crate::subscription::Registered;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Answered with the number of the connection that it was sent on.
pub(crate) type Tell = oneshot::Sender<Result<u64>>;

pub(crate) struct Request {
    pub(crate) what: What,
    /// The connection that it belongs to, if only one will do, and what to say otherwise.
    pub(crate) bound_to: Option<Bound>,
    pub(crate) tell: Tell,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) number: u64,
    pub(crate) otherwise: &'static str,
}

#[derive(Clone)]
pub(crate) enum What {
    /// A frame that is done when its receipt is there.
    Confirmed(Arc<Frame>),
    /// A frame that begins a transaction.
    Begin(Arc<Frame>, Arc<str>),
    /// A frame that ends one.
    End(Arc<Frame>, Arc<str>),
    /// A frame that is done when it was handed to the connection.
    Unconfirmed(Arc<Frame>),
    /// A frame that settles a message, unless something else has.
    Settling(Arc<Frame>, Arc<Held>),
    /// A subscription, done when its receipt is there.
    Subscribe(Arc<str>, Registered),
}
