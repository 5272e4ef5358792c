//! A connection while it lasts, and its channels to publish on.

use crate::error;
use crate::limits::PUBLISHING_CHANNELS_MAX;
use crate::{Error, ErrorKind, Result};
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::timeout;

pub(crate) struct Live {
    /// Numbers only grow.
    pub(crate) number: u64,
    pub(crate) connection: Connection,
    /// Why the server takes no messages now, if it does not.
    pub(crate) blocked: watch::Sender<Option<String>>,
    /// By exchange: an error about one closes its channel, and fails nobody else.
    publishing: Mutex<HashMap<String, Place>>,
}

/// One at a time makes the channel.
type Place = Arc<AsyncMutex<Option<Channel>>>;

impl Live {
    pub(crate) fn new(number: u64, connection: Connection) -> Self {
        let blocked = watch::Sender::new(None);
        Self { number, connection, blocked, publishing: Mutex::default() }
    }

    /// A channel for one thing. It is closed when it is dropped.
    pub(crate) async fn channel(&self) -> Result<Channel> {
        self.connection.create_channel().await.map_err(error::of_request)
    }

    /// The channel to publish to this exchange on, with confirms; a new one if the last was closed.
    pub(crate) async fn publishing(&self, exchange: &str) -> Result<Channel> {
        let place = self.place(exchange);
        let mut place = place.lock().await;
        if let Some(channel) = place.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let not_sent = |error| error::of_request(error).not_carried_out();
        let channel = self.connection.create_channel().await.map_err(not_sent)?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(not_sent)?;
        Ok(place.insert(channel).clone())
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
        let mut places = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(exchange) {
            return Arc::clone(place);
        }
        // The name of the default exchange, which always is there.
        let name = if places.len() < PUBLISHING_CHANNELS_MAX { exchange } else { "" };
        Arc::clone(places.entry(name.to_owned()).or_default())
    }
}
