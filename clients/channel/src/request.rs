//! Questions to whoever serves a channel, and their answers.

use crate::client::ChannelClient;
use crate::error::{Error, Unanswered};
use crate::session::{Command, Outcome, ToAsk};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::sync::oneshot;
use workyard_protocol::limits::QUESTION_MS_MAX;
use workyard_protocol::{ChannelName, Value, from_value};

/// What a responder answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(Value);

impl ChannelClient {
    /// Asks one of those who serve a channel, and waits for the answer, a reconnect before the question
    /// is sent included.
    ///
    /// One responder is asked, each in its turn; when it is gone before it has answered, that is an error
    /// at once, unless the request is [repeatable](ChannelClient::with_repeatable_requests). Dropping this
    /// future is giving up: the answer goes to nobody.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use workyard_channel::{ChannelClient, ErrorKind};
    /// # async fn example(client: ChannelClient) -> Result<(), workyard_channel::Error> {
    /// match client.request("sum", &[1, 2, 3], Duration::from_secs(2)).await {
    ///     Ok(answer) => println!("{}", answer.decode::<i64>()?),
    ///     Err(error) if error.kind() == ErrorKind::NoResponders => println!("nobody can add"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NoResponders` at once when nobody serves the channel; `Declined` with what the responder says;
    /// `Unanswered` when it is gone; `TimedOut`; `Refused` with the reason `RespondersBusy` when all of
    /// them have too much to do; `InvalidArgument` for a timeout above an hour; else as
    /// [`ErrorKind`](crate::ErrorKind) lists them. [`Error::outcome_unknown`] says whether the responder
    /// may have done it all the same.
    pub async fn request<T>(
        &self,
        channel: impl AsRef<[u8]>,
        value: &T,
        timeout: Duration,
    ) -> Result<Answer, Error>
    where
        T: Serialize + ?Sized,
    {
        self.request_value(channel, &self.encode(value)?, timeout).await
    }

    /// [`ChannelClient::request`] of exactly this value.
    ///
    /// # Errors
    /// As for [`ChannelClient::request`].
    pub async fn request_value(
        &self,
        channel: impl AsRef<[u8]>,
        value: &Value,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        let to_ask = ToAsk {
            channel: Bytes::copy_from_slice(ChannelName::new(channel.as_ref())?.as_bytes()),
            timeout_ms: timeout_ms(timeout)?,
            repeat: self.settings.repeatable_requests,
            value: value.clone(),
        };
        let (done, answer) = oneshot::channel();
        let patient = self.link.with_call_timeout(timeout);
        let unanswered = match patient.ask(Command::Ask { to_ask, done }, answer).await? {
            Outcome::Answered { declined: false, value } => return Ok(Answer(value)),
            Outcome::Answered { declined: true, value } => return Err(Error::Declined { value }),
            Outcome::TimedOut => Unanswered::TimedOut,
            Outcome::ResponderGone => Unanswered::ResponderGone,
            Outcome::Dropped => Unanswered::Dropped,
            Outcome::Lost => Unanswered::Disconnected,
        };
        Err(unanswered.into())
    }
}

impl Answer {
    /// The answer.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The answer, for keeps.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.0
    }

    /// The answer, as a Rust value.
    ///
    /// # Errors
    /// `Decode` when it is not of that type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_value(self.0.as_ref()).map_err(Error::Decode)
    }
}

/// The timeout as the server is told: whole milliseconds, rounded up.
fn timeout_ms(timeout: Duration) -> Result<u32, Error> {
    let millis = timeout.as_micros().div_ceil(1000).max(1);
    match u32::try_from(millis) {
        Ok(millis) if millis <= QUESTION_MS_MAX => Ok(millis),
        _ => {
            let text =
                format!("a timeout of {timeout:?} is above an hour: what takes longer is a job");
            Err(Error::InvalidArgument(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_rounded_up_and_bounded() {
        let hour = Duration::from_secs(3600);
        for (timeout, millis) in [
            (Duration::ZERO, 1),
            (Duration::from_micros(1001), 2),
            (Duration::from_millis(5), 5),
            (hour, QUESTION_MS_MAX),
        ] {
            assert_eq!(timeout_ms(timeout).unwrap(), millis);
        }
        for timeout in [hour + Duration::from_millis(1), Duration::MAX] {
            assert!(timeout_ms(timeout).is_err());
        }
    }
}
