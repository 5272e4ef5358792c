//! The messages of a destination, until the subscription is dropped.

use crate::codec::Frame;
use crate::held::Held;
use crate::message::Message;
use crate::notice::Notice;
use crate::stomp::Stomp;
use crate::subscribe::{Ack, Subscribe};
use crate::{Error, Result};
use futures_util::Stream;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// What the task of the connection knows of a subscription.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) wish: Arc<Subscribe>,
    pub(crate) deliveries: Sender<Delivery>,
    /// Why it ended, if not because somebody wanted that.
    pub(crate) end: Arc<OnceLock<Error>>,
}

/// A message on its way to a subscription.
pub(crate) struct Delivery {
    pub(crate) frame: Frame,
    /// The connection that it came with.
    pub(crate) number: u64,
    pub(crate) held: Option<Arc<Held>>,
}

/// The messages of a destination: a [`Stream`], also through reconnects, after which the server delivers
/// again what was not acknowledged.
///
/// It ends when the adapter is closed, or, with an error, when the server does not want it after a
/// reconnect, or when a message is above a limit or cannot be read. When it is dropped, the server gets
/// back what was not acknowledged; only what was on its way at that moment comes back when the
/// connection ends. STOMP 1.0 knows no way to give messages back: there all of them come back then.
pub struct Subscription {
    id: Arc<str>,
    ack: Ack,
    stomp: Stomp,
    deliveries: Receiver<Delivery>,
    end: Option<Arc<OnceLock<Error>>>,
    /// What was handed out and is not done, as far as was looked.
    held: VecDeque<Arc<Held>>,
    sweep_at: usize,
}

impl Subscription {
    pub(crate) fn new(id: Arc<str>, wish: Subscribe, stomp: Stomp) -> (Self, Registered) {
        let room = usize::from(wish.prefetch.get());
        let (sender, deliveries) = channel(room);
        let end = Arc::new(OnceLock::new());
        let ack = wish.ack;
        let registered =
            Registered { wish: Arc::new(wish), deliveries: sender, end: Arc::clone(&end) };
        let held = VecDeque::new();
        let end = Some(end);
        (Self { id, ack, stomp, deliveries, end, held, sweep_at: 2 * room }, registered)
    }

    /// The next message; none after the end. Dropped before, no message is lost.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn next(&mut self) -> Option<Result<Message>> {
        std::future::poll_fn(|context| self.poll_message(context)).await
    }

    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Message>>> {
        loop {
            let Some(delivery) = ready!(self.deliveries.poll_recv(context)) else {
                let why = self.end.take().and_then(|end| end.get().cloned());
                return Poll::Ready(why.map(Err));
            };
            let is_stale = !self.stomp.shared().is_alive(delivery.number);
            // The server delivers it again, unless it thinks that it is done.
            if !is_stale || self.ack == Ack::Auto {
                return Poll::Ready(Some(Ok(self.taken(delivery))));
            }
        }
    }

    fn taken(&mut self, delivery: Delivery) -> Message {
        let Delivery { frame, held, .. } = delivery;
        let held = match (self.ack, held) {
            (Ack::Taken, Some(held)) => {
                self.stomp.notice(Notice::Taken(held));
                None
            }
            (_, held) => held,
        };
        if let Some(held) = &held {
            self.remember(Arc::clone(held));
        }
        Message::new(frame, held, self.stomp.clone())
    }

    fn remember(&mut self, held: Arc<Held>) {
        if self.held.len() >= self.sweep_at {
            self.forget_done();
            self.sweep_at = self.sweep_at.max(2 * self.held.len());
        }
        self.held.push_back(held);
    }

    fn forget_done(&mut self) {
        let shared = self.stomp.shared();
        self.held.retain(|held| !held.is_settled() && shared.is_alive(held.number));
    }
}

impl Stream for Subscription {
    type Item = Result<Message>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Message>>> {
        self.poll_message(context)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.deliveries.close();
        while let Ok(delivery) = self.deliveries.try_recv() {
            self.held.extend(delivery.held);
        }
        self.forget_done();
        let mut held = Vec::from(std::mem::take(&mut self.held));
        if self.ack == Ack::Client {
            // The last one stands for all before it.
            held.drain(..held.len().saturating_sub(1));
        }
        self.stomp.notice(Notice::Unsubscribe(Arc::clone(&self.id), held));
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("id", &self.id).finish_non_exhaustive()
    }
}
