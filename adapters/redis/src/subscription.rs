//! Messages of channels and patterns, over a connection that heals itself and tells what was missed.

mod keeper;
mod waiting;

use crate::handle::Redis;
use crate::link::closed;
use futures_util::Stream;
use keeper::{Keeper, Order};
use redis::Msg;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::AbortHandle;
use waiting::Waiting;
use workyard_adapter_kit::{Error, ErrorKind, Guard, State, Status};

/// Orders that may wait for the task.
const ORDERS_MAX: usize = 16;

/// What a subscription tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A message.
    Message(Msg),
    /// The connection was lost and is back, with everything subscribed to again. What was published for
    /// so long is missing.
    Gap {
        /// From the loss to the return, as far as this side can tell.
        down: Duration,
    },
    /// So many messages were dropped here, because too many waited to be taken.
    Missed {
        /// How many messages.
        messages: u64,
    },
}

/// A subscription to channels and patterns: a stream of [`Event`]s. Dropped, it ends.
pub struct Subscription {
    waiting: Arc<Waiting>,
    orders: mpsc::Sender<(Order, oneshot::Sender<Result<(), Error>>)>,
    status: Arc<Status>,
    guard: Guard,
    patience: Duration,
    task: AbortHandle,
    /// It goes on when the program has dropped every other handle.
    _redis: Redis,
    _place: OwnedSemaphorePermit,
}

impl Redis {
    /// Subscribes to channels, over a connection of its own. Returns when the server has said yes.
    ///
    /// ```no_run
    /// # async fn example(redis: workyard_redis::Redis) -> workyard_redis::Result<()> {
    /// use workyard_redis::Event;
    /// let mut news = redis.subscribe(&["news"]).await?;
    /// while let Some(event) = news.next().await {
    ///     match event {
    ///         Event::Message(message) => println!("{}", message.get_channel_name()),
    ///         Event::Gap { down } => println!("messages of {down:?} are missing"),
    ///         Event::Missed { messages } => println!("too slow for {messages} messages"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What went wrong; [`ErrorKind::Busy`] when there are too many subscriptions.
    pub async fn subscribe(&self, channels: &[&str]) -> Result<Subscription, Error> {
        self.subscribe_to(Order::Subscribe(owned(channels))).await
    }

    /// Subscribes to patterns: `news.*`.
    ///
    /// # Errors
    /// Those of [`Redis::subscribe`].
    pub async fn psubscribe(&self, patterns: &[&str]) -> Result<Subscription, Error> {
        self.subscribe_to(Order::PatternSubscribe(owned(patterns))).await
    }

    async fn subscribe_to(&self, order: Order) -> Result<Subscription, Error> {
        let inner = &self.0;
        let guard = inner.guard.clone();
        if guard.is_closed() {
            return Err(guard.placed(closed()));
        }
        let options = &inner.options;
        let place = Arc::clone(&inner.subscriptions).try_acquire_owned().map_err(|_| {
            let message = format!(
                "there are {} subscriptions, as many as subscriptions_max allows",
                options.subscriptions_max
            );
            guard.error(ErrorKind::Busy, message)
        })?;
        let limits = (options.subscription_messages_max, options.subscription_bytes_max);
        let waiting = Arc::new(Waiting::new(limits.0, limits.1));
        let status = Arc::new(Status::default());
        let (orders, ordered) = mpsc::channel(ORDERS_MAX);
        let keeper = Keeper::new(
            Arc::clone(inner.backend.connector()),
            guard.clone(),
            Arc::clone(&waiting),
            Arc::clone(&status),
        );
        let task = tokio::spawn(keeper.run(ordered, inner.closing.subscribe())).abort_handle();
        let patience = options.calls.connect_timeout + options.calls.request_timeout;
        let subscription = Subscription {
            waiting,
            orders,
            status,
            guard,
            patience,
            task,
            _redis: self.clone(),
            _place: place,
        };
        subscription.order(order).await?;
        Ok(subscription)
    }
}

impl Subscription {
    /// The next event; nothing when the adapter was closed. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|context| self.waiting.poll_take(context)).await
    }

    /// Subscribes to further channels.
    ///
    /// # Errors
    /// What went wrong: then it is as before.
    pub async fn subscribe(&self, channels: &[&str]) -> Result<(), Error> {
        self.order(Order::Subscribe(owned(channels))).await
    }

    /// Subscribes to further patterns.
    ///
    /// # Errors
    /// What went wrong: then it is as before.
    pub async fn psubscribe(&self, patterns: &[&str]) -> Result<(), Error> {
        self.order(Order::PatternSubscribe(owned(patterns))).await
    }

    /// Takes subscriptions to channels back.
    ///
    /// # Errors
    /// What went wrong: then nothing more comes after the next loss of the connection.
    pub async fn unsubscribe(&self, channels: &[&str]) -> Result<(), Error> {
        self.order(Order::Unsubscribe(owned(channels))).await
    }

    /// Takes subscriptions to patterns back.
    ///
    /// # Errors
    /// What went wrong: then nothing more comes after the next loss of the connection.
    pub async fn punsubscribe(&self, patterns: &[&str]) -> Result<(), Error> {
        self.order(Order::PatternUnsubscribe(owned(patterns))).await
    }

    /// How its connection is.
    #[must_use]
    pub fn state(&self) -> State {
        self.status.state()
    }

    /// Waits until everything is subscribed to, for as long as a connection and an answer may take.
    ///
    /// # Errors
    /// What keeps it from being so.
    pub async fn ready(&self) -> Result<(), Error> {
        self.status.ready(self.patience).await
    }

    async fn order(&self, order: Order) -> Result<(), Error> {
        let operation = order.operation();
        let (answer, answered) = oneshot::channel();
        let done = async {
            self.orders.send((order, answer)).await.map_err(|_| closed())?;
            answered.await.map_err(|_| closed())?
        };
        let result = tokio::time::timeout(self.patience, done).await.unwrap_or_else(|_| {
            let why = match self.state() {
                State::Down(error) => error.to_string(),
                _ => format!("no answer within {:?}", self.patience),
            };
            Err(Error::new(ErrorKind::TimedOut, why))
        });
        result.map_err(|error| self.guard.placed(error.during(operation)))
    }
}

impl Stream for Subscription {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.waiting.poll_take(context)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
