//! Serving a channel: the stream of questions that are asked on it, and their answers.

use crate::client::{ChannelClient, settle};
use crate::error::Error;
use crate::session::{Command, HeldQuestion, LocalId};
use crate::subscription::next_id;
use bytes::Bytes;
use futures_util::stream::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use workyard_link::Mailbox;
use workyard_protocol::channel::{self, Request};
use workyard_protocol::{ChannelName, Reason, Value, from_value};

/// A stream of questions. It survives reconnects and ends when it is closed, when the client is closed, or
/// when the server refuses to restore it (see [`Event::RestoreRefused`](crate::Event::RestoreRefused)).
///
/// Questions wait in a buffer of its own, with the bounds of a subscription's. When that is full they are
/// declined, so that their askers need not wait.
///
/// Dropping it stops serving in the background, and declines what is in its buffer.
#[derive(Debug)]
#[must_use = "dropping a responder stops serving"]
pub struct Responder {
    client: ChannelClient,
    id: LocalId,
    mailbox: Arc<Mailbox<HeldQuestion>>,
}

/// A question that waits for an answer of this client. Dropped without one, it is declined.
#[derive(Debug)]
#[must_use = "a question that is dropped is declined"]
pub struct Question {
    client: ChannelClient,
    held: HeldQuestion,
    settled: bool,
}

impl ChannelClient {
    /// Serves a channel: of the requests to it, each goes to one of all clients that serve it.
    ///
    /// What is published on the channel is not asked: who wants both subscribes as well.
    ///
    /// ```no_run
    /// # use workyard_channel::ChannelClient;
    /// use futures_util::StreamExt;
    ///
    /// # async fn example(client: ChannelClient) -> Result<(), workyard_channel::Error> {
    /// let responder = client.serve("sum").await?;
    /// // Eight at a time; `while let Some(question) = responder.next().await` takes one after the other.
    /// responder
    ///     .for_each_concurrent(8, async |question| {
    ///         let answered = match question.decode::<Vec<i64>>() {
    ///             Ok(numbers) => question.answer(&numbers.iter().sum::<i64>()).await,
    ///             Err(error) => question.decline(&error.to_string()).await,
    ///         };
    ///         // Nobody waits any more: that is the asker's business.
    ///         let _ = answered;
    ///     })
    ///     .await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn serve(&self, channel: impl AsRef<[u8]>) -> Result<Responder, Error> {
        let channel = Bytes::copy_from_slice(ChannelName::new(channel.as_ref())?.as_bytes());
        let mailbox = self.mailbox();
        let (done, answer) = oneshot::channel();
        // As with subscriptions, a dropped future closes the answer before it releases the responder.
        let responder =
            Responder { client: self.clone(), id: next_id(), mailbox: Arc::clone(&mailbox) };
        let command = Command::Serve { id: responder.id, channel, mailbox, done };
        self.link.ask(command, answer).await?;
        Ok(responder)
    }
}

impl Responder {
    /// The next question; nothing when the responder has ended. Dropping this future loses nothing.
    pub async fn next(&mut self) -> Option<Question> {
        poll_fn(|cx| self.poll_question(cx)).await
    }

    /// Asks for no more questions, and returns when none can follow. Those that were handed out before
    /// can still be taken and answered, then the stream ends: so a worker stops without leaving anybody
    /// unanswered.
    ///
    /// # Errors
    /// `TimedOut`, `Unreachable`, `Closed`. Dropping the responder ends it all the same.
    pub async fn close(&mut self) -> Result<(), Error> {
        let (done, answer) = oneshot::channel();
        let command = Command::CloseResponder { id: self.id, done };
        Ok(self.client.link.ask(command, answer).await?)
    }

    fn poll_question(&self, cx: &mut Context<'_>) -> Poll<Option<Question>> {
        let question = |held| Question { client: self.client.clone(), held, settled: false };
        self.mailbox.poll_take(cx).map(|held| held.map(question))
    }
}

impl Stream for Responder {
    type Item = Question;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Question>> {
        self.poll_question(cx)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.mailbox.close();
        let left = self.mailbox.drain();
        self.client.link.release(Command::ReleasedResponder { id: self.id, left });
    }
}

impl Question {
    /// Its number, unique as long as the server runs.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.held.question
    }

    /// The channel that it was asked on: any bytes.
    #[must_use]
    pub fn channel(&self) -> &[u8] {
        &self.held.channel
    }

    /// The channel as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn channel_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.held.channel)
    }

    /// To how many responders it has been handed: 1 at first. More means that another one was gone
    /// without an answer, and may have done some of the work.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.held.attempt
    }

    /// How long its asker still waits.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.held.deadline.saturating_duration_since(Instant::now())
    }

    /// The question.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.held.value
    }

    /// The question, as a Rust value.
    ///
    /// # Errors
    /// `Decode` when it is not of that type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_value(self.held.value.as_ref()).map_err(Error::Decode)
    }

    /// Answers. `Ok` means that the answer is on its way to an asker that waits for it.
    ///
    /// # Errors
    /// `TooLate` when nobody waits any more: time ran out, the asker is gone, or the connection that the
    /// question came by is. After any other error the question is declined, as it would be when dropped.
    pub async fn answer<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        let value = self.client.encode(value)?;
        self.settle(false, &value).await
    }

    /// [`Question::answer`] with exactly this value.
    ///
    /// # Errors
    /// As for [`Question::answer`].
    pub async fn answer_value(self, value: &Value) -> Result<(), Error> {
        self.settle(false, value).await
    }

    /// Says that this will not be done, and why: text, or whatever the asker understands.
    ///
    /// # Errors
    /// As for [`Question::answer`].
    pub async fn decline<T: Serialize + ?Sized>(self, why: &T) -> Result<(), Error> {
        let why = self.client.encode(why)?;
        self.settle(true, &why).await
    }

    async fn settle(mut self, declined: bool, value: &Value) -> Result<(), Error> {
        let question = self.held.question;
        let answer = channel::Answer { question, declined, value: value.as_ref() };
        let request = Request::Answer(answer);
        let (link, connection) = (&self.client.link, self.held.connection);
        let in_time = settle(link, connection, request, Reason::UnknownQuestion).await?;
        self.settled = true;
        if in_time { Ok(()) } else { Err(Error::TooLate { question }) }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if !self.settled {
            self.client.link.release(Command::DroppedQuestion(self.held.clone()));
        }
    }
}
