//! A message to be published.

use crate::topology::short;
use crate::{Error, ErrorKind, Properties, Result, Value};
use bytes::Bytes;
use lapin::types::{FieldTable, ShortString};
use std::time::Duration;

/// A message to be published: kept on the disk where its queue is, and of no matter where no queue is,
/// unless said.
#[derive(Clone, Debug)]
pub struct Publish {
    pub(crate) exchange: String,
    pub(crate) key: String,
    pub(crate) body: Bytes,
    pub(crate) is_mandatory: bool,
    is_transient: bool,
    texts: Vec<(Property, String)>,
    priority: Option<u8>,
    headers: FieldTable,
}

#[derive(Clone, Copy, Debug)]
enum Property {
    ContentType,
    CorrelationId,
    Expiration,
    MessageId,
    ReplyTo,
}

impl Publish {
    /// To an exchange, with a routing key.
    #[must_use]
    pub fn to(exchange: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            exchange: exchange.into(),
            key: key.into(),
            body: Bytes::new(),
            is_mandatory: false,
            is_transient: false,
            texts: Vec::new(),
            priority: None,
            headers: FieldTable::default(),
        }
    }

    /// To the queue of that name.
    #[must_use]
    pub fn to_queue(name: impl Into<String>) -> Self {
        Self::to("", name)
    }

    /// What it carries.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// It fails with the code `312` when there is no queue for it.
    #[must_use]
    pub fn mandatory(mut self) -> Self {
        self.is_mandatory = true;
        self
    }

    /// In memory only: lost when the server starts again.
    #[must_use]
    pub fn transient(mut self) -> Self {
        self.is_transient = true;
        self
    }

    /// What the body is: `application/json`.
    #[must_use]
    pub fn content_type(self, text: impl Into<String>) -> Self {
        self.text(Property::ContentType, text)
    }

    /// Which question it answers, or is to be answered with.
    #[must_use]
    pub fn correlation_id(self, text: impl Into<String>) -> Self {
        self.text(Property::CorrelationId, text)
    }

    /// The queue that an answer goes to.
    #[must_use]
    pub fn reply_to(self, text: impl Into<String>) -> Self {
        self.text(Property::ReplyTo, text)
    }

    /// The sender's name for it.
    #[must_use]
    pub fn message_id(self, text: impl Into<String>) -> Self {
        self.text(Property::MessageId, text)
    }

    /// Not delivered any more after that time, in whole milliseconds.
    #[must_use]
    pub fn expiration(self, ttl: Duration) -> Self {
        self.text(Property::Expiration, ttl.as_millis().to_string())
    }

    /// Before those with a lower one, in queues with `x-max-priority`.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = Some(priority);
        self
    }

    /// A header of the application's own. Its name has 255 bytes at most.
    ///
    /// # Panics
    /// When the name is longer.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    fn text(mut self, property: Property, text: impl Into<String>) -> Self {
        self.texts.push((property, text.into()));
        self
    }

    pub(crate) fn parts(
        &self,
        body_bytes_max: usize,
    ) -> Result<(ShortString, ShortString, Properties)> {
        if self.body.len() > body_bytes_max {
            let message = format!("the body has more bytes than {body_bytes_max}");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let mut properties = Properties::default()
            .with_delivery_mode(if self.is_transient { 1 } else { 2 })
            .with_headers(self.headers.clone());
        for (property, text) in &self.texts {
            let text = short(text)?;
            properties = match property {
                Property::ContentType => properties.with_content_type(text),
                Property::CorrelationId => properties.with_correlation_id(text),
                Property::Expiration => properties.with_expiration(text),
                Property::MessageId => properties.with_message_id(text),
                Property::ReplyTo => properties.with_reply_to(text),
            };
        }
        if let Some(priority) = self.priority {
            properties = properties.with_priority(priority);
        }
        Ok((short(&self.exchange)?, short(&self.key)?, properties))
    }
}
