//! A channel to publish on, and who publishes there.

use crate::{Error, Properties, Result, error};
use futures_util::FutureExt;
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{Channel, Confirmation};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::OwnedSemaphorePermit;

pub(crate) struct Publishing {
    channel: Channel,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    begun: u64,
    ended: u64,
}

/// What is published.
pub(crate) struct Parts {
    pub(crate) exchange: ShortString,
    pub(crate) key: ShortString,
    pub(crate) is_mandatory: bool,
    pub(crate) body: bytes::Bytes,
    pub(crate) properties: Properties,
}

impl Publishing {
    pub(crate) fn on(channel: Channel) -> Self {
        Self { channel, counts: Mutex::default() }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.channel.status().connected()
    }

    /// Publishes, and waits for what the server says. It has to come to its end.
    pub(crate) async fn publish(&self, parts: Parts, room: OwnedSemaphorePermit) -> Result<()> {
        let Parts { exchange, key, is_mandatory, body, properties } = parts;
        let options = BasicPublishOptions { mandatory: is_mandatory, ..Default::default() };
        let written = self.channel.basic_publish(exchange, key, options, &body, properties);
        let mut written = Box::pin(written);
        let (others, number, first) = {
            // The driver numbers it and lines it up at once: both in one order.
            let mut counts = self.counts();
            let others = counts.begun - counts.ended;
            counts.begun += 1;
            (others, counts.begun, written.as_mut().now_or_never())
        };
        let _counted = Counted(self);
        let is_at_once = first.is_some();
        let written = match first {
            Some(written) => written,
            None => written.await,
        };
        drop(room);
        let confirm = written.map_err(|error| of_writing(error, is_at_once))?;
        let confirmed = confirm.await;
        let was_alone = others == 0 && self.counts().begun == number;
        match confirmed.map_err(|error| error::of_confirm(error, was_alone))? {
            Confirmation::Ack(None) | Confirmation::NotRequested => Ok(()),
            Confirmation::Ack(Some(returned)) => Err(error::of_return(&returned)),
            Confirmation::Nack(_) => Err(error::of_nack()),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was not taken at once was not lined up.
fn of_writing(error: lapin::Error, is_at_once: bool) -> Error {
    let error = error::of_request(error);
    if is_at_once { error.not_carried_out() } else { error }
}

struct Counted<'a>(&'a Publishing);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.counts().ended += 1;
    }
}
