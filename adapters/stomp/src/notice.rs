//! What the connection is told without an answer. There are never more of these than of what they are
//! about: subscriptions, transactions, messages that were delivered.

use crate::held::Held;
use std::sync::Arc;
use tokio::sync::oneshot;

pub(crate) enum Notice {
    /// A message was taken, and is done with that.
    Taken(Arc<Held>),
    /// A subscription was dropped; the server gets these messages back.
    Unsubscribe(Arc<str>, Vec<Arc<Held>>),
    /// A transaction was dropped.
    Abort(Arc<str>),
    /// Nobody wants anything any more.
    Close(oneshot::Sender<()>),
}
