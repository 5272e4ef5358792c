//! What handles ask of the task that holds the connection.

use crate::acknowledgement::Arrival;
use crate::backlog::Ticket;
use crate::registry::Member;
use crate::wire::Publication;
use std::sync::Arc;
use tokio::sync::oneshot;
use workyard_adapter_kit::Error;

/// Where the outcome is told. Nobody may listen any more.
pub(crate) type Reply = oneshot::Sender<Result<(), Error>>;

#[derive(Debug)]
pub(crate) enum Command {
    Publish(Outgoing),
    Subscribe { filter: String, member: Member },
    Unsubscribe { filter: String, member: u64, reply: Option<Reply> },
    Acknowledge(Arrival),
    Close(oneshot::Sender<()>),
}

/// A message on its way to the broker.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) publication: Publication,
    pub(crate) ticket: Arc<Ticket>,
    pub(crate) reply: Reply,
    /// Connections that were lost while it was the first one without an answer.
    pub(crate) lost: u32,
}
