//! What is published and what arrives.

use crate::acknowledgement::Token;
use crate::qos::Qos;
use bytes::Bytes;
use std::time::Duration;

/// What a message of MQTT 5 has beside its payload. With 3.1.1 there is none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Properties {
    /// Names and values of the application's own, in order; a name may occur more than once.
    pub user: Vec<(String, String)>,
    /// Where an answer is expected.
    pub response_topic: Option<String>,
    /// What the answer is told by.
    pub correlation_data: Option<Bytes>,
    /// How long the message is of use. Of one that arrives: how much of that is left.
    pub message_expiry: Option<Duration>,
    /// What the payload is: a MIME type, usually.
    pub content_type: Option<String>,
}

/// A message to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Publish {
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: Bytes,
    /// How surely.
    pub qos: Qos,
    /// Whether the broker keeps it, in place of the one it has, for those who subscribe later. An
    /// empty payload has it keep none.
    pub retain: bool,
    /// What MQTT 5 has beside.
    pub properties: Properties,
}

impl Publish {
    /// A message with QoS 1 that is not retained.
    #[must_use]
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            qos: Qos::AtLeastOnce,
            retain: false,
            properties: Properties::default(),
        }
    }

    /// With another QoS.
    #[must_use]
    pub fn qos(mut self, qos: Qos) -> Self {
        self.qos = qos;
        self
    }

    /// Kept by the broker, or not.
    #[must_use]
    pub fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }

    /// With a further property of the application's own (MQTT 5).
    #[must_use]
    pub fn user_property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.user.push((name.into(), value.into()));
        self
    }

    /// With the topic for the answer, and what the answer is told by (MQTT 5).
    #[must_use]
    pub fn answer_to(mut self, topic: impl Into<String>, correlation: impl Into<Bytes>) -> Self {
        self.properties.response_topic = Some(topic.into());
        self.properties.correlation_data = Some(correlation.into());
        self
    }

    /// Of use for so long only, in whole seconds (MQTT 5).
    #[must_use]
    pub fn expires_after(mut self, duration: Duration) -> Self {
        self.properties.message_expiry = Some(duration);
        self
    }

    /// With what the payload is (MQTT 5).
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.properties.content_type = Some(content_type.into());
        self
    }
}

/// A message that arrived.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// Where it was published to.
    pub topic: String,
    /// What it says.
    pub payload: Bytes,
    /// How surely it came: the lower one of that of its publisher and that of the subscription.
    pub qos: Qos,
    /// Whether the broker had kept it from before the subscription.
    pub retain: bool,
    /// Whether the broker has sent it before. With QoS 2 that is never seen here.
    pub duplicate: bool,
    /// What MQTT 5 has beside.
    pub properties: Properties,
    pub(crate) token: Option<Token>,
}

impl Message {
    /// Tells the broker that this message is done with, where the subscription left that
    /// [to its holder](crate::Acknowledge::ByHand). Without it the broker sends the message again
    /// after the next connection (QoS 1). Elsewhere this does nothing.
    pub fn acknowledge(&mut self) {
        if let Some(token) = self.token.take() {
            token.done();
        }
    }

    /// The payload as text, with what is not UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}
