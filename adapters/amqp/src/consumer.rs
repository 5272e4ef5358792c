//! The messages of a queue, until the consumer is dropped.

use crate::amqp::Amqp;
use crate::consume::Consume;
use crate::delivery::Delivery;
use crate::error;
use crate::finished::Finished;
use crate::limits::{HEARTBEAT_OF_SERVERS, HEARTBEATS_TO_LOSE};
use crate::topology::short;
use crate::{Error, ErrorKind, Result};
use futures_util::{FutureExt, Stream, StreamExt, future::BoxFuture};
use lapin::Channel;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use workyard_adapter_kit::{Backoff, Call, Repeat, Waits};

/// The messages of a queue: a [`Stream`], also through reconnects, after which the server delivers again
/// what was not acknowledged.
///
/// It ends when the adapter is closed, or, with an error, when the server does not want it any more:
/// when the queue is gone and was not declared through the adapter. When it is dropped, what waits in it
/// goes back to the queue.
pub struct Consumer {
    wish: Arc<Consume>,
    amqp: Amqp,
    state: State,
    waits: Waits,
    /// Since when the server says that another has it.
    held_since: Option<Instant>,
}

enum State {
    Open(Box<Open>),
    Opening(BoxFuture<'static, Result<Open>>),
    Ended,
}

pub(crate) struct Open {
    messages: lapin::Consumer,
    channel: Channel,
    /// Of the connection.
    number: u64,
}

impl Consumer {
    pub(crate) async fn open(amqp: Amqp, wish: Consume) -> Result<Self> {
        let wish = Arc::new(wish);
        let open = open(amqp.clone(), Arc::clone(&wish)).await?;
        let waits = amqp.guard().options().retry.backoff.waits();
        Ok(Self { wish, amqp, state: State::Open(Box::new(open)), waits, held_since: None })
    }

    /// The next message; none after the end. Dropped before, no message is lost.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn next(&mut self) -> Option<Result<Delivery>> {
        std::future::poll_fn(|context| self.poll_delivery(context)).await
    }

    fn poll_delivery(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Delivery>>> {
        loop {
            match &mut self.state {
                State::Ended => return Poll::Ready(None),
                State::Open(open) => match ready!(open.messages.poll_next_unpin(context)) {
                    // What came with a lost connection comes again.
                    Some(Ok(message)) if self.amqp.shared().is_live(open.number) => {
                        let (channel, number) = (open.channel.clone(), open.number);
                        let delivery = Delivery::new(message, channel, number, self.amqp.clone());
                        self.waits = Backoff::waits(self.amqp.guard().options().retry.backoff);
                        return Poll::Ready(Some(Ok(delivery)));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => self.open_again(false),
                },
                State::Opening(opening) => match ready!(opening.poll_unpin(context)) {
                    Ok(open) => {
                        self.held_since = None;
                        self.state = State::Open(Box::new(open));
                    }
                    Err(error) if error.kind() == ErrorKind::Closed => self.state = State::Ended,
                    Err(error) if ends(&error) && !self.is_held(&error) => {
                        self.state = State::Ended;
                        return Poll::Ready(Some(Err(error)));
                    }
                    Err(_) => self.open_again(true),
                },
            }
        }
    }

    /// Whether that may be this client's last connection, which the server does not know to be lost yet.
    fn is_held(&mut self, error: &Error) -> bool {
        let shared = self.amqp.shared();
        let is_missing = shared.topology().is_queue_missing(&self.wish.queue);
        let is_held = matches!(error.code(), Some("403" | "405")) || is_missing;
        let heartbeat = match shared.settled.options.heartbeat {
            Duration::ZERO => HEARTBEAT_OF_SERVERS,
            heartbeat => heartbeat,
        };
        let since = *self.held_since.get_or_insert_with(Instant::now);
        is_held && since.elapsed() < heartbeat * HEARTBEATS_TO_LOSE
    }

    /// An attempt that follows upon one that failed is waited for: it may have failed without a wait.
    fn open_again(&mut self, is_repeated: bool) {
        let wait = self.waits.next_wait();
        let (amqp, wish) = (self.amqp.clone(), Arc::clone(&self.wish));
        let again = async move {
            // When there is a connection, it was the channel, or the driver has not told yet.
            if is_repeated || amqp.shared().live().is_some() {
                tokio::time::sleep(wait).await;
            }
            // Here it takes no place from other calls.
            amqp.shared().connected_or_closed().await;
            open(amqp, wish).await
        };
        self.state = State::Opening(again.boxed());
    }
}

/// Whether the server is not going to want it soon.
fn ends(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server | ErrorKind::InvalidRequest)
}

async fn open(amqp: Amqp, wish: Arc<Consume>) -> Result<Open> {
    let call = Call::new("CONSUME").repeat(Repeat::Freely);
    amqp.start();
    let attempt = || Finished::new(attempt(amqp.clone(), Arc::clone(&wish)));
    amqp.guard().call(call, attempt).await
}

/// On a channel of its own, so that an error of another is no matter. It comes to its end: given up
/// half-way, a consumer would take messages that nobody sees.
async fn attempt(amqp: Amqp, wish: Arc<Consume>) -> Result<Open> {
    let live = amqp.shared().connection().await?;
    let channel = live.channel().await?;
    let qos = channel.basic_qos(wish.prefetch.get(), BasicQosOptions::default());
    qos.await.map_err(error::of_request)?;
    let options = BasicConsumeOptions { exclusive: wish.is_exclusive, ..Default::default() };
    let consumed =
        channel.basic_consume(short(&wish.queue)?, "".into(), options, FieldTable::default());
    let messages = consumed.await.map_err(error::of_request)?;
    Ok(Open { messages, channel, number: live.number })
}

impl Stream for Consumer {
    type Item = Result<Delivery>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Delivery>>> {
        self.poll_delivery(context)
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("wish", &self.wish).finish_non_exhaustive()
    }
}
