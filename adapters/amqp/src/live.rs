//! A connection while it lasts, and its channels.

use crate::error;
use crate::limits::{
    MANDATORY_CHANNELS_MAX, PUBLISHING_CHANNELS_MAX, UNWRITTEN_BYTES_MAX, UNWRITTEN_OVERHEAD,
};
use crate::publishing::Publishing;
use crate::{Error, ErrorKind, Result};
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

pub(crate) struct Live {
    /// Numbers only grow.
    pub(crate) number: u64,
    pub(crate) connection: Connection,
    /// Why the server takes no messages now, if it does not.
    pub(crate) blocked: watch::Sender<Option<String>>,
    /// By exchange: an error about one closes its channel, and fails nobody else.
    publishing: Mutex<HashMap<String, Place>>,
    /// Places of mandatory publishes under way.
    mandatory: Arc<Semaphore>,
    /// Channels that no mandatory publish is under way on.
    idle: Arc<Mutex<Vec<Arc<Publishing>>>>,
    /// Bytes of publishes that may be kept until they are written.
    unwritten: Arc<Semaphore>,
}

/// One at a time makes the channel.
type Place = Arc<AsyncMutex<Option<Arc<Publishing>>>>;

impl Live {
    pub(crate) fn new(number: u64, connection: Connection) -> Self {
        Self {
            number,
            connection,
            blocked: watch::Sender::new(None),
            publishing: Mutex::default(),
            mandatory: Arc::new(Semaphore::new(MANDATORY_CHANNELS_MAX)),
            idle: Arc::default(),
            unwritten: Arc::new(Semaphore::new(UNWRITTEN_BYTES_MAX as usize)),
        }
    }

    /// A channel for one thing. It is closed when it is dropped.
    pub(crate) async fn channel(&self) -> Result<Channel> {
        self.connection.create_channel().await.map_err(not_sent)
    }

    /// The channel to publish to this exchange on, with confirms; a new one if the last was closed.
    pub(crate) async fn publishing(&self, exchange: &str) -> Result<Arc<Publishing>> {
        let place = self.place(exchange);
        let mut place = place.lock().await;
        if let Some(channel) = place.as_ref().filter(|channel| channel.is_open()) {
            return Ok(Arc::clone(channel));
        }
        Ok(Arc::clone(place.insert(self.new_publishing().await?)))
    }

    /// A channel for one mandatory publish. The driver gives what the server returns to whoever's confirm
    /// comes next on the channel, so nobody else's may.
    pub(crate) async fn alone(&self, patience: Duration) -> Result<Alone> {
        let place = timeout(patience, Arc::clone(&self.mandatory).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            let message =
                format!("{MANDATORY_CHANNELS_MAX} mandatory publishes wait for an answer");
            return Err(Error::new(ErrorKind::TimedOut, message).not_carried_out());
        };
        let mut idle = std::iter::from_fn(|| locked(&self.idle).pop());
        let publishing = match idle.find(|channel| channel.is_open()) {
            Some(publishing) => publishing,
            None => self.new_publishing().await?,
        };
        Ok(Alone { publishing, idle: Arc::clone(&self.idle), _place: place })
    }

    /// Room for a publish of that many bytes, until it is written.
    pub(crate) async fn room(
        &self,
        bytes: usize,
        patience: Duration,
    ) -> Result<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).saturating_add(UNWRITTEN_OVERHEAD);
        let room = Arc::clone(&self.unwritten).acquire_many_owned(bytes.min(UNWRITTEN_BYTES_MAX));
        if let Ok(Ok(room)) = timeout(patience, room).await {
            return Ok(room);
        }
        let message = format!("{UNWRITTEN_BYTES_MAX} bytes wait to be written");
        Err(Error::new(ErrorKind::TimedOut, message).not_carried_out())
    }

    async fn new_publishing(&self) -> Result<Arc<Publishing>> {
        let channel = self.channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(not_sent)?;
        Ok(Arc::new(Publishing::on(channel)))
    }

    /// Waits until the server takes messages.
    pub(crate) async fn unblocked(&self, patience: Duration) -> Result<()> {
        if self.blocked.borrow().is_none() {
            return Ok(());
        }
        let mut blocked = self.blocked.subscribe();
        if timeout(patience, blocked.wait_for(Option::is_none)).await.is_ok() {
            return Ok(());
        }
        let why = self.blocked.borrow().clone().unwrap_or_default();
        let message = format!("the server takes no messages for now ({why})");
        Err(Error::new(ErrorKind::TimedOut, message).not_carried_out())
    }

    fn place(&self, exchange: &str) -> Place {
        let mut places = locked(&self.publishing);
        if let Some(place) = places.get(exchange) {
            return Arc::clone(place);
        }
        // The name of the default exchange, which always is there.
        let name = if places.len() < PUBLISHING_CHANNELS_MAX { exchange } else { "" };
        Arc::clone(places.entry(name.to_owned()).or_default())
    }
}

/// A channel that one mandatory publish is under way on.
pub(crate) struct Alone {
    pub(crate) publishing: Arc<Publishing>,
    idle: Arc<Mutex<Vec<Arc<Publishing>>>>,
    _place: OwnedSemaphorePermit,
}

impl Alone {
    /// When the answer is there: until then, the channel is nobody else's.
    pub(crate) fn give_back(self) {
        if self.publishing.is_open() {
            locked(&self.idle).push(self.publishing);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_sent(error: lapin::Error) -> Error {
    error::of_request(error).not_carried_out()
}
