//! What lists, sets and maps have in common.

use crate::client::{GlobalDataClient, unexpected, unexpected_found};
use crate::error::Error;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use workyard_link::Received;
use workyard_link::limits::{LENGTH_BYTES, check_header};
use workyard_protocol::container::Items;
use workyard_protocol::globaldata::{Found, Look, Looked, Question, Reply, Request};
use workyard_protocol::{DecodeError, Encoding, Key, Refusal, TypedError, Value, from_value};

/// What a header counts for an item, beside its field.
const ITEM_BYTES: usize = 1 + 4;

impl GlobalDataClient {
    pub(crate) async fn look(&self, key: &[u8], question: Question<'_>) -> Result<Received, Error> {
        let key = Key::new(key)?;
        self.ask(key, Request::Look(Look { key, question })).await
    }

    pub(crate) async fn count_items(&self, key: &[u8]) -> Result<u64, Error> {
        let received = self.look(key, Question::Length).await?;
        match looked(&received)?.found {
            Found::Length(length) => Ok(length),
            other => Err(unexpected_found(&other)),
        }
    }

    /// All bytes of a list, set or map; none of a variable that does not exist.
    pub(crate) async fn container(&self, key: &[u8], kind: Encoding) -> Result<Bytes, Error> {
        match self.entry(key).await?.map(|entry| entry.value) {
            None => Ok(Bytes::new()),
            Some(Value::Encoded { encoding, bytes }) if encoding == kind => Ok(bytes),
            Some(other) => {
                let found = other.as_ref().tag().name();
                let text = format!("the variable is no {kind}");
                Err(Error::Decode(TypedError::Decode { kind: found, text }))
            }
        }
    }
}

pub(crate) fn looked(received: &Received) -> Result<Looked<'_>, Error> {
    match received.decode()? {
        Reply::Looked(looked) => Ok(looked),
        other => Err(unexpected(&other)),
    }
}

/// The values of items.
pub(crate) fn values(items: Items<'_>) -> Result<Vec<Value>, Error> {
    let values: Result<_, _> = items.map(|item| item.map(|item| item.value.to_value())).collect();
    values.map_err(|error| Error::from(DecodeError::Refused(Refusal::from(error))))
}

pub(crate) fn decoded<T: DeserializeOwned>(values: Vec<Value>) -> Result<Vec<T>, Error> {
    let decode = |value: Value| from_value(value.as_ref()).map_err(Error::Decode);
    values.into_iter().map(decode).collect()
}

/// Whether a header has room for items whose fields have these lengths.
pub(crate) fn check_items(fields: impl ExactSizeIterator<Item = usize>) -> Result<(), Error> {
    let count = fields.len();
    let bytes = fields.map(|field| ITEM_BYTES + LENGTH_BYTES + field).sum();
    check_header("items", count, bytes).map_err(Error::InvalidArgument)
}
