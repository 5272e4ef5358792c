//! What is carried out as a whole or not at all.

use crate::Result;
use crate::codec::{Command, Frame, Headers};
use crate::held::Held;
use crate::message::Message;
use crate::notice::Notice;
use crate::request::{Bound, What};
use crate::stomp::{Stomp, send_frame};
use bytes::Bytes;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use workyard_adapter_kit::Repeat;

const GONE: &str = "the transaction ended with the connection that it was begun on";

/// What is carried out as a whole or not at all. It belongs to the connection that it was begun on, and
/// is aborted when it is dropped or that connection is lost.
///
/// What is sent in it has no receipt of its own: [`Transaction::commit`] has one for all.
pub struct Transaction {
    id: Arc<str>,
    number: u64,
    stomp: Stomp,
    acked: Mutex<Vec<Arc<Held>>>,
    may_be_committed: bool,
}

impl Transaction {
    /// One that is still to be begun, and is aborted from now on when it is dropped.
    pub(crate) fn new(id: Arc<str>, stomp: Stomp) -> Self {
        Self { id, number: 0, stomp, acked: Mutex::default(), may_be_committed: false }
    }

    pub(crate) async fn begin(mut self) -> Result<Self> {
        let frame = Arc::new(Frame::new(Command::Begin).with("transaction", &self.id));
        let what = What::Begin(frame, Arc::clone(&self.id));
        self.number = self.stomp.request("BEGIN", Repeat::IfUnsent, what, None).await?;
        Ok(self)
    }

    /// Sends a message when the transaction is committed.
    ///
    /// # Errors
    /// When the message cannot be sent, or the connection of the transaction is gone.
    pub async fn send(
        &self,
        destination: &str,
        body: impl Into<Bytes>,
        headers: impl Into<Headers>,
    ) -> Result<()> {
        let frame = send_frame(destination, body.into(), &headers.into(), Some(&self.id))
            .map_err(|error| self.stomp.guard().placed(error.during("SEND")))?;
        let what = What::Unconfirmed(Arc::new(frame));
        self.stomp.request("SEND", Repeat::Never, what, Some(self.bound())).await?;
        Ok(())
    }

    /// Acknowledges a message when the transaction is committed.
    ///
    /// # Errors
    /// As [`Message::ack`], and when the connection of the transaction is gone.
    pub async fn ack(&self, message: &Message) -> Result<()> {
        self.settle("ACK", Command::Ack, message).await
    }

    /// Gives a message back when the transaction is committed.
    ///
    /// # Errors
    /// As [`Message::nack`], and when the connection of the transaction is gone.
    pub async fn nack(&self, message: &Message) -> Result<()> {
        self.settle("NACK", Command::Nack, message).await
    }

    /// Has the server carry everything out, and returns when it has.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Disconnected`] when the connection was lost: with an
    /// [unknown outcome](crate::Error::outcome_unknown) if it was lost meanwhile, else nothing was done.
    pub async fn commit(mut self) -> Result<()> {
        self.may_be_committed = true;
        let committed = self.end("COMMIT", Command::Commit).await;
        let outcome_unknown =
            committed.as_ref().map_or_else(crate::Error::outcome_unknown, |()| true);
        self.may_be_committed = outcome_unknown;
        committed
    }

    /// Has the server forget everything, and returns when it has.
    ///
    /// # Errors
    /// When the connection is gone, which comes to the same.
    pub async fn abort(self) -> Result<()> {
        self.end("ABORT", Command::Abort).await
    }

    async fn settle(
        &self,
        operation: &'static str,
        command: Command,
        message: &Message,
    ) -> Result<()> {
        let alive = self.stomp.shared().check_alive(self.number, GONE);
        alive.map_err(|error| self.stomp.guard().placed(error.during(operation)))?;
        message.settle(operation, command, Some(&self.id)).await?;
        if let Ok(held) = message.held(command) {
            self.acked.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(held));
        }
        Ok(())
    }

    async fn end(&self, operation: &'static str, command: Command) -> Result<()> {
        let frame = Arc::new(Frame::new(command).with("transaction", &self.id));
        let what = What::End(frame, Arc::clone(&self.id));
        self.stomp.request(operation, Repeat::Never, what, Some(self.bound())).await.map(drop)
    }

    fn bound(&self) -> Bound {
        Bound { number: self.number, otherwise: GONE }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // Of no matter where it was ended.
        self.stomp.notice(Notice::Abort(Arc::clone(&self.id)));
        if !self.may_be_committed {
            // What was acknowledged in vain may be acknowledged again.
            let mut acked = self.acked.lock().unwrap_or_else(PoisonError::into_inner);
            acked.drain(..).for_each(|held| held.unsettle());
        }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("id", &self.id).finish_non_exhaustive()
    }
}
